// SPDX-License-Identifier: Apache-2.0
// Pages in the language of man(7), and the reference in Markdown. Pure; any thread.
#include "ctl/manual.h"

#include <string_view>

#include "base/format.h"
#include "config/schema.h"
#include "ctl/command_table.h"

namespace tanist::ctl {

namespace {

constexpr std::string_view program = "tanistctl";

// Text that man(7) prints as it is.
std::string man(std::string_view text) {
  std::string out;
  bool begins_line = true;
  for (const char c : text) {
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') out += "\\e";
    if (c == '-') out += "\\-";
    if (c != '\\' && c != '-') out += c;
    begins_line = c == '\n';
  }
  return out;
}

std::string bold(std::string_view text) { return "\\fB" + man(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + man(text) + "\\fR"; }

std::string man_option(const OptionRow& option) {
  std::string out;
  for (const auto& name : option.names) out += (out.empty() ? "" : ", ") + bold(name);
  const auto value = value_title(option);
  if (!value.empty()) out += " " + italic(value);
  return ".TP\n" + out + "\n" + man(option.help) + "\n";
}

std::string man_examples(const std::vector<std::string>& examples) {
  if (examples.empty()) return {};
  std::string out = ".PP\nExamples:\n.PP\n.nf\n";
  for (const auto& example : examples) out += "    " + man(example) + "\n";
  return out + ".fi\n";
}

std::string man_command(const CommandRow& command) {
  auto out = ".SS " + man(command.name) + "\n";
  out += bold(command.name) + man(usage_of("", &command).substr(command.name.size() + 1)) + "\n";
  out += ".PP\n" + man(command.purpose) + ".\n";
  if (!command.details.empty()) out += man(command.details) + "\n";
  for (const auto& argument : command.arguments) {
    out += ".TP\n" + italic(argument_title(argument)) + "\n" + man(argument.help) + "\n";
  }
  for (const auto& option : command.options) out += man_option(option);
  return out + man_examples(command.examples);
}

std::string man_head(std::string_view title, std::string_view section, std::string_view purpose) {
  const auto bare = title.substr(0, title.rfind('.'));
  return format_text(
      ".\\\" SPDX-License-Identifier: Apache-2.0\n.\\\" Printed by tanistctl manual.\n"
      ".TH {} {} \"\" \"tanist {}\" \"tanist\"\n.SH NAME\n{} \\- {}\n",
      man(bare), section, TANIST_VERSION, man(bare), man(purpose));
}

std::string man_paragraphs(std::string_view text) {
  std::string out;
  for (auto end = text.find("\n\n"); end != std::string_view::npos; end = text.find("\n\n")) {
    out += man(text.substr(0, end)) + "\n.PP\n";
    text.remove_prefix(end + 2);
  }
  return out + man(text) + "\n";
}

std::string_view when_text(config::Applies applies) {
  switch (applies) {
    case config::Applies::reload: return "on reload";
    case config::Applies::agent_start: return "when the agent starts";
    case config::Applies::server_restart: return "when PostgreSQL restarts";
    case config::Applies::bootstrap: return "while a new cluster is made";
  }
  return "";
}

std::string man_setting(const config::Option& option) {
  auto out = ".TP\n" + bold(option.path);
  if (!option.fallback.empty()) out += " (default: " + man(option.fallback) + ")";
  out += "\n" + man(option.help);
  if (!option.help.ends_with('.')) out += ".";
  if (!option.choices.empty()) out += "\nOne of: " + man(option.choices) + ".";
  out += format_text("\nTakes effect {}.", when_text(option.applies));
  if (!option.env.empty()) out += "\nVariable: " + man(option.env) + ".";
  return out + "\n";
}

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string md_option(const OptionRow& option) {
  std::string names;
  for (const auto& name : option.names) {
    names += format_text("{}`{}`", names.empty() ? "" : ", ", name);
  }
  const auto value = value_title(option);
  if (!value.empty()) names += format_text(" `{}`", cell(value));
  return format_text("| {} | {} |\n", names, cell(option.help));
}

std::string md_command(const CommandRow& command) {
  auto out = format_text("\n## {}\n\n    {}\n\n{}.", command.name, usage_of(program, &command),
                         command.purpose);
  if (!command.details.empty()) out += " " + command.details;
  out += "\n";
  if (!command.arguments.empty() || !command.options.empty()) {
    out += "\n| argument, option | meaning |\n|---|---|\n";
  }
  for (const auto& argument : command.arguments) {
    out += format_text("| `{}` | {} |\n", cell(argument_title(argument)), cell(argument.help));
  }
  for (const auto& option : command.options) out += md_option(option);
  if (command.examples.empty()) return out;
  out += "\n";
  for (const auto& example : command.examples) out += "    " + example + "\n";
  return out;
}

constexpr std::string_view reference_head =
    R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Printed from the command table (src/ctl/command_table.cpp); do not edit. To print it anew:
     TANIST_REWRITE=1 build/dev/src/ctl_test --gtest_filter='ToolReference.*' -->
# tanistctl

Shows and steers clusters. Commands, texts, formats and exit codes are those of `patronictl` 4.1, so
that scripts go on working; called by a link named `patronictl` the tool calls itself that. It works
with clusters whose members run Patroni, too.

    tanistctl [-c FILE] [-d URL] [-k] COMMAND [OPTIONS] [NAMES]

)";

constexpr std::string_view reference_tail = R"(
## Times

A scheduled time is ISO 8601 (`2031-05-01T04:00+00:00`), with a blank for the `T` if you like, or
`HH:MM` of today; other common forms of dates are understood, too (`May 1 2031 6am`). Without a zone
the local one counts.

## Different from patronictl

* A store that does not answer within 10 seconds is an error (a watch goes on).
* `-d` without a scheme means etcd's v3 API, the only one there is.
* Citus (`--group`) is not supported.
* Tables have a column `Guard` where a member's guard is not as it should be and with `-e`, and
  people are told how far a copy has come; a switchover tells how long nobody led. As `patronictl`
  it prints none of these.
* `doctor`, `explain`, `replay`, `whatif`, `provision`, `completion` and `manual` are new.
* `reinit --wait` does not take a member for complete that has not begun yet.
)";

}  // namespace

std::string tool_manual() {
  auto out = man_head("tanistctl.1", "1", "show and steer highly available PostgreSQL clusters");
  out += ".SH SYNOPSIS\n" + bold(program) +
         " [\\fB\\-c\\fR \\fIFILE\\fR] [\\fB\\-d\\fR \\fIURL\\fR] [\\fB\\-k\\fR] \\fICOMMAND\\fR "
         "[\\fIOPTIONS\\fR] [\\fINAMES\\fR]\n";
  out += ".SH DESCRIPTION\n" + man_paragraphs(tool_details());
  out += ".SH OPTIONS\n";
  for (const auto& option : global_options()) out += man_option(option);
  out += man_option(help_option());
  out += ".SH COMMANDS\n";
  for (const auto& command : command_table()) out += man_command(command);
  out += ".SH EXAMPLES\n.nf\n";
  for (const auto& example : tool_examples()) out += "    " + man(example) + "\n";
  return out + ".fi\n.SH SEE ALSO\n.BR tanist (1),\n.BR tanist.yml (5)\n";
}

std::string configuration_manual() {
  auto out = man_head("tanist.yml.5", "5", "configuration of the agent and of tanistctl");
  out +=
      ".SH DESCRIPTION\n"
      "YAML, as Patroni 4.1 reads it. Environment variables are laid over the file. Options of the "
      "whole cluster stand in the store; tanistctl edit\\-config changes them.\n";
  const auto add = [&](std::string_view title, auto is_wanted) {
    out += format_text(".SH {}\n", title);
    for (const auto& option : config::options()) {
      if (is_wanted(option)) out += man_setting(option);
    }
  };
  add("OPTIONS OF A NODE", [](const config::Option& option) { return option.is_local(); });
  add("OPTIONS OF THE WHOLE CLUSTER",
      [](const config::Option& option) { return option.scope == config::Scope::dynamic; });
  return out + ".SH SEE ALSO\n.BR tanist (1),\n.BR tanistctl (1)\n";
}

std::string tool_reference() {
  auto out = std::string(reference_head) + "| option | meaning |\n|---|---|\n";
  for (const auto& option : global_options()) out += md_option(option);
  out += "\n" + std::string(tool_details()) + "\n\n| command | does |\n|---|---|\n";
  for (const auto& command : command_table()) {
    out += format_text("| [{}](#{}) | {} |\n", command.name, command.name, cell(command.purpose));
  }
  for (const auto& command : command_table()) out += md_command(command);
  return out + std::string(reference_tail);
}

}  // namespace tanist::ctl

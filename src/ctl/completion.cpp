// SPDX-License-Identifier: Apache-2.0
// Completion scripts. Only words of the table are completed, never names that the store would have
// to be asked for: a tabulator must not wait for a network. Pure; any thread.
#include "ctl/completion.h"

#include <algorithm>
#include <vector>

#include "base/format.h"
#include "ctl/command_table.h"

namespace tanist::ctl {

namespace {

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : std::string(between)) + word;
  return out;
}

std::vector<std::string> command_names() {
  std::vector<std::string> out;
  for (const auto& command : command_table()) out.push_back(command.name);
  return out;
}

std::vector<std::string> option_names(const std::vector<OptionRow>& options) {
  std::vector<std::string> out;
  for (const auto& option : options) {
    out.insert(out.end(), option.names.begin(), option.names.end());
  }
  out.emplace_back("--help");
  return out;
}

// Its argument is a file.
bool takes_file(const CommandRow& command) {
  return command.name == "provision" || command.name == "replay";
}

bool is_file(const OptionRow& option) {
  return option.kind == ValueKind::file ||
         std::ranges::find(option.names, "--file") != option.names.end();
}

// In single quotes of a POSIX shell.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// ---- bash --------------------------------------------------------------------------------------

// One arm of `case "$command:$previous"`: what may follow an option that takes a value.
std::string bash_values(const std::string& command, const std::vector<OptionRow>& options) {
  std::string out;
  for (const auto& option : options) {
    if (option.kind == ValueKind::flag) continue;
    std::vector<std::string> patterns;
    for (const auto& name : option.names) patterns.push_back(command + ":" + name);
    std::string reply = ":";  // any text: nothing to offer
    if (is_file(option)) reply = "COMPREPLY=($(compgen -f -- \"$word\"))";
    if (option.kind == ValueKind::word) {
      reply = format_text("COMPREPLY=($(compgen -W {} -- \"$word\"))",
                          quoted(joined(option.words, " ")));
    }
    out += format_text("    {}) {}; return ;;\n", joined(patterns, "|"), reply);
  }
  return out;
}

std::string bash_words(const CommandRow& command) {
  auto words = option_names(command.options);
  for (const auto& argument : command.arguments) {
    words.insert(words.end(), argument.words.begin(), argument.words.end());
  }
  return format_text("    {}) words={} ;;\n", command.name, quoted(joined(words, " ")));
}

// Global options that are followed by a value: what comes behind them is no command.
std::string global_value_names() {
  std::vector<std::string> names;
  for (const auto& option : global_options()) {
    if (option.kind == ValueKind::flag) continue;
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return joined(names, "|");
}

std::string bash_script() {
  std::string values = bash_values("", global_options());
  std::string words;
  for (const auto& command : command_table()) {
    values += bash_values(command.name, command.options);
    words += bash_words(command);
  }
  return format_text(
      R"(# SPDX-License-Identifier: Apache-2.0
# Completion of tanistctl for bash; printed by `tanistctl completion bash`.
_tanistctl() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
  local command= words= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in
      {}) ((i++)) ;;
      -*) ;;
      *) command=${{COMP_WORDS[i]}}; break ;;
    esac
  done
  case $command:$previous in
{}  esac
  case $command in
    '') words={} ;;
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  case $command in
    provision|replay) COMPREPLY+=($(compgen -f -- "$word")) ;;
  esac
}}
complete -F _tanistctl tanistctl patronictl
)",
      global_value_names(), values,
      quoted(joined(command_names(), " ") + " " + joined(option_names(global_options()), " ")),
      words);
}

// ---- zsh ---------------------------------------------------------------------------------------

// Text inside [...] of a specification.
std::string zsh_help(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_value(const OptionRow& option) {
  if (is_file(option)) return ":file:_files";
  switch (option.kind) {
    case ValueKind::flag: return "";
    case ValueKind::file: return ":file:_files";
    case ValueKind::word: return format_text(":word:({})", joined(option.words, " "));
    default: return ":value: ";
  }
}

std::string zsh_options(const std::vector<OptionRow>& options, std::string_view indent) {
  std::string out;
  auto rows = options;
  rows.push_back(help_option());
  for (const auto& option : rows) {
    const bool repeats = option.kind == ValueKind::texts;
    for (const auto& name : option.names) {
      const auto specification = format_text("{}{}[{}]{}", repeats ? "*" : "", name,
                                             zsh_help(option.help), zsh_value(option));
      out += format_text("{}{} \\\n", indent, quoted(specification));
    }
  }
  return out;
}

std::string zsh_arguments(const CommandRow& command) {
  std::vector<std::string> words;
  for (const auto& argument : command.arguments) {
    words.insert(words.end(), argument.words.begin(), argument.words.end());
  }
  if (!words.empty()) return quoted(format_text("*:word:({})", joined(words, " ")));
  if (takes_file(command)) return quoted("*:file:_files");
  return quoted("*:name: ");
}

std::string zsh_script() {
  std::string commands;
  std::string cases;
  for (const auto& command : command_table()) {
    commands += format_text("        {}\n", quoted(command.name + ":" + zsh_help(command.purpose)));
    cases +=
        format_text("        {})\n          _arguments \\\n{}            {} ;;\n", command.name,
                    zsh_options(command.options, "            "), zsh_arguments(command));
  }
  return format_text(R"(#compdef tanistctl patronictl
# SPDX-License-Identifier: Apache-2.0
# Completion of tanistctl for zsh; printed by `tanistctl completion zsh`.
_tanistctl() {{
  local context state line
  typeset -A opt_args
  _arguments -C \
{}    '1:command:->command' '*::argument:->argument'
  case $state in
    command)
      local -a commands=(
{}      )
      _describe command commands ;;
    argument)
      case $words[1] in
{}      esac ;;
  esac
}}
if [[ $funcstack[1] == _tanistctl ]]; then
  _tanistctl "$@"  # loaded from $fpath, by the first completion
else
  compdef _tanistctl tanistctl patronictl
fi
)",
                     zsh_options(global_options(), "    "), commands, cases);
}

// ---- fish --------------------------------------------------------------------------------------

// In single quotes of fish, which knows \' and \\ there.
std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string fish_option(const std::string& condition, const OptionRow& option) {
  auto out = format_text("complete -c $program -n {}", fish_quoted(condition));
  for (const auto& name : option.names) {
    out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  }
  if (is_file(option)) out += " -r -F";
  if (option.kind == ValueKind::word) {
    out += format_text(" -x -a {}", fish_quoted(joined(option.words, " ")));
  }
  const bool is_plain =
      option.kind == ValueKind::flag || is_file(option) || option.kind == ValueKind::word;
  if (!is_plain) out += " -x";
  return format_text("  {} -d {}\n", out, fish_quoted(option.help));
}

std::string fish_command(const CommandRow& command) {
  const auto seen = "__fish_seen_subcommand_from " + command.name;
  auto out = format_text("  complete -c $program -n __tanistctl_wants_command -a {} -d {}\n",
                         command.name, fish_quoted(command.purpose));
  for (const auto& option : command.options) out += fish_option(seen, option);
  for (const auto& argument : command.arguments) {
    if (argument.words.empty()) continue;
    out += format_text("  complete -c $program -n {} -a {}\n", fish_quoted(seen),
                       fish_quoted(joined(argument.words, " ")));
  }
  if (takes_file(command)) {
    out += format_text("  complete -c $program -n {} -F\n", fish_quoted(seen));
  }
  return out;
}

// What follows a global option with a value is no command, unlike for __fish_use_subcommand.
std::string fish_script() {
  std::vector<std::string> value_names;
  for (const auto& option : global_options()) {
    if (option.kind == ValueKind::flag) continue;
    value_names.insert(value_names.end(), option.names.begin(), option.names.end());
  }
  auto out = format_text(R"(# SPDX-License-Identifier: Apache-2.0
# Completion of tanistctl for fish; printed by `tanistctl completion fish`.
function __tanistctl_wants_command
  set -l words (commandline -opc)
  set -e words[1]
  while set -q words[1]
    switch $words[1]
      case {}
        set -e words[1]
      case '-*'
      case '*'
        return 1
    end
    set -e words[1]
  end
end
for program in tanistctl patronictl
  complete -c $program -f
  complete -c $program -l help -d 'show help'
)",
                         joined(value_names, " "));
  for (const auto& option : global_options()) {
    out += fish_option("__tanistctl_wants_command", option);
  }
  for (const auto& command : command_table()) out += fish_command(command);
  return out + "end\n";
}

}  // namespace

std::string completion_script(Shell shell) {
  switch (shell) {
    case Shell::bash: return bash_script();
    case Shell::zsh: return zsh_script();
    case Shell::fish: return fish_script();
  }
  return {};
}

}  // namespace tanist::ctl

// SPDX-License-Identifier: Apache-2.0
// The reference of all options in Markdown. Pure; any thread.
#include "config/reference.h"

#include <string_view>

#include "base/format.h"
#include "config/parameters.h"
#include "config/schema.h"

namespace tanist::config {

namespace {

constexpr std::string_view introduction =
    R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Printed from the table of options (src/config/schema_table.cpp); do not edit. To print it anew:
     TANIST_REWRITE=1 build/dev/src/config_test --gtest_filter='ReferencePage.*' -->
# Configuration reference

tanist reads the files, the environment variables and the dynamic configuration of Patroni 4.1.

* **Local** options stand in the YAML file (or the folder of `*.yml` and `*.yaml` files, merged in
  the order of their names) and in environment variables, which are laid over the file.
* **Dynamic** options stand in the store and count for all members; `tanistctl edit-config` changes
  them. The first content is `bootstrap.dcs` of the member that makes the cluster.
* Options that may stand in **both** count as the local file says; `postgresql.parameters` are
  merged name by name.

*When* a changed value takes effect: **reload** - on SIGHUP or `POST /reload`; **agent** - when the
agent is started; **server** - when PostgreSQL is restarted; **bootstrap** - only while a new
cluster is made. A size or time may carry a unit: `B kB MB GB TB`, `us ms s min h d`.
)";

std::string_view kind_text(Kind kind) {
  switch (kind) {
    case Kind::text: return "text";
    case Kind::integer: return "integer";
    case Kind::quantity: return "integer, unit";
    case Kind::boolean: return "boolean";
    case Kind::texts: return "list";
    case Kind::texts_or_string: return "list or text";
    case Kind::program_options: return "list or map";
    case Kind::map: return "map";
    case Kind::any: return "any";
  }
  return "any";
}

std::string_view scope_text(Scope scope) {
  switch (scope) {
    case Scope::local: return "local";
    case Scope::dynamic: return "dynamic";
    case Scope::both: return "both";
    case Scope::bootstrap: return "local";
  }
  return "local";
}

std::string_view applies_text(Applies applies) {
  switch (applies) {
    case Applies::reload: return "reload";
    case Applies::agent_start: return "agent";
    case Applies::server_restart: return "server";
    case Applies::bootstrap: return "bootstrap";
  }
  return "reload";
}

// "|" would end a cell.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) {
  return text.empty() ? std::string() : format_text("`{}`", cell(text));
}

std::string range_text(const Option& option) {
  if (!option.choices.empty()) return format_text(" One of: {}.", option.choices);
  if (option.min != no_bound && option.max != no_bound) {
    return format_text(" {} to {}.", option.min, option.max);
  }
  return option.min != no_bound ? format_text(" At least {}.", option.min) : "";
}

std::string remarks(const Option& option) {
  std::string text;
  if (option.required) text += " **Required.**";
  if (option.ours) text += " tanist's own option.";
  if (option.legacy) text += " (legacy)";
  return text;
}

std::string_view chapter_of(const Option& option) {
  if (option.scope == Scope::dynamic) return "Dynamic configuration only";
  const auto section = std::string_view(option.path).substr(0, option.path.find('.'));
  return section == option.path && section != "tags" ? "Top level" : section;
}

std::string row(const Option& option) {
  return format_text("| {} | {} | {} | {} | {} | {} | {}{}{} |\n", code(option.path),
                     kind_text(option.kind), code(option.fallback), scope_text(option.scope),
                     applies_text(option.applies), code(option.env), cell(option.help),
                     range_text(option), remarks(option));
}

std::string controlled_chapter() {
  std::string text =
      "\n## Controlled parameters\n\n"
      "Only the dynamic configuration sets these server parameters, for all members alike: local "
      "values are\nignored, and one that is not accepted becomes the default with a warning.\n\n"
      "| Parameter | Default | Accepted | Server |\n|---|---|---|---|\n";
  for (const auto& one : controlled_parameters()) {
    text += format_text("| `{}` | {} | {} | {} |\n", one.name, code(one.fallback), one.accepted,
                        one.since);
  }
  return text;
}

std::string foreign_chapter() {
  std::string text =
      "\n## Sections that are not supported\n\n"
      "A file with one of these sections is refused with a sentence that names it, unless `etcd3` "
      "comes first in\nthe alphabet: Patroni uses the first store, and a member with another store "
      "would be in another cluster.\n\n| Section | What |\n|---|---|\n";
  for (const auto& section : foreign_sections()) {
    text += format_text("| `{}` | {} |\n", section.name, section.what);
  }
  return text;
}

}  // namespace

std::string reference_page() {
  std::string text(introduction);
  std::string_view chapter;
  for (const auto& option : options()) {
    if (chapter_of(option) != chapter) {
      chapter = chapter_of(option);
      text += format_text("\n## {}\n\n", chapter);
      text += "| Option | Type | Default | Where | When | Environment | Meaning |\n";
      text += "|---|---|---|---|---|---|---|\n";
    }
    text += row(option);
  }
  return text + controlled_chapter() + foreign_chapter();
}

}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
// The tool's commands, options and arguments as rows (contract ctl 1 and 4). The reading of the
// command line, --help, completion in shells, the manual page and docs/reference/tanistctl.md all
// derive from them. To add an option, add its row here and its use in arguments.cpp. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tanist::ctl {

enum class ValueKind {
  flag,     // no value
  text,     // any text; the last one counts
  texts,    // may be given again and again, each with one text
  integer,  // checked to be one
  real,     // the same
  word,     // one of `words`
  file,     // a path
};

struct OptionRow {
  std::vector<std::string> names;  // in the order of usage errors: "--format", "-f"
  ValueKind kind = ValueKind::flag;
  std::string help;
  std::vector<std::string> words;  // of `word`

  // By which its value is found: the first long name, or the only one.
  const std::string& key() const;
};

struct ArgumentRow {
  std::string title;  // "CLUSTER_NAME"
  std::string help;
  bool is_required = false;
  bool is_many = false;            // any number of them; at most one such row a command
  std::vector<std::string> words;  // not empty: it must be one of them
};

struct CommandRow {
  std::string name;
  std::string purpose;  // a sentence without a full stop
  std::vector<ArgumentRow> arguments;
  std::vector<OptionRow> options;  // without --help, which all have
  std::string details;             // sentences; may be empty
  std::vector<std::string> examples;
};

const std::vector<OptionRow>& global_options();  // before the command
// In alphabetical order.
const std::vector<CommandRow>& command_table();
// Null for a name that is none.
const CommandRow* find_command(std::string_view name);

// "--set KEY" as the value is called in help: TEXT, FILE, INTEGER, FLOAT or the words; empty for a
// flag.
std::string value_title(const OptionRow& option);
// "[CLUSTER_NAMES]...", "{restart|switchover}"
std::string argument_title(const ArgumentRow& argument);
// "tanistctl list [OPTIONS] [CLUSTER_NAMES]..."; null for the program itself.
std::string usage_of(std::string_view program, const CommandRow* command);

// What every command has.
const OptionRow& help_option();

// The tool as a whole, for help, manual and reference.
std::string_view tool_purpose();
std::string_view tool_details();
const std::vector<std::string>& tool_examples();

}  // namespace tanist::ctl

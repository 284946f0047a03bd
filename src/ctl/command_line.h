// SPDX-License-Identifier: Apache-2.0
// Words of the command line sorted into options and arguments by the rows of the command table,
// with the usage errors that scripts and people know from patronictl (contract ctl 1.2). Pure; any
// thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ctl/command_table.h"

namespace tanist::ctl {

// Values by the key of the option ("--format") or the title of the argument. A flag that was
// given has one empty value.
class Given {
 public:
  bool has(const std::string& name) const { return values_.contains(name); }
  // The last value; nothing when it was not given.
  std::optional<std::string> text(const std::string& name) const;
  std::string text_or(const std::string& name, const std::string& fallback) const;
  std::vector<std::string> all(const std::string& name) const;

  void add(const std::string& name, std::string value) {
    values_[name].push_back(std::move(value));
  }

 private:
  std::map<std::string, std::vector<std::string>> values_;
};

struct CommandLine {
  Given global;
  const CommandRow* command = nullptr;  // null = none was named
  Given given;
  bool wants_help = false;  // then nothing that is missing is an error
};

// Errc::invalid with all lines of a usage error, "Error: ..." being the last.
Result<CommandLine> read_command_line(const std::vector<std::string>& words,
                                      std::string_view program);

// The three lines of a usage error.
std::string usage_error(std::string_view program, const CommandRow* command, std::string_view text);

// "'--role' / '-r'"
std::string quoted_names(const OptionRow& option);

}  // namespace tanist::ctl

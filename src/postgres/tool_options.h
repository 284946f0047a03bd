// SPDX-License-Identifier: Apache-2.0
// Options that users give for initdb, pg_basebackup and pg_rewind, and for their own commands
// (contract postgres 2 and config 12.5). Every shape is filtered alike (trap 133). Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tree.h"

namespace tanist::postgres {

enum class Tool { initdb, basebackup, rewind };

struct ToolOptions {
  std::vector<std::string> arguments;  // --name or --name=value
  std::vector<std::string> errors;     // what was left out and why; initdb must not run then
};

// `options`: list or map as configured; null = none. `major_version` decides on `compress`.
ToolOptions tool_options(Tool tool, const Tree& options, std::int64_t major_version);

// A command line split as a shell would: quotes and backslashes, no expansion. Errc::invalid when a
// quote stays open.
Result<std::vector<std::string>> split_command(std::string_view command);

// "--key=value" for each pair of a custom method's section but those in `reserved`; values in
// Python's text form (True, None).
std::vector<std::string> method_arguments(const Tree& section,
                                          const std::vector<std::string_view>& reserved);

// Does the section have `key` with a value that counts as true?
bool switched_on(const Tree& section, std::string_view key);

}  // namespace tanist::postgres

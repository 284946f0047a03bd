// SPDX-License-Identifier: Apache-2.0
// What --help prints, from the command table. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "ctl/command_table.h"

namespace tanist::ctl {

// Of the program when `command` is null.
std::string help_text(std::string_view program, const CommandRow* command);

// The text in lines of at most `width` columns, each behind `indent` blanks; line breaks are kept.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace tanist::ctl

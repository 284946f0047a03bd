// SPDX-License-Identifier: Apache-2.0
// What the tool says and asks: results and prompts on standard output, warnings on standard error
// (contract ctl 1.2 and 1.3). One thread.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace tanist::ctl {

// As it is; nothing is added. Flushed, so that other programs may write after it.
void print(std::string_view text);
// With a line break.
void print_line(std::string_view text);

// A diagnostic: "<time> - WARNING - <message>", unless only graver ones are wanted.
void warn(std::string_view message);
// DEBUG to CRITICAL, in any case; anything else is ignored. The last one counts.
void choose_log_level(std::string_view name);

// "<text> [<default>]: "; an empty answer is the default. Errc::cancelled at the end of input.
Result<std::string> ask_value(std::string_view text, const std::string& fallback);
// "<text>: ", again and again until the answer is not empty.
Result<std::string> ask_for(std::string_view text);
// The same, the answer not shown while it is typed; it may be empty.
Result<std::string> ask_secret(std::string_view text);
// "<text> [y/N]: "; asks again until the answer is yes or no; empty is no.
Result<bool> confirm(std::string_view text);

// confirm(), but no is an error with the message `otherwise`.
Result<void> demand_consent(std::string_view text, std::string_view otherwise);

bool output_is_terminal();

// From now on Ctrl-C prints `Aborted!` and ends the process with code 1.
void abort_on_interrupt();

}  // namespace tanist::ctl

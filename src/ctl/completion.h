// SPDX-License-Identifier: Apache-2.0
// Scripts that complete commands, options and words in a shell, printed from the command table.
// Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tanist::ctl {

enum class Shell { bash, zsh, fish };

// They serve both `tanistctl` and a link named `patronictl`.
std::string completion_script(Shell shell);

}  // namespace tanist::ctl

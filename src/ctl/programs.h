// SPDX-License-Identifier: Apache-2.0
// The operator's own programs: editor and pager. Both take the terminal and block.
#pragma once

#include <string>

#include "base/result.h"

namespace tanist::ctl {

// $EDITOR, else `editor`, else `vi`, on the file. Errors in the contract's words (ctl 4.12).
Result<void> edit_file(const std::string& path);

// $PAGER, else `less`, else `more`.
Result<void> show_in_pager(const std::string& text);

}  // namespace tanist::ctl

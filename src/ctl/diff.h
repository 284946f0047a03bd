// SPDX-License-Identifier: Apache-2.0
// What changed between two texts, as a unified diff (contract ctl 4.12). Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tanist::ctl {

// Three lines of context, header lines without names. Empty when the texts are equal.
std::string unified_diff(std::string_view before, std::string_view after);

// The same with terminal colours: red is removed, green is added.
std::string coloured_diff(std::string_view diff);

}  // namespace tanist::ctl

// SPDX-License-Identifier: Apache-2.0
// The dialogue by which verbs choose the members that they act on (contract ctl 1.4): the table is
// shown, names are resolved, consent is asked. Prints and asks on the terminal.
#pragma once

#include <string_view>

#include "ctl/selection.h"
#include "rest/client.h"

namespace tanist::ctl {

// Prints the member table; of the role, those that are named, or all. Errors in the contract's
// words.
Result<Selection> choose_members(const Reading& cluster, MemberRole role,
                                 const std::vector<std::string>& names);

// "Are you sure you want to <action> members a1, a2?", not asked under `force`.
Result<void> agree_on_members(const Selection& members, std::string_view action, bool force);

// "Failed: <action> for member <m>, status code=<c>, (<body>)"
std::string refusal_line(std::string_view action, const MemberView& member,
                         const rest::Answer& answer);

}  // namespace tanist::ctl

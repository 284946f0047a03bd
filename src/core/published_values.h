// SPDX-License-Identifier: Apache-2.0
// The values that a member writes into the store about itself, as Trees in the documented order
// (contract dcs 4.3 and 4.7). Pure; any thread.
#pragma once

#include "core/observation.h"

namespace tanist {

// Our version as other members compare it: plain, dotted, at least 4.1.0 (contract dcs 4.3).
inline constexpr std::string_view compatible_version = "4.1.4";

// `members/NAME`. State and role are those of `memory`.
Tree member_value(const Observation& obs, const Memory& memory);

// The same without positions: what a change of is worth an immediate write (safety 4).
Tree without_positions(Tree member);

// `status` of a leader: its position and its slots; null when the position is unknown.
Tree status_value(const Observation& obs);

// `status` as a leader leaves it when it gives the lock away: `optime` and the slots last known.
Tree released_status_value(const Observation& obs, Lsn optime);

// Tags as published now: the configured ones, overridden while leaving synchronous duty.
Tree tags_value(const Observation& obs, const Memory& memory);

}  // namespace tanist

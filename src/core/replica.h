// SPDX-License-Identifier: Apache-2.0
// A running server that does not lead: follow whoever does (contract ha 6.5). Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// The lock is held by somebody else.
Why follow_leader(Draft& draft);

// Keeps the server following the right upstream, whoever leads, and examines divergence where that
// is due. A Why when something beyond a reload is under way.
std::optional<Why> follow(Draft& draft);

// As of the last look the former leader gets nothing confirmed by this standby any more: its
// settings no longer name it, and no receiver runs that was started by older ones (quorum mode,
// safety 3.5).
bool has_left_former_leader(const Observation& obs);

// In pause, and in a standby cluster that it does not lead, a standby keeps the upstream that it
// has as long as no other is known (trap 97; contract ha 6.5, row 7): this goal would take it away.
bool keeps_upstream(const Observation& obs, const ServerGoal& goal);

}  // namespace tanist

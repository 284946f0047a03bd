// SPDX-License-Identifier: Apache-2.0
// The state of the rewind question (contract postgres 9.1) and what is done about it: examine,
// rewind, copy anew, or follow as it is. Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// pg_rewind is configured and this data can be rewound (checksums or wal_log_hints).
bool rewind_is_possible(const Observation& obs);

// Schedules an examination, where its result could be acted upon.
void need_divergence_check(Draft& draft);

// Acts on the state; a Why when something is under way or was begun, nothing when the node may
// simply follow. Requires: no long action; the cluster has a leader elsewhere.
std::optional<Why> settle_divergence(Draft& draft);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Whom a primary would replicate to synchronously (contract ha 16.1 and 17). Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/observation.h"
#include "core/quorum.h"

namespace tanist {

// The position that a synchronous commit waits for, by the server's synchronous_commit.
Lsn sync_position(const QueryFacts& query, const WalSender& sender);

// The members that stream from this primary and may be synchronous, the preferred first.
// Requires: the server answers.
std::vector<MemberName> sync_candidates(const Observation& obs);

// Who is to be synchronous now, in the mode that is asked for. Requires: the server answers.
SyncGoal sync_goal(const Observation& obs);

}  // namespace tanist

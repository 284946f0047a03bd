// SPDX-License-Identifier: Apache-2.0
// The `/failover` key: what the leader does about it, and what it means for a member when nobody
// leads (contract ha 13; safety 3.1). Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"
#include "core/leader_race.h"

namespace tanist {

// The leader's side, after a proven renewal (contract ha 13.3). A Why when something is done.
std::optional<Why> serve_request(Draft& draft);

// The same while the leader's server still starts (contract ha 10 row 5): true when a manual
// failover has somewhere to go, and this server must end for it. A switchover waits, because it
// must lose nothing (safety 3.1), and what is not recovered yet cannot be handed over.
bool serves_failover_while_starting(Draft& draft);

// Nobody leads: may this member take the lock, given the request (contract ha 13.5)? The cluster is
// unlocked and a request is present. A switchover's candidate must have received what the old
// leader published (safety 3.1).
Verdict judge_request(Draft& draft);

// Clears the key, compared with the revision seen.
void clear_request(Draft& draft);

// "switchover", "manual failover" or "failover", as log lines name it.
std::string request_name(const Observation& obs);

}  // namespace tanist

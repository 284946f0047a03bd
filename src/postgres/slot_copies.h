// SPDX-License-Identifier: Apache-2.0
// Copies of the leader's logical slots (contract postgres 10.4). Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

// Every slot that the leader has in the wanted form; fails when it has none of them, so that no
// server is restarted for nothing (trap 89).
os::Awaitable<ServerResult> fetch_slots(Job job, FetchSlots wanted);
os::Awaitable<ServerResult> install_slots(Job job);
os::Awaitable<ServerResult> observe_leader_slots(Job job, ObserveLeaderSlots wanted);

}  // namespace tanist::postgres

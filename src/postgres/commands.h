// SPDX-License-Identifier: Apache-2.0
// Actions that are little more than a command of the user or a call: hooks, callbacks, removal of
// data. Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

os::Awaitable<ServerResult> run_pre_promote(Job job);
os::Awaitable<ServerResult> run_callback(Job job, RunCallback wanted);

os::Awaitable<ServerResult> resume_replay(Job job);
os::Awaitable<ServerResult> wake_receiver(Job job);

// Both refuse while a server runs, and end leftover processes first (trap 103).
os::Awaitable<ServerResult> empty_data(Job job, EmptyData wanted);
os::Awaitable<ServerResult> set_aside(Job job);

// Removes the data directory; the way of both clone and EmptyData.
os::Awaitable<Result<void>> remove_all_data(Job job, std::string reason);

}  // namespace tanist::postgres

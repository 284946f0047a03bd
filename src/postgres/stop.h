// SPDX-License-Identifier: Apache-2.0
// Stopping the server (contract postgres 3.3), and ending it at once (safety 4, fence). Loop thread
// only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

os::Awaitable<ServerResult> stop_server(Job job, StopServer wanted);

// Begins at once, before anything is awaited: SIGQUIT to a known postmaster.
void quit_postmaster(const LocalServer& server);
// The rest: waits `kill_after`, then kills whatever is left. Ends when no process is left.
os::Awaitable<ServerResult> fence_server(Job job, FenceServer wanted);

// CHECKPOINT without a time limit.
os::Awaitable<ServerResult> checkpoint_server(Job job);

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Starting the server (contract postgres 3.2), and finding one that runs already (3.1). Loop thread
// only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

os::Awaitable<ServerResult> start_server(Job job, StartServer wanted);

// Remembers the postmaster that postmaster.pid names, if there is one and none is remembered.
// `foreign_pid`: a process that the file names and that is none; 0 = no such.
struct Search {
  bool found = false;
  std::int64_t foreign_pid = 0;
};
os::Awaitable<Search> look_for_postmaster(Job job);

// Ends what an earlier postmaster left behind (safety 2.5). Requires: no postmaster lives.
os::Awaitable<Result<void>> sweep(Job job);

// Starts the server's program by the launch prefix. It is nobody's postmaster yet. `foreign_pid`:
// as of Search.
os::Awaitable<Result<os::ProcessPtr>> spawn_server(Job job, std::vector<std::string> arguments,
                                                   std::int64_t foreign_pid);

// Before the first connection of a fresh start, and after: backups of the configuration, due once.
os::Awaitable<void> save_backups_if_due(Job job);

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Crash recovery in single-user mode, so that pg_rewind finds a cleanly stopped server (contract
// postgres 9.3).
#pragma once

#include <string_view>

#include "postgres/local_server.h"

namespace tanist::postgres {

// The server's arguments, by postmaster.opts as its last start wrote it; empty = there is none.
// Pure.
std::vector<std::string> single_user_arguments(std::string_view options_file, const Paths& paths);

// Refuses while a server runs, and where a backup or pg_rewind left its traces: there is nothing to
// recover then (traps 42, 54). While it runs the server counts as single-user. Loop thread only.
os::Awaitable<ServerResult> recover_data(Job job);

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Positions in the WAL of a server that does not run, found with pg_waldump (contract postgres 5.2,
// 5.3; safety 3.3), and the lines of a history file. Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

// Shutdown checkpoint and a segment switch directly before it. Fails unless pg_control says exactly
// `shut down`; when pg_waldump fails the switch is unknown and both are the checkpoint.
os::Awaitable<ServerResult> locate_shutdown(Job job);

// The end of valid WAL. Fails when it cannot be told exactly, or only too low.
os::Awaitable<ServerResult> locate_wal_end(Job job);

// The end of the checkpoint record that `control` names; 0 = unknown.
os::Awaitable<Lsn> end_of_checkpoint(Job job, ControlData control);

os::Awaitable<ServerResult> read_history(Job job, ReadHistory wanted);

}  // namespace tanist::postgres

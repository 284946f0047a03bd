// SPDX-License-Identifier: Apache-2.0
// pg_rewind (contract postgres 9.4). Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

// Brings the data of a stopped server to the history of `source`, which is asked first whether it
// is a primary whose pg_control knows its timeline. Success leaves a standby's data with this
// node's own configuration files. A failure after pg_rewind began to copy leaves the marker of
// data_directory.h: such data is never started or rewound again. Refuses while a server runs.
os::Awaitable<ServerResult> rewind_data(Job job, RewindData wanted);

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Copying the data directory from elsewhere (contract postgres 8). Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

// "18%" of a line of pg_basebackup --progress; absent for other lines. Pure.
std::optional<int> copied_percent(std::string_view line);

// Tries the methods in order until one succeeds; then the data directory is that of a standby. When
// none does, or when it is cancelled, what was copied is removed again (trap 107), unless the
// method keeps data. Refuses while a server runs.
os::Awaitable<ServerResult> clone_data(Job job, CloneData wanted);

}  // namespace tanist::postgres

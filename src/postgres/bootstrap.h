// SPDX-License-Identifier: Apache-2.0
// Making the data of a new cluster (contract postgres 7.1, 7.2). Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

os::Awaitable<ServerResult> initialize_data(Job job);

// What follows every way of making data: configuration files from their backups, and no trigger
// file that would promote at once. Blocking.
Result<void> settle_new_data(const Paths& paths, const ServerSettings& settings);

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// One observation of the local server (contract postgres 3.1, 4, 5.1): one look at the files, one
// query, and what the flags ask for. Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

os::Awaitable<ServerResult> observe_server(Job job, ObserveServer wanted);

}  // namespace tanist::postgres

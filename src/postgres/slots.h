// SPDX-License-Identifier: Apache-2.0
// Performing changes of replication slots (contract postgres 10.3). Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

// In order; a change that fails is named in the result's error and skipped. A goal that is reached
// already counts as done.
os::Awaitable<ServerResult> change_slots(Job job, ChangeSlots wanted);

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// The lock holder of a standby cluster (contract ha 18): it follows the remote server, and a
// primary becomes a standby in good order. Pure; any thread.
#pragma once

#include "core/draft.h"

namespace tanist {

// Requires: the lock is held, the server runs, the cluster is a standby cluster.
Why lead_standby_cluster(Draft& draft);

}  // namespace tanist

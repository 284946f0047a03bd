// SPDX-License-Identifier: Apache-2.0
// Does this data belong to this cluster, and is this node alone with its name (contract ha 4 rows
// 5, 6, 12-15 and 23)? Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// Before anything else: no live member of our name may exist (contract dcs 4.3, trap 1). A Why
// while that is not settled.
std::optional<Why> check_namesake(Draft& draft);

// Unless `/initialize` is lasting, the transaction that takes the lock makes it so (safety 1.8): a
// reign never stands in a cluster whose identity ends with a lease.
void make_identity_last(const Observation& obs, TakeLock& take);

// Fills `/initialize` for a running server that meets a cluster without identity, unless the lock
// is being taken, which does it too.
void identify_adopted_data(Draft& draft);

// Fills or checks `/initialize` and restores a lost `/config`. A Why when nothing else may happen.
std::optional<Why> check_identity(Draft& draft);

}  // namespace tanist

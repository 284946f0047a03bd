// SPDX-License-Identifier: Apache-2.0
// This node holds the lock and its server runs (contract ha 6.1-6.4). Pure; any thread.
#pragma once

#include "core/draft.h"

namespace tanist {

Why lead(Draft& draft);

// This process took the lock that it holds, in a race; it did not find it held in its name.
bool won_this_lock(const Observation& obs);
// The first cycle of a reign, in which its beginning is said.
bool reign_begins(const Observation& obs);

// The lock was held when the last decision was made and is not any more, without our having given
// it away: said once. What to do about it is decided elsewhere.
std::optional<Why> notice_lost_lock(Draft& draft);

}  // namespace tanist

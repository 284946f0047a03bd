// SPDX-License-Identifier: Apache-2.0
// Rule 1.7 of the safety rules: a vanished lock is no evidence that the old server stopped. The
// lock may be taken at once, but promotion waits for evidence. Who did not see the last holder has
// to suspect every member that has a key. Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// True when promotion may go on. Else whatever brings evidence is ordered (the old lease is asked
// for, peers are asked) and a wake-up is set for the instant at which time itself is evidence.
bool promotion_is_safe(Draft& draft);

// Whoever may still write by a lock from before ours; nothing when there is evidence of nobody.
std::optional<MemberName> earlier_leader(const Draft& draft);

// The lock that was free when we took ours may still have its server: nothing proves the contrary.
// Asks nobody. A lock held in that state is not released but left to run out: whoever took it next
// would have our word only, which says nothing of that server.
bool earlier_leader_may_write(const Draft& draft);

}  // namespace tanist

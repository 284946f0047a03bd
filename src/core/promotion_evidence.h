// SPDX-License-Identifier: Apache-2.0
// Rule 1.7 of the safety rules: a vanished lock is no evidence that the old server stopped. The
// lock may be taken at once, but promotion waits for evidence. Pure; any thread.
#pragma once

#include "core/draft.h"

namespace tanist {

// True when promotion may go on. Else whatever brings evidence is ordered (the old lease is asked
// for, peers are asked) and a wake-up is set for the instant at which time itself is evidence.
bool promotion_is_safe(Draft& draft);

}  // namespace tanist

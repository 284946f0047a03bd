// SPDX-License-Identifier: Apache-2.0
// When a leader's write that failed is tried again. Refused ones are, as all are while consent
// stands for the lease, and each answer begins a step: without a rest they would be repeated at
// every one. Pure; any thread.
#pragma once

#include "core/draft.h"

namespace tanist {

// The last write of this task failed a moment ago: not yet. Asks to be woken when it is time.
bool rests_after_failure(Draft& draft, Task task);

}  // namespace tanist

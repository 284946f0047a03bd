// SPDX-License-Identifier: Apache-2.0
// What ends a long action from outside (contract ha 4.1): the lock that it needs is lost, or a
// crash recovery takes longer than its operator wants to wait. Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// Nothing when the job of `draft.next`, if any, may go on.
std::optional<Why> limit_job(Draft& draft);

}  // namespace tanist

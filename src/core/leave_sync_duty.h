// SPDX-License-Identifier: Apache-2.0
// A synchronous standby that is about to stop asks to be released first, so that commits do not
// wait for it (contract ha 16.6). Pure; any thread.
#pragma once

#include "core/draft.h"
#include "core/job_steps.h"

namespace tanist {

// The step: publishes `nosync` and waits until the leader has taken this node out of `/sync`, two
// loop_waits at most. Done at once where there is no such duty or no store. Never fails.
StepState leave_sync_duty(Draft& draft);

}  // namespace tanist

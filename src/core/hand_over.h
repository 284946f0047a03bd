// SPDX-License-Identifier: Apache-2.0
// Stopping the primary and giving the lock to somebody who has everything (safety 2.6, 3.1, 3.2;
// contract ha 12 and 23). One step of a switchover and of the agent's own end. Pure; any thread.
#pragma once

#include "core/job_steps.h"

namespace tanist {

// The stop runs in the server lane; meanwhile pg_control is watched. Done: the lock was released
// (or was not ours). Failed: nobody has the shutdown checkpoint, or the stop itself failed; the
// lock is still ours.
StepState hand_over(Draft& draft);

// While a stop in good order is under way: when no client can commit any more, the shutdown
// checkpoint may take its time (safety 2.6).
void disarm_at_safe_point(Draft& draft);

}  // namespace tanist

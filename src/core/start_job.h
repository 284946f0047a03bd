// SPDX-License-Identifier: Apache-2.0
// Beginning of long actions: which, with what, and the status line that announces it.
// Requires in each: no long action is under way. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "core/draft.h"

namespace tanist {

// Server actions end by themselves or are cancelled; they have no instant of giving up.
inline constexpr Instant no_limit = Instant::max();

// Puts the job into the memory to come and orders its first step.
void begin(Draft& draft, Job job);

Job make_job(JobKind kind, std::string label);

// Switchover or manual failover: this leader gives its place to `candidate` (empty = any).
Why begin_handing_over(Draft& draft, const MemberName& candidate);
// A standby that holds the lock becomes primary. `after_race`: the lock was just won.
Why begin_promotion(Draft& draft, bool after_race);
// A stopped server starts as a standby of whoever leads.
void begin_standby(Draft& draft, std::string label);
// A running standby must restart to follow its upstream.
void begin_upstream_change(Draft& draft);

}  // namespace tanist

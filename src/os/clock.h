// SPDX-License-Identifier: Apache-2.0
// The only place that asks the time. Everybody else gets it as an argument. Any thread.
#pragma once

#include "base/time.h"

namespace tanist::os {

// CLOCK_BOOTTIME: counts suspended time, never steps.
Instant now();
// CLOCK_REALTIME, for people and schedules.
WallTime wall_now();
// CLOCK_MONOTONIC since its start: only for systemd, which asks for this clock.
std::chrono::microseconds monotonic_now();
// Distance of the local time zone from UTC at `time`.
std::chrono::minutes zone_offset(WallTime time);
// False when the kernel says that nobody keeps the wall clock synchronised (adjtimex).
bool wall_clock_synchronised();

}  // namespace tanist::os

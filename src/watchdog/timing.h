// SPDX-License-Identifier: Apache-2.0
// How long a hardware watchdog may wait (contract ha 20, safety 2.8). Pure; any thread.
#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"
#include "core/settings.h"

namespace tanist::watchdog {

struct Timing {
  seconds ttl{30};
  seconds loop_wait{10};
  seconds safety_margin{5};  // -1 = half of the ttl

  friend bool operator==(const Timing&, const Timing&) = default;
};

// After so long without a renewal the device has to reset the machine: before the lease ends.
seconds timeout_for(const Timing& timing);

// Errc::refused, with the sentence for the operator, when a device with this timeout would reset a
// healthy machine: the time between two renewals and their reserve do not fit in.
Result<void> check_timing(WatchdogMode mode, const Timing& timing);

// The last moment at which the device may be told that a renewal was proven whose lease ends at
// `lease_end`: a word that comes later would have the device wait beyond the lease.
Instant last_moment(Instant lease_end, const Timing& timing);

}  // namespace tanist::watchdog

// SPDX-License-Identifier: Apache-2.0
// Arithmetic of the watchdog. Pure; any thread.
#include "watchdog/timing.h"

namespace tanist::watchdog {

namespace {

// What a required watchdog needs beyond loop_wait: the guard fires 2 s before the device.
constexpr seconds reserve{2};

}  // namespace

seconds timeout_for(const Timing& timing) {
  return timing.safety_margin == seconds(-1) ? timing.ttl / 2 : timing.ttl - timing.safety_margin;
}

Result<void> check_timing(WatchdogMode mode, const Timing& timing) {
  const auto timeout = timeout_for(timing);
  if (mode == WatchdogMode::required && timeout < timing.loop_wait + reserve) {
    return fail(
        Errc::refused,
        "watchdog: `required` needs ttl - safety_margin >= loop_wait + 2 s, but {} s - {} s "
        "< {} s + 2 s; raise ttl, or lower watchdog.safety_margin or loop_wait",
        timing.ttl.count(), (timing.ttl - timeout).count(), timing.loop_wait.count());
  }
  if (timeout < timing.loop_wait) {
    return fail(Errc::refused,
                "watchdog: not used, because leader TTL {} is less than 2x loop_wait {}: it would "
                "reset the machine between two renewals",
                timing.ttl.count(), timing.loop_wait.count());
  }
  return {};
}

Instant last_moment(Instant lease_end, const Timing& timing) {
  return lease_end - timeout_for(timing);
}

}  // namespace tanist::watchdog

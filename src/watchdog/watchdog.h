// SPDX-License-Identifier: Apache-2.0
// The watchdog of one node (contract ha 20, safety 2.8): started when a reign is proven, told of
// every further proof, stopped when nothing is left that could write. Each call tells what is true
// afterwards; what an operator has to know is logged. Calls may wait for the hardware and for each
// other: any thread but the loop's, which only asks for the descriptor when no call is under way.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "core/observation.h"
#include "core/settings.h"
#include "watchdog/device.h"
#include "watchdog/timing.h"

namespace tanist::watchdog {

class Watchdog {
 public:
  using Clock = Instant (*)();

  Watchdog(WatchdogSettings settings, Clock now, SystemCalls calls = SystemCalls::real());

  // May a reign begin here? Opens nothing. For the start, and when settings or timing changed.
  WatchdogFacts check(const Timing& timing);

  // A renewal was proven whose lease ends at `lease_end`. The first one opens the device and sets
  // its timeout. Comes this too late, the device is told nothing and goes on counting.
  WatchdogFacts renewed(const Timing& timing, Instant lease_end);

  // Nothing here can write any more, or the cluster is paused.
  WatchdogFacts stop();

  // Of the open device, for the guard; -1 = closed.
  int descriptor() const;

 private:
  bool activate(const Timing& timing);
  bool takes_timeout(const Timing& timing);
  void tell_device();
  void give_up(const Error& why);
  void close_device();

  mutable std::mutex mutex_;
  WatchdogSettings settings_;
  Clock now_;
  Device device_;
  WatchdogFacts facts_;
  seconds timeout_{0};            // of the open device
  std::optional<Timing> timing_;  // that it was set for
  int busy_ = 0;                  // times that somebody else had it open
};

}  // namespace tanist::watchdog

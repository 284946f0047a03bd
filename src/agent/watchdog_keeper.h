// SPDX-License-Identifier: Apache-2.0
// The loop's side of the hardware watchdog: hands its work to the disk pool (the device may make
// its caller wait), one piece at a time, tells the loop what is true afterwards, and lends the
// guard the open device (safety 2.8). It decides nothing: the guard's orders are the watchdog's,
// too. The loop's thread.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "core/cluster_settings.h"
#include "os/deadline.h"
#include "os/disk.h"
#include "watchdog/watchdog.h"

namespace tanist::agent {

class WatchdogKeeper : public std::enable_shared_from_this<WatchdogKeeper> {
 public:
  struct Hooks {
    std::function<void(int)> lend;  // to the guard; -1 takes it back
    std::function<void(WatchdogFacts)> changed;
  };

  WatchdogKeeper(os::Executor executor, os::DiskPool& disk, Hooks hooks);

  // Settings and timing in force from now on; other settings give up the device of the old ones.
  void use(WatchdogSettings settings, const Timing& timing);
  // A renewal was proven. The same lease end again tells the device nothing.
  void renewed(const Timing& timing, Instant lease_end);
  // Nothing here can write any more, or the cluster is paused.
  void stop();
  // The process ends; waits for the device. While a server is left, the device goes on counting.
  void leave(bool server_is_gone);

 private:
  using WatchdogPtr = std::shared_ptr<watchdog::Watchdog>;
  using Work = std::function<WatchdogFacts(watchdog::Watchdog&)>;

  enum class Kind { check, renewal, stop };
  struct Order {
    Kind kind;
    Work work;
  };

  watchdog::Timing timing_of(const Timing& timing) const;
  void order(Kind kind, Work work);
  static os::Awaitable<void> work_off(std::shared_ptr<WatchdogKeeper> self);
  void heed(const WatchdogFacts& facts);

  os::Executor executor_;
  os::DiskPool& disk_;
  Hooks hooks_;
  WatchdogSettings settings_;
  WatchdogPtr watchdog_;
  std::optional<watchdog::Timing> checked_;  // the timing that the device was last checked for
  std::deque<Order> orders_;  // a newer one replaces the last when that is of the same kind
  bool at_work_ = false;
  bool stuck_ = false;  // a call did not come back: the device is never touched again
  int lent_ = -1;
  std::optional<Instant> told_;  // lease end of the last order that was no stop
  WatchdogFacts facts_;
};

}  // namespace tanist::agent

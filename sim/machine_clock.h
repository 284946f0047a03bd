// SPDX-License-Identifier: Apache-2.0
// The clock of one machine: begins anywhere and drifts, and may stand still. The world's time to
// the machine's and back. A value.
#pragma once

#include <algorithm>

#include "base/time.h"
#include "sim/world.h"

namespace tanist::sim {

class MachineClock {
 public:
  MachineClock(const World& world, Duration offset, std::int64_t drift_ppm)
      : world_(&world), offset_(offset), drift_ppm_(drift_ppm) {}

  Instant now() const { return local(std::min(world_->now(), stands_since_)); }
  // A pause that this clock does not count.
  void stand_still() { stands_since_ = world_->now(); }
  void go_on() {
    offset_ -= world_->now() - stands_since_;
    stands_since_ = Instant::max();
  }
  bool stands() const { return stands_since_ != Instant::max(); }
  Instant local(Instant world) const {
    if (world == Instant::max()) return world;
    const auto since = world.time_since_epoch();
    return Instant(since + since / 1'000'000 * drift_ppm_ + offset_);
  }
  // Never before the moment at which local() shows `local`.
  Instant world(Instant local) const {
    if (local == Instant::max()) return local;
    const auto since = (local.time_since_epoch() - offset_).count();
    const auto whole = static_cast<__int128>(since) * 1'000'000 / (1'000'000 + drift_ppm_);
    return Instant(Duration(static_cast<std::int64_t>(whole) + 1000));
  }

 private:
  const World* world_;
  Duration offset_;
  std::int64_t drift_ppm_;
  Instant stands_since_ = Instant::max();
};

}  // namespace tanist::sim

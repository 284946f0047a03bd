// SPDX-License-Identifier: Apache-2.0
// The clock of one machine: begins anywhere and drifts. The world's time to the machine's and back.
// A value.
#pragma once

#include "base/time.h"
#include "sim/world.h"

namespace tanist::sim {

class MachineClock {
 public:
  MachineClock(const World& world, Duration offset, std::int64_t drift_ppm)
      : world_(&world), offset_(offset), drift_ppm_(drift_ppm) {}

  Instant now() const { return local(world_->now()); }
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
};

}  // namespace tanist::sim

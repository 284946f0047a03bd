// SPDX-License-Identifier: Apache-2.0
// Messages on links.
#include "sim/network.h"

namespace tanist::sim {

Network::Network(World& world, int hosts)
    : world_(world),
      chance_(world.chance().fork()),
      hosts_(hosts),
      base_(chance_.between(std::chrono::microseconds(50), milliseconds(2))),
      links_(static_cast<std::size_t>(hosts * hosts)) {}

Duration Network::delay(Host from, Host to) {
  if (from == to) return chance_.between(std::chrono::microseconds(10), base_ / 4);
  const auto extra = link(from, to).extra;
  const auto jitter = chance_.between(Duration(0), base_);
  return base_ + jitter + (extra > Duration(0) ? chance_.between(extra / 2, extra) : extra);
}

bool Network::loses(Host from, Host to) { return chance_.permille(link(from, to).loss_permille); }

}  // namespace tanist::sim

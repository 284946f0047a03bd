// SPDX-License-Identifier: Apache-2.0
// Where connections of hosts come from. Pure.
#include "provision/site.h"

#include <algorithm>

namespace tanist::provision {

std::vector<Network> networks_of(const std::vector<Host>& hosts) {
  std::vector<Network> networks;
  for (const auto& host : hosts) {
    const bool v4_loopback = host.address.is_loopback() && !host.address.is_v6();
    const auto network = v4_loopback ? std::string("127.0.0.0/8") : host.address.as_network();
    networks.push_back(*Network::parse(network));
  }
  return united(std::move(networks), {});
}

std::vector<Network> united(std::vector<Network> a, const std::vector<Network>& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::ranges::sort(a);
  const auto repeated = std::ranges::unique(a);
  a.erase(repeated.begin(), repeated.end());
  return a;
}

}  // namespace tanist::provision

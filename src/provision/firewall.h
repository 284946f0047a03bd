// SPDX-License-Identifier: Apache-2.0
// Who may reach which port of a host, and the same as a ufw script and as an nftables file. Pure.
#pragma once

#include <string>
#include <vector>

#include "provision/site.h"

namespace tanist::provision {

struct FirewallRule {
  std::string service;
  std::uint16_t port = 0;
  std::vector<Network> sources;  // never empty
};

// The open ports of a host besides ssh: the table of ports of the guide. Everything else that
// comes in is refused, HAProxy's statistics page included (it is looked at through ssh).
std::vector<FirewallRule> firewall_rules(const Topology& topology, const Host& host);

std::string ufw_script(const Site& site);

// A table of its own, so that loading it again replaces it and leaves other tables alone.
std::string nftables_file(const Site& site);

}  // namespace tanist::provision

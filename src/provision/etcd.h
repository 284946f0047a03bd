// SPDX-License-Identifier: Apache-2.0
// The configuration file of one etcd member, in the YAML form that etcd 3.4 and 3.5 read. Pure.
#pragma once

#include <string>

#include "provision/site.h"

namespace tanist::provision {

// Requires: the host has the role etcd. TLS with client certificates on both ports; heartbeat and
// election timeout follow the ttl (safety 1.6).
std::string etcd_config(const Site& site);

// "10.0.0.1:2379" of each member, for clients.
std::vector<std::string> etcd_endpoints(const Topology& topology);

}  // namespace tanist::provision

// SPDX-License-Identifier: Apache-2.0
// The systemd units of etcd and of the agent, for hosts of their own. Pure.
#pragma once

#include <string>

#include "provision/site.h"

namespace tanist::provision {

// Requires: the host has the role etcd. Replaces the distribution's unit of the same name.
std::string etcd_unit(const Site& site);

// Requires: the host has the role node. Follows safety 2.9: what systemd would kill, the guard
// kills at the deadline.
std::string agent_unit(const Site& site);

}  // namespace tanist::provision

// SPDX-License-Identifier: Apache-2.0
// What must hold between the parts of a topology whose keys are each well-formed. Pure.
#pragma once

#include "provision/findings.h"
#include "provision/topology.h"

namespace tanist::provision {

// Adds a finding for each broken rule: names, addresses and ports used twice, loopback addresses
// without `one_machine`, replication slot names that collide, an even number of etcd members,
// timing that the agent would refuse (safety 1.6, contract config 6.2).
void check(const Topology& topology, Findings& findings);

}  // namespace tanist::provision

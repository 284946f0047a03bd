// SPDX-License-Identifier: Apache-2.0
// The settings file of one agent (contract config 4), with a comment wherever a reader would ask
// why. Pure.
#pragma once

#include <string>
#include <vector>

#include "provision/site.h"

namespace tanist::provision {

// Requires: the host has the role node. Holds the marks of four passwords (secret_marks.h).
std::string agent_config(const Site& site);

// The lines of pg_hba.conf, in order: passwords as SCRAM over TLS only; the superuser and the
// agents' own roles get nowhere from the network but where they are needed.
std::vector<std::string> hba_lines(const Topology& topology);

}  // namespace tanist::provision

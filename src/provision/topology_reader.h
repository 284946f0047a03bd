// SPDX-License-Identifier: Apache-2.0
// The topology file: from a Tree to a Topology, with everything that is wrong said at once.
// Pure; any thread.
#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/tree.h"
#include "provision/findings.h"
#include "provision/topology.h"

namespace tanist::provision {

// `lines` and `file` are for messages. Errc::invalid with one line per finding:
// FILE:LINE: key: what is wrong; remedy. Checked: unknown keys (the nearest known one is named),
// types, ranges, addresses, and what topology_checks.h lists.
Result<Topology> topology_from(const Tree& tree, const std::map<std::string, int>& lines,
                               const std::string& file);

}  // namespace tanist::provision

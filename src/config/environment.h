// SPDX-License-Identifier: Apache-2.0
// PATRONI_ variables as a configuration tree (contract config 5). Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/tree.h"
#include "config/config.h"

namespace tanist::config {

struct EnvironmentTree {
  Tree tree;
  std::map<std::string, std::string> where;  // dotted path -> variable
  std::vector<std::string> warnings;         // unknown or unusable variables
};

// PATRONI_CONFIGURATION is not looked at.
EnvironmentTree tree_from(const Environment& environment);

}  // namespace tanist::config

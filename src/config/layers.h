// SPDX-License-Identifier: Apache-2.0
// Local and dynamic configuration laid over each other (contract config 2). Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/tree.h"
#include "config/config.h"

namespace tanist::config {

// What every part of the settings is made from.
struct Layers {
  const LocalConfig& origin;  // for locations
  Tree local;                 // legacy shapes brought up to date
  Tree dynamic;               // a map
  Tree postgresql;            // both laid together, except `parameters`
  std::vector<std::string>& warnings;

  const Tree* local_parameters() const { return local.find_path({"postgresql", "parameters"}); }
  const Tree* dynamic_parameters() const { return dynamic.find_path({"postgresql", "parameters"}); }
};

Layers lay_together(const LocalConfig& local, const Tree& dynamic,
                    std::vector<std::string>& warnings);

}  // namespace tanist::config

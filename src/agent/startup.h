// SPDX-License-Identifier: Apache-2.0
// What the agent needs before its loop begins: settings from file, environment and the cached
// dynamic document, and the hold on the data directory. Blocking; before any thread but the log's.
#pragma once

#include <memory>
#include <string>

#include "agent/data_hold.h"
#include "agent/settings_source.h"
#include "config/config.h"

namespace tanist::agent {

struct Startup {
  std::unique_ptr<SettingsSource> source;
  SettingsPtr settings;
  RoutingSettings routing;
  // The dynamic document until the store tells one: the cached one, else bootstrap.dcs; may be
  // null.
  Tree dynamic;
  DataHold hold;
};

// Configures the log, and refuses what can never work: root, a configuration without use
// (contract config 1.1), a data directory that another agent holds. Errors are one sentence for
// standard error; the process then ends with exit code 1.
Result<Startup> prepare_startup(const std::string& config_file, config::Environment environment);

}  // namespace tanist::agent

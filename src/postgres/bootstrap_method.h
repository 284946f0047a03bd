// SPDX-License-Identifier: Apache-2.0
// The custom method of a bootstrap: its command line and what it says of recovery (contract
// postgres 7.2). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/settings.h"
#include "postgres/recovery_settings.h"

namespace tanist::postgres {

// A method other than initdb that has a command; everything else means initdb.
bool has_custom_bootstrap(const ServerSettings& settings);

// The command with its arguments. Errc::invalid when the command cannot be split.
Result<std::vector<std::string>> custom_bootstrap_command(const ServerSettings& settings);

enum class RecoverySignal { none, recovery, standby };

struct BootstrapRecoveryPlan {
  Values settings;
  RecoverySignal signal = RecoverySignal::none;
  // Signal files and settings that the method made are left alone.
  bool kept_as_found = false;
  bool hot_standby_off = false;
};

// Nothing when the bootstrap is initdb's.
std::optional<BootstrapRecoveryPlan> bootstrap_recovery_of(const ServerSettings& settings,
                                                           std::int64_t major_version);

}  // namespace tanist::postgres

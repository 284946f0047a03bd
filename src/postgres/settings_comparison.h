// SPDX-License-Identifier: Apache-2.0
// Wanted parameters against those that a server runs with (contract postgres 6.5, config 9). Pure;
// any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/parameter_catalogue.h"
#include "postgres/recovery_settings.h"
#include "sql/connection.h"

namespace tanist::postgres {

struct RunningSetting {
  std::string value;
  std::string unit;
  ParameterType type = ParameterType::text;
  std::string context;      // postmaster, sighup, ...
  std::string source_file;  // empty = not from a file
};
using RunningSettings = std::map<std::string, RunningSetting>;  // by name in lower case

extern const std::string_view settings_query;
// Recovery settings and hot_standby are left out: they differ by design.
extern const std::string_view pending_restart_query;
extern const std::string_view recovery_settings_query;

RunningSettings read_settings(const sql::Rows& rows);

struct SettingChange {
  std::string name;
  std::string running;
  std::string wanted;
  bool needs_restart = false;
};

struct SettingsComparison {
  std::vector<SettingChange> changes;
  std::vector<std::string> unknown;  // the server does not have them
};

SettingsComparison compare_settings(const Values& wanted, const RunningSettings& running);

// "Changed NAME from 'A' to 'B' (restart might be required)".
std::string describe_change(const SettingChange& change);

// "128MB" for a value of this setting.
std::string in_human_units(const RunningSetting& setting, const std::string& value);

}  // namespace tanist::postgres

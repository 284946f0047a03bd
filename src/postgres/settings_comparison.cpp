// SPDX-License-Identifier: Apache-2.0
// Comparison by type and unit.
#include "postgres/settings_comparison.h"

#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "postgres/parameter_value.h"

namespace tanist::postgres {

const std::string_view settings_query =
    "SELECT name, setting, unit, vartype, context, sourcefile FROM pg_catalog.pg_settings";

const std::string_view pending_restart_query =
    "SELECT name, setting, unit, vartype, context, sourcefile FROM pg_catalog.pg_settings"
    " WHERE pending_restart AND name <> 'hot_standby' AND name !~ '^recovery_'"
    " AND name NOT IN ('primary_conninfo', 'primary_slot_name', 'restore_command',"
    " 'archive_cleanup_command', 'promote_trigger_file')";

const std::string_view recovery_settings_query =
    "SELECT name, setting, unit, vartype, context, sourcefile FROM pg_catalog.pg_settings"
    " WHERE name ~ '^recovery_(target|end_command|min_apply_delay)' OR name IN"
    " ('primary_conninfo', 'primary_slot_name', 'restore_command', 'archive_cleanup_command',"
    " 'promote_trigger_file')";

RunningSettings read_settings(const sql::Rows& rows) {
  RunningSettings settings;
  for (std::size_t i = 0; i < rows.rows.size(); ++i) {
    const auto text = [&](std::string_view column) { return rows.at(i, column).value_or(""); };
    settings[lower_case(text("name"))] = {text("setting"), text("unit"),
                                          parameter_type(text("vartype")), text("context"),
                                          text("sourcefile")};
  }
  return settings;
}

namespace {

// -1 means a share of shared_buffers, and pg_settings shows what came of it.
std::string computed_wal_buffers(const RunningSettings& running) {
  const auto buffers = running.find("shared_buffers");
  if (buffers == running.end()) return "-1";
  constexpr double share = 32;
  constexpr double blocks_min = 8;
  constexpr double blocks_max = 2048;  // one segment of 16 MB
  const auto blocks = parse_number(buffers->second.value, "", ParameterType::integer).value_or(0);
  return format_text("{:.0f}", std::clamp(std::floor(blocks / share), blocks_min, blocks_max));
}

}  // namespace

SettingsComparison compare_settings(const Values& wanted, const RunningSettings& running) {
  SettingsComparison result;
  for (const auto& [name, value] : wanted) {
    const auto lower = lower_case(name);
    const auto at = running.find(lower);
    if (at == running.end()) {
      // An extension that is not loaded yet has no settings.
      if (lower.find('.') == std::string::npos) result.unknown.push_back(name);
      continue;
    }
    const auto& [now, unit, type, context, file] = at->second;
    const bool computed = lower == "wal_buffers" && value == "-1";
    const auto target = computed ? computed_wal_buffers(running) : value;
    if (same_value(target, now, type, unit)) continue;
    result.changes.push_back({name, now, value, context == "postmaster"});
  }
  return result;
}

std::string describe_change(const SettingChange& change) {
  return format_text("Changed {} from '{}' to '{}'{}", change.name, change.running, change.wanted,
                     change.needs_restart ? " (restart might be required)" : "");
}

std::string in_human_units(const RunningSetting& setting, const std::string& value) {
  if (setting.type != ParameterType::integer && setting.type != ParameterType::real) return value;
  const auto number = parse_number(value, setting.unit, setting.type);
  return number ? with_unit(*number, setting.unit, setting.type) : value;
}

}  // namespace tanist::postgres

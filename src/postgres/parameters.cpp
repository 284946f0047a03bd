// SPDX-License-Identifier: Apache-2.0
// From settings to the server's parameters.
#include "postgres/parameters.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/format.h"
#include "postgres/parameter_check.h"
#include "postgres/parameter_value.h"
#include "postgres/paths.h"

namespace tanist::postgres {

namespace {

// Contract config 7: these beat ALTER SYSTEM, in this order.
constexpr std::array<std::string_view, 13> on_command_line{"listen_addresses",
                                                           "port",
                                                           "cluster_name",
                                                           "wal_level",
                                                           "hot_standby",
                                                           "max_connections",
                                                           "max_wal_senders",
                                                           "max_prepared_transactions",
                                                           "max_locks_per_transaction",
                                                           "track_commit_timestamp",
                                                           "max_replication_slots",
                                                           "max_worker_processes",
                                                           "wal_log_hints"};

// Owned by the cluster, hence not by a role.
bool is_protected(std::string_view lower_name) {
  return std::ranges::find(on_command_line, lower_name) != on_command_line.end() ||
         lower_name == "wal_keep_segments" || lower_name == "wal_keep_size";
}

// Where the server is would be said twice; the postmaster's own options say it.
bool belongs_to_postmaster_options(std::string_view lower_name) {
  return lower_name == "data_directory" || lower_name == "config_file";
}

void erase_name(Values& values, std::string_view lower_name) {
  std::erase_if(values, [&](const auto& entry) { return lower_case(entry.first) == lower_name; });
}

void set_name(Values& values, const std::string& lower_name, const std::string& value) {
  erase_name(values, lower_name);
  values[lower_name] = value;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string result;
  for (const auto& text : texts) result += (result.empty() ? "" : ",") + text;
  return result;
}

void set_if_missing(Values& values, const std::string& name, const std::string& value) {
  if (find_value(values, name) == nullptr) values[name] = value;
}

void add_identity(Values& values, const ServerSettings& settings) {
  set_if_missing(values, "listen_addresses", joined(settings.listen_hosts));
  set_if_missing(values, "port", std::to_string(settings.port));
  set_if_missing(values, "cluster_name", settings.scope);
  set_if_missing(values, "hot_standby", "on");
}

void add_role_values(EffectiveParameters& out, const ServerSettings& settings, Role role) {
  const auto section = settings.parameters_by_role.find(role_key(role));
  if (section == settings.parameters_by_role.end()) return;
  for (const auto& [name, value] : section->second) {
    if (is_protected(lower_case(name))) {
      out.warnings.push_back(format_text(
          "Role-based config attempted to override protected parameter '{}', ignoring", name));
    } else {
      erase_name(out.values, lower_case(name));
      out.values[name] = value;
    }
  }
}

// WAL retention has two names; the version's one is kept, converted if it must be.
void fit_wal_keep(Values& values, std::int64_t major_version) {
  constexpr std::int64_t segment_mb = 16;
  const bool by_size = major_version >= 13;
  const auto* size = find_value(values, "wal_keep_size");
  const auto* segments = find_value(values, "wal_keep_segments");
  const auto amount = [](const std::string* text, std::string_view unit) {
    return text == nullptr ? std::nullopt : parse_number(*text, unit, ParameterType::integer);
  };
  if (by_size && size == nullptr) {
    if (const auto count = amount(segments, "")) {
      set_name(values, "wal_keep_size", format_text("{:.0f}MB", *count * segment_mb));
    }
  } else if (!by_size && segments == nullptr) {
    if (const auto megabytes = amount(size, "MB")) {
      const auto count = std::max(1.0, *megabytes / segment_mb);
      set_name(values, "wal_keep_segments", number_text(count, ParameterType::integer));
    }
  }
  erase_name(values, by_size ? "wal_keep_segments" : "wal_keep_size");
}

void fit_to_version(Values& values, std::int64_t major_version) {
  const auto* wal_level = find_value(values, "wal_level");
  if (wal_level != nullptr && lower_case(*wal_level) == "hot_standby") {
    set_name(values, "wal_level", "replica");
  }
  fit_wal_keep(values, major_version);
}

void add_goal(Values& values, const ServerGoal& goal) {
  if (goal.synchronous_standby_names) {
    erase_name(values, "synchronous_standby_names");
    if (!goal.synchronous_standby_names->empty()) {
      values["synchronous_standby_names"] = *goal.synchronous_standby_names;
    }
  }
  if (goal.hot_standby_feedback) set_name(values, "hot_standby_feedback", "on");
}

void make_paths_absolute(Values& values, const ServerSettings& settings) {
  const Paths paths(settings);
  for (auto& [name, value] : values) {
    const auto lower = lower_case(name);
    if ((lower == "hba_file" || lower == "ident_file") && !value.empty()) {
      value = absolute_path(value, paths.config_folder);
    }
  }
}

void check_all(EffectiveParameters& out, const ParameterInput& input) {
  Values checked;
  for (const auto& [name, value] : out.values) {
    const auto lower = lower_case(name);
    if (is_recovery_setting(lower) || belongs_to_postmaster_options(lower)) continue;
    auto result = check_parameter(name, value, input.major_version);
    const bool described = input.described.contains(lower);
    if (result.verdict == Verdict::not_known && !described) {
      out.unknown.push_back(name);
      out.warnings.push_back(unexpected_parameter(name, value));
      continue;
    }
    if (!result.warning.empty()) out.warnings.push_back(result.warning);
    if (result.verdict != Verdict::invalid) checked[name] = result.value;
  }
  out.values = std::move(checked);
}

}  // namespace

std::string role_key(Role role) {
  switch (role) {
    case Role::primary:
    case Role::promoted: return "primary";
    case Role::standby_leader: return "standby_leader";
    case Role::replica:
    case Role::demoted:
    case Role::uninitialized: break;
  }
  return "replica";
}

const std::vector<std::string>& lines_for_role(const std::vector<std::string>& usual,
                                               const ByRole<std::vector<std::string>>& by_role,
                                               Role role) {
  const auto at = by_role.find(role_key(role));
  return at == by_role.end() ? usual : at->second;
}

const std::string* find_value(const Values& values, std::string_view lower_name) {
  for (const auto& [name, value] : values) {
    if (lower_case(name) == lower_name) return &value;
  }
  return nullptr;
}

EffectiveParameters effective_parameters(const ServerSettings& settings, const ServerGoal& goal,
                                         const ParameterInput& input) {
  EffectiveParameters out;
  out.values = settings.parameters;
  add_identity(out.values, settings);
  add_role_values(out, settings, goal.role);
  add_goal(out.values, goal);
  fit_to_version(out.values, input.major_version);
  make_paths_absolute(out.values, settings);
  if (input.custom_bootstrap) {
    set_name(out.values, "archive_mode", "off");
    set_name(out.values, "hba_file", Paths(settings).hba);
  }
  if (input.hot_standby_off) set_name(out.values, "hot_standby", "off");
  check_all(out, input);
  return out;
}

// ---- The command line ------------------------------------------------------------------------

namespace {

struct ControlledMaximum {
  std::string_view name;
  std::int64_t ControlData::* in_control;
};

constexpr std::array<ControlledMaximum, 5> controlled_maxima{
    {{"max_connections", &ControlData::max_connections},
     {"max_prepared_transactions", &ControlData::max_prepared_xacts},
     {"max_locks_per_transaction", &ControlData::max_locks_per_xact},
     {"max_worker_processes", &ControlData::max_worker_processes},
     {"max_wal_senders", &ControlData::max_wal_senders}}};

// pg_control's value when it is larger than the configured one.
std::optional<std::int64_t> larger_in_control(std::string_view name, const std::string& value,
                                              const ControlData& control) {
  const auto at = std::ranges::find(controlled_maxima, name, &ControlledMaximum::name);
  const auto configured = parse_number(value, "", ParameterType::integer);
  if (at == controlled_maxima.end() || !configured) return std::nullopt;
  const auto stored = control.*(at->in_control);
  if (static_cast<double>(stored) <= *configured) return std::nullopt;
  return stored;
}

}  // namespace

CommandLine command_line(const Values& values, const ControlData* control_of_standby) {
  CommandLine line;
  for (const auto name : on_command_line) {
    const auto* found = find_value(values, name);
    if (found == nullptr) continue;
    auto value = *found;
    if (control_of_standby != nullptr) {
      if (const auto larger = larger_in_control(name, value, *control_of_standby)) {
        line.kept_larger.push_back({std::string(name), std::to_string(*larger), value});
        value = std::to_string(*larger);
      }
    }
    line.arguments.push_back(format_text("--{}={}", name, value));
  }
  return line;
}

}  // namespace tanist::postgres

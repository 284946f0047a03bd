// SPDX-License-Identifier: Apache-2.0
// Recovery settings for a goal.
#include "postgres/recovery_settings.h"

#include <algorithm>
#include <array>

#include "postgres/parameter_value.h"

namespace tanist::postgres {

namespace {

constexpr std::int64_t promote_trigger_file_last_major = 15;

constexpr std::array<std::string_view, 10> other_recovery_settings{
    "primary_conninfo",        "primary_slot_name",    "restore_command",
    "archive_cleanup_command", "recovery_end_command", "recovery_min_apply_delay",
    "promote_trigger_file",    "trigger_file",         "standby_mode",
    "pause_at_recovery_target"};

// Guards against targets in files that the user includes.
constexpr std::array<std::string_view, 5> targets_emptied{
    "recovery_target", "recovery_target_name", "recovery_target_time", "recovery_target_xid",
    "recovery_target_lsn"};

void put_default(sql::Keywords& keywords, const std::string& keyword, const std::string& value) {
  keywords.emplace(keyword, value);
}

void override_with(Values& settings, const std::string& name, const std::string& value) {
  if (!value.empty()) settings[name] = value;
}

}  // namespace

bool is_recovery_setting(std::string_view lower_name) {
  return lower_name.starts_with("recovery_target") ||
         std::ranges::find(other_recovery_settings, lower_name) != other_recovery_settings.end();
}

sql::Keywords credential_keywords(const Credentials& credentials) {
  sql::Keywords keywords;
  for (const auto& [keyword, value] : credentials.options) keywords[keyword] = value;
  keywords["user"] = credentials.username;
  if (!credentials.sslpassword.empty()) {
    keywords["sslpassword"] = credentials.sslpassword.reveal();
  }
  return keywords;
}

std::string database_of(const ServerSettings& settings, const Upstream& upstream) {
  return upstream.database.empty() ? settings.database : upstream.database;
}

sql::Keywords primary_conninfo(const ServerSettings& settings, const Upstream& upstream,
                               std::int64_t major_version) {
  auto keywords = credential_keywords(settings.replication);
  keywords["host"] = upstream.host;
  keywords["port"] = upstream.port;
  keywords["dbname"] = database_of(settings, upstream);
  keywords["application_name"] = settings.name.value();
  if (!settings.replication.password.empty()) keywords["passfile"] = settings.pgpass;
  if (!settings.krbsrvname.empty()) keywords["krbsrvname"] = settings.krbsrvname;
  put_default(keywords, "sslmode", "prefer");
  put_default(keywords, "gssencmode", "prefer");
  put_default(keywords, "channel_binding", "prefer");
  put_default(keywords, "sslnegotiation", "postgres");
  const bool several = upstream.host.find(',') != std::string::npos;
  if (upstream.is_remote && several && upstream.slot && settings.use_slots) {
    keywords["target_session_attrs"] = "read-write";
  }
  sql::drop_newer_keywords(keywords, major_version);
  return keywords;
}

void fit_recovery_to_version(Values& settings, std::int64_t major_version) {
  const auto old = settings.find("trigger_file");
  if (old != settings.end()) {
    settings.emplace("promote_trigger_file", old->second);
    settings.erase(old);
  }
  settings.erase("standby_mode");
  settings.erase("pause_at_recovery_target");
  if (major_version > promote_trigger_file_last_major) settings.erase("promote_trigger_file");
}

Values configured_recovery(const ServerSettings& settings) {
  Values found;
  for (const auto& [name, value] : settings.parameters) {
    if (is_recovery_setting(lower_case(name))) found[lower_case(name)] = value;
  }
  if (!found.empty()) return found;
  for (const auto& [name, value] : settings.recovery_conf) found[lower_case(name)] = value;
  return found;
}

Values wanted_recovery(const ServerSettings& settings, const ServerGoal& goal,
                       std::int64_t major_version) {
  if (!goal.standby) return {};
  auto wanted = configured_recovery(settings);
  std::erase_if(wanted, [](const auto& entry) {
    return entry.first.starts_with("recovery_target") || entry.first == "primary_conninfo" ||
           entry.first == "primary_slot_name" || !is_recovery_setting(entry.first);
  });
  wanted["recovery_target_timeline"] = "latest";
  for (const auto name : targets_emptied) wanted[std::string(name)] = "";
  if (goal.upstream && !goal.upstream->host.empty()) {
    wanted["primary_conninfo"] =
        sql::format_conninfo(primary_conninfo(settings, *goal.upstream, major_version));
    if (settings.use_slots && goal.upstream->slot) {
      wanted["primary_slot_name"] = *goal.upstream->slot;
    }
  }
  if (goal.standby_cluster) {
    const auto& remote = *goal.standby_cluster;
    override_with(wanted, "restore_command", remote.restore_command);
    override_with(wanted, "archive_cleanup_command", remote.archive_cleanup_command);
    if (goal.upstream && goal.upstream->is_remote) {
      override_with(wanted, "recovery_min_apply_delay", remote.recovery_min_apply_delay);
    }
  }
  fit_recovery_to_version(wanted, major_version);
  return wanted;
}

bool ends_in_promotion(const Values& recovery) {
  const auto action = recovery.find("recovery_target_action");
  if (action != recovery.end() && lower_case(action->second) == "promote") return true;
  return std::ranges::none_of(targets_emptied, [&](std::string_view name) {
    const auto target = recovery.find(std::string(name));
    return target != recovery.end() && !target->second.empty();
  });
}

BootstrapRecovery bootstrap_recovery(const Tree& recovery_conf, std::int64_t major_version) {
  BootstrapRecovery result;
  const auto* map = recovery_conf.as_map();
  for (const auto& [name, value] : map != nullptr ? *map : Tree::Map{}) {
    const auto lower = lower_case(name);
    if (lower == "standby_mode") {
      result.standby = to_bool(value).value_or(false);
    } else if (is_recovery_setting(lower)) {
      result.settings[lower] = text_form(value);
    }
  }
  fit_recovery_to_version(result.settings, major_version);
  return result;
}

}  // namespace tanist::postgres

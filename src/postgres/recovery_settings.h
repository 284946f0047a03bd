// SPDX-License-Identifier: Apache-2.0
// What a standby is told: whom to stream from, and how to recover (contract postgres 11). Pure; any
// thread.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/server_actions.h"
#include "core/settings.h"
#include "sql/conninfo.h"

namespace tanist::postgres {

using Values = std::map<std::string, std::string>;

// recovery_target*, primary_conninfo, restore_command, ... by their names since 12, and the older
// standby_mode, trigger_file, pause_at_recovery_target.
bool is_recovery_setting(std::string_view lower_name);

// User, TLS options and sslpassword of credentials as libpq keywords; never the password.
sql::Keywords credential_keywords(const Credentials& credentials);

// The keywords of primary_conninfo for following `upstream`, for a server of this version.
sql::Keywords primary_conninfo(const ServerSettings& settings, const Upstream& upstream,
                               std::int64_t major_version);

// The database that connections to `upstream` name.
std::string database_of(const ServerSettings& settings, const Upstream& upstream);

// Recovery settings that the user configured: those in `parameters` replace `recovery_conf`
// (contract config 8.3).
Values configured_recovery(const ServerSettings& settings);

// All recovery settings for `goal`; empty for a primary.
Values wanted_recovery(const ServerSettings& settings, const ServerGoal& goal,
                       std::int64_t major_version);

// The recovery_conf of a custom bootstrap method, and whether it means to stay a standby.
struct BootstrapRecovery {
  Values settings;
  bool standby = false;
};
// Recovery with these settings ends by leaving it, not by pausing at a target.
bool ends_in_promotion(const Values& recovery);

BootstrapRecovery bootstrap_recovery(const Tree& recovery_conf, std::int64_t major_version);

// Translates trigger_file, and drops what the version does not have as a setting.
void fit_recovery_to_version(Values& settings, std::int64_t major_version);

}  // namespace tanist::postgres

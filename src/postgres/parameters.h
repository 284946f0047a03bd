// SPDX-License-Identifier: Apache-2.0
// The parameters that a server gets: from settings and goal, checked for its version (contract
// postgres 6.2 to 6.4, config 7 and 8). Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/server_actions.h"
#include "core/settings.h"
#include "postgres/recovery_settings.h"

namespace tanist::postgres {

struct ParameterInput {
  std::int64_t major_version = 0;
  // While a custom bootstrap runs: nothing is archived, pg_hba.conf is the temporary one.
  bool custom_bootstrap = false;
  // So that larger settings of the restored primary do not block recovery (trap 110).
  bool hot_standby_off = false;
  // Names that the server's own --describe-config lists; for those the catalogue does not know.
  std::set<std::string> described;
};

struct EffectiveParameters {
  Values values;  // for the main file, in the spelling of the configuration, without recovery ones
  std::vector<std::string> warnings;
  // Names that neither the catalogue nor `described` has: they were left out.
  std::vector<std::string> unknown;
};

EffectiveParameters effective_parameters(const ServerSettings& settings, const ServerGoal& goal,
                                         const ParameterInput& input);

// `primary`, `replica` or `standby_leader`: the key of role-dependent settings.
std::string role_key(Role role);

// pg_hba and pg_ident lines for the role; empty = not managed.
const std::vector<std::string>& lines_for_role(const std::vector<std::string>& usual,
                                               const ByRole<std::vector<std::string>>& by_role,
                                               Role role);

// The value under a name in any spelling.
const std::string* find_value(const Values& values, std::string_view lower_name);

// What goes on the postmaster's command line, in the contract's order, and what a standby keeps
// from pg_control because its setting is smaller (contract postgres 6.4).
struct CommandLine {
  std::vector<std::string> arguments;  // --name=value
  std::vector<PendingRestart> kept_larger;
};
CommandLine command_line(const Values& values, const ControlData* control_of_standby);

}  // namespace tanist::postgres

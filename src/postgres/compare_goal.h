// SPDX-License-Identifier: Apache-2.0
// How far files and running server are from a goal (contract postgres 11.2). The judgement is pure;
// gathering runs on the loop thread.
#pragma once

#include <optional>
#include <string>

#include "postgres/local_server.h"
#include "postgres/settings_comparison.h"

namespace tanist::postgres {

// What is known of a running standby's recovery settings.
struct RecoveryState {
  RunningSettings settings;  // recovery settings of pg_settings
  // Of a live WAL receiver; it hides passwords and the database.
  std::optional<std::string> receiver_conninfo;
  std::string receiver_slot;
  // Does the named pass file hold exactly the wanted lines?
  bool password_file_fits = true;
  std::string main_file;  // settings from other files are the user's own
};

// Which recovery settings differ from `wanted`, and whether one of them needs a restart. Pure.
GoalDifference compare_recovery(const Values& wanted, const RecoveryState& state,
                                std::int64_t major_version);

os::Awaitable<ServerResult> compare_goal(Job job, CompareGoal wanted);

}  // namespace tanist::postgres

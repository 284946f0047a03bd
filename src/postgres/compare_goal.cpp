// SPDX-License-Identifier: Apache-2.0
// Comparing a running server with a goal.
#include "postgres/compare_goal.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "os/file.h"
#include "postgres/config_files.h"
#include "postgres/data_directory.h"
#include "postgres/parameter_value.h"
#include "postgres/password_file.h"
#include "postgres/reload.h"
#include "postgres/sessions.h"
#include "sql/conninfo.h"

namespace tanist::postgres {

// ---- Pure ------------------------------------------------------------------------------------

namespace {

// Not compared at all.
constexpr std::array<std::string_view, 4> ignored{"recovery_target_inclusive",
                                                  "recovery_target_action",
                                                  "pause_at_recovery_target", "standby_mode"};
// Not compared when they are the user's own, from a file that we include.
constexpr std::array<std::string_view, 5> may_be_the_users{
    "archive_cleanup_command", "promote_trigger_file", "recovery_end_command",
    "recovery_min_apply_delay", "restore_command"};

// libpq's defaults, which we write out.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> keyword_defaults{
    {{"sslmode", "prefer"},
     {"gssencmode", "prefer"},
     {"channel_binding", "prefer"},
     {"sslnegotiation", "postgres"}}};

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

void add_defaults(sql::Keywords& keywords) {
  for (const auto& [keyword, value] : keyword_defaults) {
    keywords.emplace(std::string(keyword), std::string(value));
  }
}

// The conninfo in effect: the receiver's, completed by what it hides.
sql::Keywords effective_conninfo(const std::string& configured, const RecoveryState& state) {
  auto keywords = sql::parse_conninfo(configured).value_or(sql::Keywords{});
  if (state.receiver_conninfo) {
    auto live = sql::parse_conninfo(*state.receiver_conninfo).value_or(sql::Keywords{});
    for (const auto* hidden : {"password", "dbname", "sslpassword", "passfile"}) {
      const auto at = keywords.find(hidden);
      if (at != keywords.end()) live[hidden] = at->second;
    }
    keywords = std::move(live);
  }
  add_defaults(keywords);
  return keywords;
}

// Every wanted keyword must be in effect; others may be there too.
bool same_conninfo(const std::string& wanted_text, const std::string& configured,
                   const RecoveryState& state, std::int64_t major_version) {
  constexpr std::int64_t compares_dbname = 17;
  auto wanted = sql::parse_conninfo(wanted_text).value_or(sql::Keywords{});
  if (wanted.empty()) return sql::parse_conninfo(configured).value_or(sql::Keywords{}).empty();
  if (configured.empty() && !state.receiver_conninfo) return false;
  if (major_version < compares_dbname) wanted.erase("dbname");
  const auto present = effective_conninfo(configured, state);
  for (const auto& [keyword, value] : wanted) {
    const auto at = present.find(keyword);
    if (at == present.end() || at->second != value) return false;
  }
  return state.password_file_fits;
}

bool differs(const std::string& name, const std::string& wanted, const RunningSetting& running,
             const RecoveryState& state, std::int64_t major_version) {
  if (name == "primary_conninfo") {
    return !same_conninfo(wanted, running.value, state, major_version);
  }
  if (name == "primary_slot_name" && state.receiver_conninfo) {
    return wanted != state.receiver_slot;
  }
  return !same_value(wanted, running.value, running.type, running.unit);
}

}  // namespace

GoalDifference compare_recovery(const Values& wanted, const RecoveryState& state,
                                std::int64_t major_version) {
  const auto value_for = [&](const std::string& name) {
    const auto at = wanted.find(name);
    return at == wanted.end() ? std::string() : at->second;
  };
  auto result = GoalDifference::none;
  for (const auto& [name, running] : state.settings) {
    if (is_among(ignored, name)) continue;
    const bool configured = wanted.contains(name);
    const bool own_file = running.source_file.empty() || running.source_file == state.main_file;
    if (!configured && !own_file && is_among(may_be_the_users, name)) continue;
    if (name == "primary_slot_name" && !wanted.contains("primary_conninfo")) continue;
    auto target = value_for(name);
    if (!configured && name == "recovery_min_apply_delay") target = "0";
    if (!configured && name == "recovery_target_timeline") target = "latest";
    if (!differs(name, target, running, state, major_version)) continue;
    if (running.context == "postmaster") return GoalDifference::restart;
    result = GoalDifference::reload;
  }
  return result;
}

// ---- Gathering -------------------------------------------------------------------------------

namespace {

// What the files say. Blocking part.
struct FileState {
  std::int64_t major_version = 0;
  bool standby_signal = false;
  bool password_file_fits = true;
};

FileState look_at_files(const Paths& paths, const ServerSettings& settings,
                        const ServerGoal& goal) {
  FileState state;
  const auto data = look_at_data(paths.data);
  state.major_version = data.major_version;
  state.standby_signal = data.standby_signal;
  const auto& user = settings.replication;
  if (goal.standby && goal.upstream && !user.password.empty()) {
    const auto content = os::read_file(settings.pgpass);
    state.password_file_fits =
        content && same_password_lines(*content, {goal.upstream->host, goal.upstream->port,
                                                  user.username, user.password});
  }
  return state;
}

os::Awaitable<Result<RecoveryState>> recovery_state(Job job) {
  auto statements = [](std::int64_t) {
    return std::string(recovery_settings_query) +
           "; SELECT conninfo, slot_name FROM pg_catalog.pg_stat_get_wal_receiver()"
           " WHERE pid IS NOT NULL AND conninfo <> ''";
  };
  auto rows = co_await script_local(job, statements);
  if (!rows) co_return tl::unexpected(rows.error().plain());
  if (rows->size() != 2) co_return fail(Errc::invalid, "pg_settings gave an unusable answer");
  RecoveryState state;
  state.settings = read_settings(rows->at(0));
  state.receiver_conninfo = rows->at(1).at(0, "conninfo");
  state.receiver_slot = rows->at(1).at(0, "slot_name").value_or("");
  state.main_file = job.paths.main;
  co_return state;
}

ServerResult found(GoalDifference difference) {
  auto result = succeeded();
  result.difference = difference;
  return result;
}

ServerResult not_found_out(std::string error) {
  auto result = failed(std::move(error));
  result.difference = GoalDifference::unknown;
  return result;
}

}  // namespace

os::Awaitable<ServerResult> compare_goal(Job job, CompareGoal wanted) {
  if (!job.server->runs()) co_return not_found_out("the server is not running");
  auto look = [paths = job.paths, settings = job.settings, goal = wanted.goal] {
    return look_at_files(paths, *settings, goal);
  };
  const auto files = co_await job.on_disk(std::move(look));
  if (!files) co_return not_found_out(files.error().message);
  if (wanted.goal.standby && !files->standby_signal) co_return found(GoalDifference::restart);
  auto prepared = co_await prepare_files(job, wanted.goal, files->major_version);
  if (!prepared) co_return not_found_out(prepared.error().message);
  auto difference = GoalDifference::none;
  if (wanted.goal.standby) {
    auto state = co_await recovery_state(job);
    if (!state) co_return not_found_out(state.error().message);
    state->password_file_fits = files->password_file_fits;
    difference = compare_recovery(prepared->recovery, *state, files->major_version);
  }
  if (difference != GoalDifference::none) co_return found(difference);
  auto compare = [prepared = std::move(*prepared), paths = job.paths] {
    return compare_files(prepared, paths);
  };
  const auto on_disk = co_await job.on_disk(std::move(compare));
  if (!on_disk) co_return not_found_out(on_disk.error().message);
  if (!on_disk->as_prepared) co_return found(GoalDifference::reload);
  const auto loaded = co_await has_loaded(job, on_disk->modified_at);
  if (!loaded) co_return not_found_out(loaded.error().message);
  co_return found(*loaded ? GoalDifference::none : GoalDifference::reload);
}

}  // namespace tanist::postgres

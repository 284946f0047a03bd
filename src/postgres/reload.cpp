// SPDX-License-Identifier: Apache-2.0
// Reload, comparison with pg_settings, promotion.
#include "postgres/reload.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

#include "base/format.h"
#include "base/log.h"
#include "core/standby_names.h"
#include "os/file.h"
#include "postgres/commands.h"
#include "postgres/data_directory.h"
#include "postgres/parameter_value.h"
#include "postgres/password_file.h"
#include "postgres/programs.h"
#include "postgres/recovery_settings.h"
#include "postgres/sessions.h"
#include "postgres/settings_comparison.h"

namespace tanist::postgres {

namespace {

constexpr Duration reload_seen_max = seconds{2};
constexpr Duration reload_poll = milliseconds{10};

os::Awaitable<Result<std::string>> loaded_at(Job job) {
  auto rows = co_await query_local(job, "SELECT pg_catalog.pg_conf_load_time()", {});
  if (!rows) co_return tl::unexpected(rows.error().plain());
  co_return rows->rows.empty() ? std::string() : rows->rows[0][0].value_or("");
}

}  // namespace

os::Awaitable<Result<void>> signal_reload(Job job) {
  const auto before = co_await loaded_at(job);
  if (!job.server->postmaster || !job.server->postmaster->send(SIGHUP)) {
    co_return fail(Errc::unavailable, "the server is not running");
  }
  const auto limit = job.within(reload_seen_max);
  // A server that starts or is busy reads its files all the same.
  while (before && !limit.over()) {
    const auto now_at = co_await loaded_at(job);
    if (!now_at || *now_at != *before) break;
    const auto moment = limit.within(reload_poll);
    co_await os::pause(moment);
  }
  co_return Result<void>{};
}

os::Awaitable<Result<bool>> has_loaded(Job job, WallTime modified_at) {
  auto rows = co_await query_local(
      job, "SELECT (extract(epoch FROM pg_catalog.pg_conf_load_time()) * 1000000)::bigint", {});
  if (!rows) co_return tl::unexpected(rows.error().plain());
  const auto text = rows->rows.empty() ? std::string() : rows->rows[0][0].value_or("");
  std::int64_t microseconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), microseconds);
  co_return microseconds >= modified_at.time_since_epoch().count();
}

namespace {

// Tells people what will change (contract config 9).
os::Awaitable<void> log_changes(Job job, Values wanted) {
  auto rows = co_await query_local(job, std::string(settings_query), {});
  if (!rows) co_return;
  const auto compared = compare_settings(wanted, read_settings(*rows));
  for (const auto& change : compared.changes) log_info("{}", describe_change(change));
  for (const auto& name : compared.unknown) {
    log_warning("Removing invalid parameter `{}` from postgresql.parameters", name);
  }
}

}  // namespace

os::Awaitable<void> refresh_pending_restart(Job job) {
  auto rows = co_await query_local(job, std::string(pending_restart_query), {});
  if (!rows) co_return;
  std::vector<PendingRestart> pending;
  for (const auto& [name, running] : read_settings(*rows)) {
    const auto next = co_await configured_value(job, name);
    const auto human = [&](const std::string& value) { return in_human_units(running, value); };
    pending.push_back({name, human(running.value), next ? human(*next) : "?"});
  }
  if (pending != job.server->pending_restart && !pending.empty()) {
    std::string names;
    for (const auto& each : pending) names += (names.empty() ? "" : ", ") + each.parameter;
    log_info("PostgreSQL configuration parameters that need a restart: {}", names);
  }
  job.server->pending_restart = std::move(pending);
}

namespace {

// The server's key must be its own and closed to others; else it refuses to start, which would be
// noticed only at the next failover (trap 135). Blocking.
std::string unfit_key(const std::string& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return "cannot be read";
  const bool of_root = status.st_uid == 0 && (status.st_mode & 0037) == 0;
  const bool own = status.st_uid == geteuid() && (status.st_mode & 0077) == 0;
  return of_root || own ? "" : "must belong to the server's user and be closed to others (0600)";
}

os::Awaitable<void> warn_of_unfit_key(Job job, Values parameters) {
  const auto* ssl = find_value(parameters, "ssl");
  if (ssl == nullptr || !parse_boolean(*ssl).value_or(false)) co_return;
  const auto* key = find_value(parameters, "ssl_key_file");
  const auto path = absolute_path(key == nullptr ? "server.key" : *key, job.paths.data);
  auto look = [path] { return unfit_key(path); };
  const auto unfit = co_await job.on_disk(std::move(look));
  if (unfit && !unfit->empty()) {
    log_error("ssl_key_file {}: {}; the server will not start with it", path, *unfit);
  }
}

// The path of the password file stays the same when its content is old (trap 117). Blocking.
bool has_its_password(const PreparedFiles& files, const ServerSettings& settings) {
  const auto& user = settings.replication;
  if (!files.password_for || user.password.empty() || settings.pgpass.empty()) return true;
  const auto content = os::read_file(settings.pgpass);
  const PasswordEntry wanted{files.password_for->host, files.password_for->port, user.username,
                             user.password};
  return content && same_password_lines(*content, wanted);
}

ServerResult reloaded(const LocalServer& server, GoalDifference difference) {
  auto result = succeeded();
  result.difference = difference;
  result.pending_restart = server.pending_restart;
  return result;
}

}  // namespace

os::Awaitable<ServerResult> reload_server(Job job, ReloadServer wanted) {
  const auto role = wanted.goal.role;
  auto result = co_await reload_quietly(job, std::move(wanted));
  const bool done = result.ok && result.difference != GoalDifference::none;
  if (done) {
    co_await run_callback(job, RunCallback{"on_reload", role});
  }
  co_return result;
}

os::Awaitable<ServerResult> reload_quietly(Job job, ReloadServer wanted) {
  if (!job.server->runs()) co_return failed("the server is not running");
  if (job.server->in_custom_bootstrap) {
    log_info("Skipping PostgreSQL configuration update while in custom bootstrap.");
    co_return reloaded(*job.server, GoalDifference::none);
  }
  auto version = [data = job.paths.data] { return read_major_version(data); };
  const auto major = co_await job.on_disk(std::move(version));
  if (!major) co_return failed(major.error());
  auto files = co_await prepare_files(job, wanted.goal, *major);
  if (!files) co_return failed(files.error());
  // A promoted server was started with recovery settings, and complains at each reload about those
  // that are gone from its file. They mean nothing to it, and its next start writes it anew.
  files->keep_recovery_block = !wanted.goal.standby;
  const auto parameters = files->parameters.values;
  auto compare = [prepared = *files, paths = job.paths, settings = job.settings] {
    auto present = compare_files(prepared, paths);
    if (!has_its_password(prepared, *settings)) present.as_prepared = false;
    return present;
  };
  const auto present = co_await job.on_disk(std::move(compare));
  if (!present) co_return failed(present.error());
  const auto loaded = co_await has_loaded(job, present->modified_at);
  const bool differs = !present->as_prepared || !loaded || !*loaded;
  if (!differs && !wanted.always) {
    log_info("No PostgreSQL configuration items changed, nothing to reload.");
    co_return reloaded(*job.server, GoalDifference::none);
  }
  co_await log_changes(job, parameters);
  const auto written = co_await write_files(job, std::move(*files));
  if (!written) co_return failed(written.error());
  co_await warn_of_unfit_key(job, parameters);
  log_info("Reloading PostgreSQL configuration.");
  const auto signalled = co_await signal_reload(job);
  if (!signalled) co_return failed(signalled.error());
  co_await refresh_pending_restart(job);
  const bool pending = !job.server->pending_restart.empty();
  co_return reloaded(*job.server, pending ? GoalDifference::restart : GoalDifference::reload);
}

// ---- Promotion -------------------------------------------------------------------------------

namespace {

// The primary's files, in effect before it is one (trap 70). Its upstream stays in the file until
// it is out of recovery: a promotion that does not come to pass leaves a standby that streams. The
// first commits wait for standbys only if the checkpointer has read whom to wait for by then (seed
// 9905061).
os::Awaitable<Result<void>> prepare_primary(Job job, ServerGoal goal) {
  const bool names_standbys = !goal.synchronous_standby_names.value_or("").empty();
  auto version = [data = job.paths.data] { return read_major_version(data); };
  const auto major = co_await job.on_disk(std::move(version));
  if (!major) co_return pass_on(major.error());
  auto files = co_await prepare_files(job, std::move(goal), *major);
  if (!files) co_return pass_on(files.error());
  files->keep_recovery_block = true;
  files->keep_auto_conf = true;
  const auto written = co_await write_files(job, std::move(*files));
  if (!written) co_return pass_on(written.error());
  if (!*written) co_return Result<void>{};
  auto signalled = co_await signal_reload(job);
  if (!signalled || !names_standbys) co_return signalled;
  co_await os::pause(job.within(standby_names_settle));
  co_return signalled;
}

}  // namespace

os::Awaitable<ServerResult> promote_server(Job job, PromoteServer wanted) {
  const auto process = job.server->postmaster;
  if (!job.server->runs()) co_return failed("the server is not running");
  wanted.goal.standby = false;
  const auto prepared = co_await prepare_primary(job, wanted.goal);
  if (!prepared) co_return failed(prepared.error());
  if (job.stopped()) co_return failed("the promotion was cancelled");
  if (job.server->postmaster != process || !process->alive()) {
    co_return failed("the server that was to be promoted has ended");
  }
  if (job.server->hooks.primary_allowed) {
    const auto reason = job.server->hooks.primary_allowed();
    if (!reason.empty()) co_return failed("the promotion is not allowed: " + reason);
  }
  ToolRun run{.name = "pg_ctl", .arguments = {"promote", "-D", job.paths.data, "-W"}};
  const auto end = co_await run_tool(job, std::move(run));
  if (!end) co_return failed(end.error());
  if (!end->succeeded()) co_return failed(failure_of("pg_ctl promote", *end));
  co_return succeeded();
}

}  // namespace tanist::postgres

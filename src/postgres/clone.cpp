// SPDX-License-Identifier: Apache-2.0
// pg_basebackup and the users' own methods.
#include "postgres/clone.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"
#include "base/log.h"
#include "postgres/bootstrap.h"
#include "postgres/commands.h"
#include "postgres/data_directory.h"
#include "postgres/programs.h"
#include "postgres/replica_method.h"
#include "postgres/salvage.h"
#include "postgres/sessions.h"
#include "postgres/start.h"
#include "postgres/tool_options.h"
#include "postgres/tool_passwords.h"

namespace tanist::postgres {

std::optional<int> copied_percent(std::string_view line) {
  const auto end = line.find("%)");
  const auto begin = end == std::string_view::npos ? end : line.rfind('(', end);
  if (begin == std::string_view::npos || line.find(" kB ") == std::string_view::npos) return {};
  int percent = 0;
  const auto parsed = std::from_chars(line.data() + begin + 1, line.data() + end, percent);
  if (parsed.ptr != line.data() + end || percent < 0 || percent > 100) return {};
  return percent;
}

namespace {

constexpr Duration copy_time_max = std::chrono::hours{24 * 365};
constexpr int basebackup_attempts = 2;
constexpr Duration between_attempts = seconds{5};

// ---- The data directory before and after -----------------------------------------------------

os::Awaitable<Result<void>> make_room(Job job, std::string reason) {
  auto look = [data = job.paths.data] { return look_at_data(data); };
  const auto data = co_await job.on_disk(std::move(look));
  if (data && data->kind == DataDirectory::absent_or_empty) co_return Result<void>{};
  co_return co_await remove_all_data(job, std::move(reason));
}

// Also when the copy was cancelled: this is not.
os::Awaitable<void> remove_failed_copy(Job job) {
  job.stop = std::make_shared<os::Stop>();
  const auto removed = co_await make_room(job, "the copy in it was not completed");
  if (!removed) log_error("a failed copy was not removed: {}", removed.error().message);
}

// A standby from the first moment: no start by anybody makes a second primary of it (trap 39).
Result<void> settle_copy(const Paths& paths, const ServerSettings& settings) {
  if (look_at_data(paths.data).kind != DataDirectory::present) {
    return fail(Errc::failed, "there is no data directory in {} after it", paths.data);
  }
  if (auto done = settle_new_data(paths, settings); !done) return done;
  if (auto done = set_standby_signal(paths.data, true); !done) return done;
  return clear_rewind_marker(paths.data);
}

// ---- pg_basebackup ---------------------------------------------------------------------------

// "12345/67890 kB (18%), 0/1 tablespace": told, and logged at every tenth of the way.
void take_progress_line(const Job& job, std::string_view line, int& tenth_logged) {
  const auto percent = copied_percent(line);
  if (!percent) {
    log_info("{}", line);
    return;
  }
  if (job.server->hooks.copy_progress) {
    job.server->hooks.copy_progress(format_text("{}%", *percent));
  }
  if (*percent / 10 == tenth_logged) return;
  tenth_logged = *percent / 10;
  log_info("copying: {}", line);
}

// A spread checkpoint lets a new replica wait for minutes: fast, unless the user says otherwise.
void prefer_fast_checkpoint(std::vector<std::string>& arguments) {
  const bool chosen = std::ranges::any_of(
      arguments, [](const std::string& argument) { return argument.starts_with("--checkpoint"); });
  if (!chosen) arguments.emplace_back("--checkpoint=fast");
}

os::Awaitable<Result<ToolRun>> prepare_basebackup(Job job, Upstream source) {
  const auto& settings = *job.settings;
  const auto major = co_await installed_major_version(job);
  if (!major) co_return pass_on(major.error());
  auto environment = co_await password_environment(job, settings.replication, source);
  if (!environment) co_return pass_on(environment.error());
  auto options = tool_options(Tool::basebackup, settings.basebackup_options, *major);
  for (const auto& error : options.errors) log_error("{}", error);
  prefer_fast_checkpoint(options.arguments);
  ToolRun run{
      .name = "pg_basebackup",
      .arguments = {"--pgdata=" + job.paths.data, "-X", "stream",
                    "--dbname=" + upstream_conninfo(settings, settings.replication, source)},
      .environment = std::move(*environment),
      .time_max = copy_time_max,
      .on_error_line = [job, tenth = 0](std::string_view line) mutable {
        take_progress_line(job, line, tenth);
      }};
  if (std::ranges::find(options.arguments, "--progress") == options.arguments.end()) {
    run.arguments.emplace_back("--progress");
  }
  run.arguments.insert(run.arguments.end(), options.arguments.begin(), options.arguments.end());
  co_return run;
}

os::Awaitable<Result<void>> run_basebackup(Job job, Upstream source) {
  const auto run = co_await prepare_basebackup(job, source);
  if (!run) co_return pass_on(run.error());
  for (int attempt = 1;; ++attempt) {
    const auto room = co_await make_room(job, "a copy is about to be made");
    if (!room) co_return room;
    const auto end = co_await run_tool(job, *run);
    if (end && end->succeeded()) co_return Result<void>{};
    const auto error = end ? failure_of(run->name, *end) : end.error();
    if (job.stopped() || attempt == basebackup_attempts) co_return tl::unexpected(error);
    log_error("{}; trying once more", error.message);
    const auto moment = job.within(between_attempts);
    co_await os::pause(moment);
  }
}

// ---- Users' methods --------------------------------------------------------------------------

os::Awaitable<Result<void>> run_users_method(Job job, ReplicaMethod method,
                                             std::optional<Upstream> source) {
  const auto& settings = *job.settings;
  Environment environment;
  std::string connstring;
  if (source) {
    connstring = upstream_conninfo(settings, settings.replication, *source);
    auto passwords = co_await password_environment(job, settings.replication, *source);
    if (!passwords) co_return pass_on(passwords.error());
    environment = std::move(*passwords);
  }
  auto command = replica_method_command(settings, method.name, connstring);
  if (!command) co_return pass_on(command.error());
  if (!method.keep_data) {
    const auto room = co_await make_room(job, "a copy is about to be made");
    if (!room) co_return room;
  }
  const auto end = co_await run_command(job, std::move(*command), std::move(environment));
  if (!end) co_return pass_on(end.error());
  if (!end->succeeded()) co_return tl::unexpected(failure_of(method.name, *end));
  co_return Result<void>{};
}

os::Awaitable<Result<void>> copy_by(Job job, ReplicaMethod method, std::optional<Upstream> source) {
  auto copied = Result<void>{};
  if (method.builtin) {
    copied = co_await run_basebackup(job, *source);
  } else {
    copied = co_await run_users_method(job, method, std::move(source));
  }
  if (copied) {
    auto settle = [paths = job.paths, settings = job.settings] {
      return settle_copy(paths, *settings);
    };
    copied = co_await job.on_disk(std::move(settle));
  }
  if (!copied && !method.keep_data) {
    co_await remove_failed_copy(job);
  }
  co_return copied;
}

}  // namespace

namespace {

os::Awaitable<ServerResult> copy_by_any(Job job, CloneData wanted) {
  auto error = std::string("no method of create_replica_methods works without a source");
  for (const auto& method : replica_methods(*job.settings, wanted)) {
    log_info("trying to create the replica with method {}", method.name);
    const auto copied = co_await copy_by(job, method, wanted.source);
    if (copied) {
      log_info("replica has been created using {}", method.name);
      co_return succeeded();
    }
    error = format_text("replica method {}: {}", method.name, copied.error().message);
    if (job.stopped()) break;
    log_error("{}", error);
  }
  co_return failed(error);
}

}  // namespace

os::Awaitable<ServerResult> clone_data(Job job, CloneData wanted) {
  const auto search = co_await look_for_postmaster(job);
  if (search.found) co_return failed("nothing is copied: a server runs in " + job.paths.data);
  const auto swept = co_await sweep(job);
  if (!swept) co_return failed(swept.error());
  job.server->control.reset();
  job.server->in_custom_bootstrap = false;
  if (wanted.source) {
    co_await salvage_divergence(job, *wanted.source);
  }
  const auto& progress = job.server->hooks.copy_progress;
  auto result = co_await copy_by_any(job, std::move(wanted));
  if (progress) progress("");
  co_return result;
}

}  // namespace tanist::postgres

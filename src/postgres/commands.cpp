// SPDX-License-Identifier: Apache-2.0
// Hooks, callbacks, and removal of data.
#include "postgres/commands.h"

#include "base/format.h"
#include "base/log.h"
#include "postgres/control_file.h"
#include "postgres/data_removal.h"
#include "postgres/programs.h"
#include "postgres/sessions.h"
#include "postgres/start.h"
#include "postgres/tool_options.h"

namespace tanist::postgres {

namespace {

constexpr Duration removal_time_max = std::chrono::hours{6};

}  // namespace

os::Awaitable<ServerResult> run_pre_promote(Job job) {
  if (job.settings->pre_promote.empty()) co_return succeeded();
  auto words = split_command(job.settings->pre_promote);
  if (!words) co_return failed("postgresql.pre_promote: " + words.error().message);
  const auto end = co_await run_command(job, std::move(*words), {});
  if (!end) co_return failed("pre_promote: " + end.error().message);
  if (!end->succeeded()) co_return failed(failure_of("pre_promote", *end));
  co_return succeeded();
}

os::Awaitable<ServerResult> run_callback(Job job, RunCallback wanted) {
  const auto command = job.settings->callbacks.find(wanted.event);
  if (command == job.settings->callbacks.end()) co_return succeeded();
  auto words = split_command(command->second);
  if (!words) {
    log_error("postgresql.callbacks.{}: {}", wanted.event, words.error().message);
    co_return failed(words.error());
  }
  const auto role = wanted.role == Role::promoted ? Role::primary : wanted.role;
  words->insert(words->end(), {wanted.event, std::string(name_of(role)), job.settings->scope});
  job.server->callbacks.run(wanted.event,
                            {std::move(*words), environment_for_command(*job.settings)});
  co_return succeeded();
}

os::Awaitable<Result<void>> remove_all_data(Job job, std::string reason) {
  const auto search = co_await look_for_postmaster(job);
  if (search.found) {
    co_return fail(Errc::refused, "{} is not removed: a server runs there (process {})",
                   job.paths.data, job.server->postmaster->identity().pid);
  }
  const auto swept = co_await sweep(job);
  if (!swept) co_return swept;
  log_warning("removing data directory {}: {}", job.paths.data, reason);
  job.server->control.reset();
  auto remove = [data = job.settings->data_dir] { return remove_data(data); };
  const os::Limit patience = os::Limit{}.within(removal_time_max);
  co_return co_await os::on_disk(*job.server->disk, patience, std::move(remove));
}

os::Awaitable<ServerResult> resume_replay(Job job) {
  auto done = co_await query_local(job, "SELECT pg_catalog.pg_wal_replay_resume()", {});
  if (!done) co_return failed(done.error().plain().message);
  log_info("resumed the replay of WAL, which was paused");
  co_return succeeded();
}

os::Awaitable<ServerResult> wake_receiver(Job job) {
  auto done = co_await query_local(job, "SELECT pg_catalog.pg_reload_conf()", {});
  if (!done) co_return failed(done.error().plain().message);
  co_return succeeded();
}

os::Awaitable<ServerResult> empty_data(Job job, EmptyData wanted) {
  const auto removed = co_await remove_all_data(job, wanted.reason);
  if (!removed) co_return failed(removed.error());
  co_return succeeded();
}

os::Awaitable<ServerResult> set_aside(Job job) {
  const auto search = co_await look_for_postmaster(job);
  if (search.found) co_return failed("the data directory is in use: a server runs there");
  const auto swept = co_await sweep(job);
  if (!swept) co_return failed(swept.error());
  job.server->control.reset();
  job.server->in_custom_bootstrap = false;
  auto rename = [data = job.settings->data_dir] { return set_data_aside(data); };
  const os::Limit patience = os::Limit{}.within(removal_time_max);
  const auto renamed = co_await os::on_disk(*job.server->disk, patience, std::move(rename));
  if (!renamed) co_return failed(renamed.error());
  co_return succeeded();
}

}  // namespace tanist::postgres

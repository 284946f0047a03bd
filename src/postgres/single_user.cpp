// SPDX-License-Identifier: Apache-2.0
// One run of `postgres --single`.
#include "postgres/single_user.h"

#include "base/format.h"
#include "base/log.h"
#include "os/file.h"
#include "postgres/archive.h"
#include "postgres/config_files.h"
#include "postgres/data_directory.h"
#include "postgres/start.h"
#include "postgres/tool_options.h"

namespace tanist::postgres {

std::vector<std::string> single_user_arguments(std::string_view options_file, const Paths& paths) {
  std::vector<std::string> arguments{"--single", "-D", paths.data, "-c",
                                     "config_file=" + paths.main};
  const auto words = split_command(options_file);
  for (const auto& word : words.value_or(std::vector<std::string>{})) {
    const bool setting = word.starts_with("--") && word.find('=') != std::string::npos;
    if (!setting || word.starts_with("--config-file=")) continue;
    arguments.insert(arguments.end(), {"-c", word.substr(2)});
  }
  // What it writes is about to be undone and must not reach the archive.
  arguments.insert(arguments.end(),
                   {"-c", "archive_mode=on", "-c", "archive_command=false", "template1"});
  return arguments;
}

namespace {

Result<DataFacts> look_before(const std::string& path) {
  auto data = look_at_data(path);
  if (data.kind != DataDirectory::present)
    return fail(Errc::refused, "{} is no data directory", path);
  if (data.backup_label) {
    return fail(Errc::refused, "{} has a backup_label: it is a copy, not a crashed server", path);
  }
  if (data.rewind_interrupted) return fail(Errc::refused, "pg_rewind did not end in {}", path);
  return data;
}

Result<std::vector<std::string>> make_ready(const Paths& paths) {
  if (auto done = restore_config_files(paths); !done) return pass_on(done.error());
  const auto status_folder = paths.in_data("pg_wal/archive_status");
  const auto names = os::list_folder(status_folder);
  for (const auto& name : names.value_or(std::vector<std::string>{})) {
    const auto removed = os::remove_file(status_folder + "/" + name);
    if (!removed) return pass_on(removed.error());
  }
  if (auto done = set_standby_signal(paths.data, false); !done) return pass_on(done.error());
  const auto options = os::read_file(paths.in_data("postmaster.opts"));
  return single_user_arguments(options.value_or(""), paths);
}

os::Awaitable<Result<void>> run_single_user(Job job, std::vector<std::string> arguments) {
  log_info("Running single-user mode recovery in {}", job.paths.data);
  auto process = co_await spawn_server(job, std::move(arguments), 0);
  if (!process) co_return pass_on(process.error());
  job.server->remember(*process, true);
  const auto how = co_await (*process)->exited(job.limit());
  if (how != os::Ended::done) {
    co_await os::end_session(job.server->disk, *process, os::kill_grace);
    co_return fail(Errc::cancelled, "crash recovery was cancelled");
  }
  const auto status = (*process)->status();
  if (status == 0) co_return Result<void>{};
  co_return fail(Errc::failed, "Crash recovery finished with {}; the server's words are in the log",
                 os::describe_status(status));
}

}  // namespace

os::Awaitable<ServerResult> recover_data(Job job) {
  const auto search = co_await look_for_postmaster(job);
  if (search.found) co_return failed("nothing is recovered: a server runs in " + job.paths.data);
  const auto swept = co_await sweep(job);
  if (!swept) co_return failed(swept.error());
  auto look = [path = job.paths.data] { return look_before(path); };
  const auto before = co_await job.on_disk(std::move(look));
  if (!before) co_return failed(before.error());
  co_await archive_waiting_segments(job);
  auto prepare = [paths = job.paths] { return make_ready(paths); };
  auto arguments = co_await job.on_disk(std::move(prepare));
  if (!arguments) co_return failed(arguments.error());
  if (job.stopped()) co_return failed("crash recovery was cancelled");
  const auto recovered = co_await run_single_user(job, std::move(*arguments));
  job.server->control.reset();
  if (before->standby_signal) {
    auto restore = [path = job.paths.data] { return set_standby_signal(path, true); };
    const auto put = co_await os::on_disk(*job.server->disk, os::Limit{}.within(disk_time_max),
                                          std::move(restore));
    if (!put) co_return failed(put.error());
  }
  if (!recovered) co_return failed(recovered.error());
  co_return succeeded();
}

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// The start: checks, files, launch, and waiting until connections are accepted.
#include "postgres/start.h"

#include <unistd.h>

#include "base/format.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "postgres/bootstrap_method.h"
#include "postgres/config_files.h"
#include "postgres/control_file.h"
#include "postgres/data_directory.h"
#include "postgres/programs.h"
#include "postgres/server_processes.h"
#include "postgres/sessions.h"

namespace tanist::postgres {

namespace {

constexpr Duration start_poll = milliseconds{50};
// The status line is trusted only so far: at least this often the server itself is asked.
constexpr Duration ask_at_least_every = seconds{1};

ServerResult not_started(std::string why) {
  auto result = failed(std::move(why));
  result.start = StartOutcome::not_started;
  return result;
}

ServerResult started(StartOutcome outcome) {
  ServerResult result;
  result.ok = outcome != StartOutcome::died;
  result.start = outcome;
  if (!result.ok) result.error = "the server ended while it was starting; its log tells why";
  return result;
}

}  // namespace

// ---- Others' processes -----------------------------------------------------------------------

os::Awaitable<Search> look_for_postmaster(Job job) {
  Search search;
  auto& server = *job.server;
  if (server.runs()) {
    search.found = true;
    co_return search;
  }
  struct Answer {
    Result<FoundPostmaster> found;
    std::int64_t foreign;
  };
  auto look = [data = job.paths.data, program = program_path(*job.settings, "postgres")] {
    std::int64_t foreign = 0;
    auto found = find_postmaster(data, program, &foreign);
    return Answer{std::move(found), foreign};
  };
  auto answer = co_await job.on_disk(std::move(look));
  if (!answer) co_return search;
  search.foreign_pid = answer->foreign;
  if (!answer->found || server.runs()) {
    search.found = server.runs();
    co_return search;
  }
  const auto& file = answer->found->file;
  server.address = local_address(*job.settings, file);
  log_info("found the server running: process {}", file.process());
  server.remember(std::move(answer->found->process), file.is_single_user());
  search.found = true;
  co_return search;
}

os::Awaitable<Result<void>> sweep(Job job) {
  if (!job.server->hooks.sweep_command.empty()) {
    os::SpawnRequest request;
    request.arguments = job.server->hooks.sweep_command;
    request.environment = environment_for_tool(*job.settings);
    const auto limit = job.within(tool_time_max);
    auto end = co_await os::run_process(job.server->disk, std::move(request), limit);
    if (!end) co_return pass_on(end.error());
    if (!end->succeeded()) co_return tl::unexpected(failure_of("the sweep", *end));
    co_return Result<void>{};
  }
  auto end_them = [data = job.paths.data, program = program_path(*job.settings, "postgres")] {
    return sweep_processes(data, program);
  };
  const auto ended = co_await job.on_disk(std::move(end_them));
  if (!ended) co_return pass_on(ended.error());
  if (*ended > 0) log_warning("ended {} leftover processes of the server", *ended);
  co_return Result<void>{};
}

// ---- Before the launch -----------------------------------------------------------------------

namespace {

// Why this data directory must not be started; empty = it may. Blocking.
std::string unfit_to_start(const DataFacts& data, const Paths& paths) {
  if (data.kind == DataDirectory::not_accessible) return data.error;
  if (data.kind != DataDirectory::present) {
    return format_text("{} is no data directory: it has no global/pg_control", paths.data);
  }
  if (data.rewind_interrupted) {
    return format_text(
        "pg_rewind did not end in {}: its files are a mixture. Remedy: reinitialize this member",
        paths.data);
  }
  if (data.major_version == 0) {
    return format_text("the version of {} is not known: PG_VERSION is missing or damaged",
                       paths.data);
  }
  return unfit_folder(paths.data);
}

os::Awaitable<Result<DataFacts>> fit_data(Job job) {
  auto look = [paths = job.paths] {
    auto data = look_at_data(paths.data);
    auto unfit = unfit_to_start(data, paths);
    return std::pair(std::move(unfit), std::move(data));
  };
  auto looked = co_await job.on_disk(std::move(look));
  if (!looked) co_return pass_on(looked.error());
  const auto& [unfit, data] = *looked;
  if (!unfit.empty()) co_return fail(Errc::refused, "{}", unfit);
  const auto installed = co_await installed_major_version(job);
  if (!installed) co_return pass_on(installed.error());
  if (*installed != data.major_version) {
    co_return fail(Errc::refused,
                   "{} has data of PostgreSQL {}, but the programs are of version {}. Remedy: set "
                   "postgresql.bin_dir",
                   job.paths.data, data.major_version, *installed);
  }
  co_return data;
}

Result<void> put_signals(const std::string& data, bool standby,
                         const std::optional<BootstrapRecoveryPlan>& bootstrap) {
  if (!bootstrap) return set_standby_signal(data, standby);
  if (bootstrap->kept_as_found) return {};
  if (bootstrap->signal == RecoverySignal::recovery) return set_recovery_signal(data);
  return set_standby_signal(data, bootstrap->signal == RecoverySignal::standby);
}

// Files and signals for the start; the arguments of the server's command line.
os::Awaitable<Result<std::vector<std::string>>> prepare(Job job, StartServer wanted,
                                                        std::int64_t major_version) {
  auto& server = *job.server;
  server.in_custom_bootstrap = wanted.in_bootstrap && has_custom_bootstrap(*job.settings);
  const auto bootstrap = server.in_custom_bootstrap
                             ? bootstrap_recovery_of(*job.settings, major_version)
                             : std::nullopt;
  auto signals = [data = job.paths.data, standby = wanted.goal.standby, bootstrap] {
    return put_signals(data, standby, bootstrap);
  };
  const auto put = co_await job.on_disk(std::move(signals));
  if (!put) co_return pass_on(put.error());
  auto files = co_await prepare_files(job, wanted.goal, major_version);
  if (!files) co_return pass_on(files.error());
  std::optional<ControlData> control;
  if (wanted.goal.standby) {
    auto read = co_await read_control(job);
    if (!read) co_return pass_on(read.error());
    control = std::move(*read);
  }
  auto line = command_line(files->parameters.values, control ? &*control : nullptr);
  for (const auto& kept : line.kept_larger) {
    log_info(
        "{} value in pg_controldata: {}, in the global configuration: {}. pg_controldata value "
        "will be used. Setting 'Pending restart' flag",
        kept.parameter, kept.old_value, kept.new_value);
  }
  server.pending_restart = line.kept_larger;
  server.address = local_address(*job.settings);
  const auto written = co_await write_files(job, std::move(*files));
  if (!written) co_return pass_on(written.error());
  co_return std::move(line.arguments);
}

}  // namespace

// ---- Launch ----------------------------------------------------------------------------------

os::Awaitable<Result<os::ProcessPtr>> spawn_server(Job job, std::vector<std::string> arguments,
                                                   std::int64_t foreign_pid) {
  const auto& hooks = job.server->hooks;
  auto find = [name = program_path(*job.settings, "postgres")] { return find_program(name); };
  const auto program = co_await job.on_disk(std::move(find));
  if (!program) co_return pass_on(program.error());
  const auto prefix = hooks.launch_prefix ? hooks.launch_prefix() : LaunchPrefix{};
  os::SpawnRequest request;
  request.arguments = prefix.arguments;
  request.arguments.push_back(*program);
  request.arguments.insert(request.arguments.end(), arguments.begin(), arguments.end());
  request.environment = environment_for_server(foreign_pid);
  request.inherited = prefix.descriptors;
  request.output = os::Output::inherit;
  request.errors = os::Output::inherit;
  const auto limit = job.within(disk_time_max);
  co_return co_await os::spawn_process(job.server->disk, std::move(request), limit);
}

namespace {

os::Awaitable<Result<void>> launch(Job job, std::vector<std::string> parameters,
                                   std::int64_t foreign_pid) {
  std::vector<std::string> arguments{"-D", job.paths.data, "--config-file=" + job.paths.main};
  arguments.insert(arguments.end(), parameters.begin(), parameters.end());
  auto process = co_await spawn_server(job, std::move(arguments), foreign_pid);
  if (!process) co_return pass_on(process.error());
  job.server->backups_due = true;
  job.server->remember(std::move(*process), false);
  co_return Result<void>{};
}

// ---- Waiting ---------------------------------------------------------------------------------

// Does postmaster.pid say that the server of this process takes connections? Blocking.
bool says_ready(const std::string& data, std::int64_t pid) {
  const auto content = os::read_file(data + "/postmaster.pid", 4096);
  const auto file = content ? parse_postmaster_file(*content)
                            : Result<PostmasterFile>(tl::unexpected(content.error()));
  return file && file->pid == pid && file->status == "ready";
}

os::Awaitable<ServerResult> wait_until_ready(Job job, seconds timeout) {
  const auto process = job.server->postmaster;
  const auto deadline = job.within(timeout);
  auto ask_at = os::now() + ask_at_least_every;
  while (process && process->alive()) {
    auto look = [data = job.paths.data, pid = process->identity().pid] {
      return says_ready(data, pid);
    };
    const auto ready = co_await job.on_disk(std::move(look));
    if ((ready && *ready) || os::now() >= ask_at) {
      const auto answer = co_await ask_readiness(job, seconds{1});
      if (answer == Readiness::accepting) co_return started(StartOutcome::ready);
      ask_at = os::now() + ask_at_least_every;
    }
    if (deadline.over()) {
      if (job.stopped()) co_return failed("the start was cancelled; the server goes on starting");
      co_return started(StartOutcome::still_starting);
    }
    const auto moment = deadline.within(start_poll);
    co_await process->exited(moment);
  }
  co_return started(StartOutcome::died);
}

}  // namespace

os::Awaitable<void> save_backups_if_due(Job job) {
  if (!std::exchange(job.server->backups_due, false)) co_return;
  auto save = [paths = job.paths] { return save_config_backups(paths); };
  const auto saved = co_await job.on_disk(std::move(save));
  if (!saved) log_warning("configuration files were not backed up: {}", saved.error().message);
}

os::Awaitable<ServerResult> start_server(Job job, StartServer wanted) {
  if (geteuid() == 0) {
    co_return not_started(
        "PostgreSQL refuses to run as root. Remedy: run the agent as the user who owns the data");
  }
  const auto search = co_await look_for_postmaster(job);
  if (search.found) {
    log_error("cannot start the server: it runs already");
    co_return co_await wait_until_ready(job, wanted.timeout);
  }
  const auto data = co_await fit_data(job);
  if (!data) co_return not_started(data.error().message);
  const auto swept = co_await sweep(job);
  if (!swept) co_return not_started(swept.error().message);
  auto arguments = co_await prepare(job, wanted, data->major_version);
  if (!arguments) co_return not_started(arguments.error().message);
  if (!wanted.goal.standby && job.server->hooks.primary_allowed) {
    const auto reason = job.server->hooks.primary_allowed();
    if (!reason.empty()) co_return not_started("the start as primary is not allowed: " + reason);
  }
  if (job.stopped()) co_return not_started("the start was cancelled");
  const auto launched = co_await launch(job, std::move(*arguments), search.foreign_pid);
  if (!launched) co_return not_started(launched.error().message);
  auto result = co_await wait_until_ready(job, wanted.timeout);
  if (result.start == StartOutcome::ready) {
    co_await save_backups_if_due(job);
  }
  co_return result;
}

}  // namespace tanist::postgres

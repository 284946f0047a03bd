// SPDX-License-Identifier: Apache-2.0
// What must hold before pg_rewind, the run, and what must hold after it.
#include "postgres/rewind.h"

#include <unistd.h>

#include <filesystem>
#include <set>

#include "base/format.h"
#include "base/log.h"
#include "os/file.h"
#include "postgres/archive.h"
#include "postgres/bootstrap.h"
#include "postgres/data_directory.h"
#include "postgres/programs.h"
#include "postgres/recovery_settings.h"
#include "postgres/salvage.h"
#include "postgres/sessions.h"
#include "postgres/start.h"
#include "postgres/tool_options.h"
#include "postgres/tool_passwords.h"

namespace tanist::postgres {

namespace {

constexpr Duration rewind_time_max = std::chrono::hours{24 * 365};
constexpr Duration look_time_max = std::chrono::minutes{10};

// ---- Before: the target ----------------------------------------------------------------------

// pg_rewind fails in the middle at a file that it may not write (trap 64). Blocking, long.
std::string unwritable_file(const std::string& data) {
  namespace fs = std::filesystem;
  std::error_code code;
  for (fs::recursive_directory_iterator entry(data, code), end; !code && entry != end;
       entry.increment(code)) {
    std::error_code ignored;
    const bool regular = fs::is_regular_file(entry->symlink_status(ignored));
    if (regular && access(entry->path().c_str(), W_OK) != 0) return entry->path().string();
  }
  return code ? data + " (" + code.message() + ")" : "";
}

Result<DataFacts> look_at_target(const std::string& path) {
  auto data = look_at_data(path);
  if (data.kind != DataDirectory::present)
    return fail(Errc::refused, "{} is no data directory", path);
  if (data.rewind_interrupted) {
    return fail(Errc::refused,
                "an earlier pg_rewind did not end in {}: its files are a mixture. Remedy: "
                "reinitialize this member",
                path);
  }
  const auto unwritable = unwritable_file(path);
  if (!unwritable.empty()) {
    return fail(Errc::refused, "pg_rewind is not begun: {} cannot be written", unwritable);
  }
  return data;
}

os::Awaitable<Result<DataFacts>> fit_target(Job job) {
  const auto search = co_await look_for_postmaster(job);
  if (search.found) {
    co_return fail(Errc::refused, "pg_rewind is not begun: a server runs in {}", job.paths.data);
  }
  const auto swept = co_await sweep(job);
  if (!swept) co_return pass_on(swept.error());
  auto look = [path = job.paths.data] { return look_at_target(path); };
  co_return co_await job.on_disk(std::move(look), look_time_max);
}

// ---- Before: the source ----------------------------------------------------------------------

constexpr std::string_view source_query =
    "SELECT (SELECT lpad(upper(to_hex(timeline_id)), 8, '0') FROM "
    "pg_catalog.pg_control_checkpoint()) = "
    "substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_flush_lsn()), 1, 8) AS current";

// Out of recovery is what the connection asks for; pg_control must know the running timeline too
// (trap 55). Nobody tells us when a remote's does, so that it is made to.
os::Awaitable<Result<void>> prove_source(Job job, Upstream source) {
  const auto& settings = *job.settings;
  const bool superuser = rewind_user_of(settings) == superuser_of(settings);
  auto request = upstream_request(settings, source);
  request.settings["statement_timeout"] = "0";
  auto session = co_await connect(job, std::move(request));
  if (!session) co_return tl::unexpected(session.error().plain());
  if (source.is_remote && superuser) {
    const auto done = co_await (*session)->query("CHECKPOINT", {}, job.limit());
    if (!done) co_return tl::unexpected(done.error().plain());
  }
  const auto limit = job.within(query_time_max);
  const auto rows = co_await (*session)->query(std::string(source_query), {}, limit);
  if (!rows) co_return tl::unexpected(rows.error().plain());
  if (rows->at(0, "current") == "t") co_return Result<void>{};
  co_return fail(Errc::refused, "leader has not run a checkpoint yet");
}

// ---- The configuration is this node's own (trap 67) ------------------------------------------

struct KeptFile {
  std::string path;
  std::string text;
};

std::vector<KeptFile> keep_config_files(const Paths& paths) {
  auto wanted = paths.backed_up;
  for (const auto& path : paths.backed_up) wanted.push_back(paths.backup_of(path));
  wanted.push_back(paths.auto_conf);
  std::vector<KeptFile> kept;
  for (const auto& path : wanted) {
    auto text = os::read_file(path);
    if (text) kept.push_back({path, std::move(*text)});
  }
  return kept;
}

Result<void> put_back(const std::vector<KeptFile>& kept, const Paths& paths) {
  for (const auto& file : kept) {
    const auto present = os::read_file(file.path);
    if (present && *present == file.text) continue;
    const auto mode = file_mode_for(file.path, paths.data);
    if (auto done = os::replace_file(file.path, file.text, mode); !done) return done;
  }
  return {};
}

// ---- The run ---------------------------------------------------------------------------------

struct RestorePlan {
  std::string command;
  bool by_tool = false;  // pg_rewind runs it
  bool name_config = false;
};

os::Awaitable<RestorePlan> plan_restore(Job job, std::int64_t major_version) {
  RestorePlan plan;
  const bool config_in_data = job.paths.main == job.paths.in_data("postgresql.conf");
  const auto configured = co_await configured_value(job, "restore_command");
  if (!configured) {
    log_warning("restore_command is not known: {}", configured.error().message);
  } else if (!configured->empty()) {
    plan.command = *configured;
    plan.by_tool = major_version >= 15 || (major_version >= 13 && config_in_data);
    plan.name_config = major_version >= 15 && !config_in_data;
    co_return plan;
  }
  // The files of a former primary do not name it.
  const auto recovery = configured_recovery(*job.settings);
  const auto found = recovery.find("restore_command");
  if (found != recovery.end()) plan.command = found->second;
  co_return plan;
}

struct RewindRun {
  ToolRun tool;
  RestorePlan restore;
  // pg_rewind says this line, and only with --progress, directly before the first change.
  std::shared_ptr<bool> copying = std::make_shared<bool>(false);
};

os::Awaitable<Result<RewindRun>> prepare_run(Job job, Upstream source, std::int64_t major_version) {
  const auto& settings = *job.settings;
  const auto& user = rewind_user_of(settings);
  RewindRun run;
  run.restore = co_await plan_restore(job, major_version);
  auto environment = co_await password_environment(job, user, source);
  if (!environment) co_return pass_on(environment.error());
  environment->emplace_back("PGOPTIONS=-c statement_timeout=0");
  const auto conninfo = upstream_conninfo(settings, user, source);
  run.tool.name = "pg_rewind";
  run.tool.time_max = rewind_time_max;
  run.tool.environment = std::move(*environment);
  auto& arguments = run.tool.arguments;
  if (run.restore.by_tool) arguments.emplace_back("--restore-target-wal");
  if (run.restore.name_config) arguments.push_back("--config-file=" + job.paths.main);
  arguments.insert(arguments.end(), {"-D", job.paths.data, "--progress", "--source-server",
                                     conninfo + " target_session_attrs=read-write"});
  const auto options = tool_options(Tool::rewind, settings.rewind_options, major_version);
  for (const auto& error : options.errors) log_error("{}", error);
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  run.tool.on_error_line = [copying = run.copying](std::string_view line) {
    if (line.find("need to copy") != std::string_view::npos) *copying = true;
    log_info("{}", line);
  };
  co_return run;
}

// Until it succeeds, or lacks something that cannot be fetched.
os::Awaitable<Result<void>> run_rewind(Job job, RewindRun run) {
  const bool may_fetch = !run.restore.command.empty() && !run.restore.by_tool;
  std::set<std::string> fetched;
  for (;;) {
    const auto end = co_await run_tool(job, run.tool);
    if (!end) co_return pass_on(end.error());
    if (end->succeeded()) co_return Result<void>{};
    auto segment = missing_segment(end->errors);
    if (!segment) segment = missing_segment(end->output);
    const bool again = may_fetch && !*run.copying && segment && fetched.insert(*segment).second;
    if (!again) co_return tl::unexpected(failure_of("pg_rewind", *end));
    log_info("pg_rewind lacks {}: fetching it from the archive", *segment);
    const auto restored = co_await restore_segment(job, run.restore.command, *segment);
    if (!restored) co_return pass_on(restored.error(), "pg_rewind lacks {}", *segment);
  }
}

// ---- Around the run --------------------------------------------------------------------------

// From here on nobody starts this directory: its own single-user recovery needs standby.signal out
// of the way (trap 65).
Result<void> enter_rewind(const Paths& paths) {
  if (auto done = set_rewind_marker(paths.data); !done) return done;
  return set_standby_signal(paths.data, false);
}

// The order matters when we are killed in between: the marker goes last.
Result<void> leave_changed(const Paths& paths, const ServerSettings& settings,
                           const std::vector<KeptFile>& kept) {
  if (auto done = put_back(kept, paths); !done) return done;
  if (auto done = settle_new_data(paths, settings); !done) return done;
  if (auto done = set_standby_signal(paths.data, true); !done) return done;
  return clear_rewind_marker(paths.data);
}

Result<void> leave_unchanged(const Paths& paths, const DataFacts& before) {
  if (before.standby_signal) {
    if (auto done = set_standby_signal(paths.data, true); !done) return done;
  }
  return clear_rewind_marker(paths.data);
}

os::Awaitable<Result<void>> rewind_between(Job job, RewindRun run, DataFacts before) {
  auto keep = [paths = job.paths] { return keep_config_files(paths); };
  const auto kept = co_await job.on_disk(std::move(keep));
  if (!kept) co_return pass_on(kept.error());
  auto enter = [paths = job.paths] { return enter_rewind(paths); };
  auto rewound = co_await job.on_disk(std::move(enter));
  if (rewound) {
    rewound = co_await run_rewind(job, run);
  }
  if (!rewound && *run.copying) {
    co_return pass_on(rewound.error(), "{} is now a mixture of files and must be copied anew",
                      job.paths.data);
  }
  job.stop = std::make_shared<os::Stop>();  // what follows is never left half done
  const bool changed = rewound.has_value();
  auto leave = [changed, paths = job.paths, settings = job.settings, kept = *kept, before] {
    return changed ? leave_changed(paths, *settings, kept) : leave_unchanged(paths, before);
  };
  const auto left = co_await job.on_disk(std::move(leave));
  if (rewound && !left) co_return left;
  if (!left) log_error("after a failed pg_rewind: {}", left.error().message);
  co_return rewound;
}

}  // namespace

os::Awaitable<ServerResult> rewind_data(Job job, RewindData wanted) {
  const auto before = co_await fit_target(job);
  if (!before) co_return failed(before.error());
  const auto proven = co_await prove_source(job, wanted.source);
  if (!proven) {
    const auto& source = wanted.source;
    auto result = failed(format_text("Can not use {} for rewind: {}",
                                     source.is_remote ? source.host : source.member.value(),
                                     proven.error().message));
    result.source_lost = true;
    co_return result;
  }
  co_await archive_waiting_segments(job);
  co_await salvage_divergence(job, wanted.source);
  auto run = co_await prepare_run(job, wanted.source, before->major_version);
  if (!run) co_return failed(run.error());
  if (job.stopped()) co_return failed("the rewind was cancelled");
  job.server->control.reset();
  const auto copying = run->copying;
  const auto rewound = co_await rewind_between(job, std::move(*run), *before);
  job.server->control.reset();
  if (!rewound) {
    auto result = failed(rewound.error());
    if (!*copying) {
      const auto still_there = co_await prove_source(job, wanted.source);
      result.source_lost = !still_there;
    }
    co_return result;
  }
  log_info("pg_rewind from {}:{} has succeeded", wanted.source.host, wanted.source.port);
  co_return succeeded();
}

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Signals to the postmaster, watching it go, and escalation.
#include "postgres/stop.h"

#include <signal.h>

#include <cstring>
#include <tuple>

#include "base/format.h"
#include "base/log.h"
#include "os/clock.h"
#include "os/file.h"
#include "postgres/control_file.h"
#include "postgres/programs.h"
#include "postgres/server_processes.h"
#include "postgres/sessions.h"
#include "postgres/start.h"
#include "postgres/tool_options.h"

namespace tanist::postgres {

namespace {

constexpr Duration stop_poll = milliseconds{20};

int signal_of(StopMode mode) {
  switch (mode) {
    case StopMode::smart: return SIGTERM;
    case StopMode::fast: return SIGINT;
    case StopMode::immediate: break;
  }
  return SIGQUIT;
}

// ---- Before the signal -----------------------------------------------------------------------

os::Awaitable<void> checkpoint_before(Job job, std::optional<Duration> limit) {
  auto session = co_await patient_session(job, job.settings->database);
  if (session) {
    const auto patience = limit ? job.within(*limit) : job.limit();
    const auto done = co_await (*session)->query("CHECKPOINT", {}, patience);
    if (done) co_return;
    log_warning("CHECKPOINT before the stop failed: {}", done.error().message);
  } else {
    log_warning("CHECKPOINT before the stop failed: {}", session.error().message);
  }
}

os::Awaitable<void> run_before_stop(Job job) {
  auto words = split_command(job.settings->before_stop);
  if (!words) {
    log_error("postgresql.before_stop: {}", words.error().message);
    co_return;
  }
  const auto end = co_await run_command(job, std::move(*words), {});
  if (!end) {
    log_error("before_stop: {}", end.error().message);
  } else if (!end->succeeded()) {
    log_error("{}", failure_of("before_stop", *end).message);
  }
}

// ---- Watching it go --------------------------------------------------------------------------

// What one look at a stopping server finds.
struct Look {
  std::string control_bytes;  // empty = unreadable
  bool has_clients = true;
};

// The postmaster has begun to stop, hence admits nobody: it says so in its file.
bool admits_nobody(const std::string& data, std::int64_t postmaster) {
  const auto content = os::read_file(data + "/postmaster.pid", 4096);
  if (!content) return false;
  const auto file = parse_postmaster_file(*content);
  return file && file->pid == postmaster && file->status == "stopping";
}

Look look_at_stopping(const std::string& data, std::int64_t postmaster, bool count_clients) {
  Look look;
  look.control_bytes = read_control_bytes(data).value_or("");
  if (count_clients && admits_nobody(data, postmaster)) {
    look.has_clients = !client_backends(postmaster).empty();
  }
  return look;
}

// pg_control begins with the system identifier (8 bytes), two versions and the state (4 bytes
// each), in every version of PostgreSQL that we drive. Only used to spare pg_controldata while
// nothing has been decided: what counts is always read by that program.
bool is_still_shutting_down(const std::string& control_bytes) {
  constexpr std::size_t state_at = 16;
  constexpr std::uint32_t shutting_down = 3;  // DB_SHUTDOWNING
  std::uint32_t state = 0;
  if (control_bytes.size() < state_at + sizeof state) return false;
  std::memcpy(&state, control_bytes.data() + state_at, sizeof state);
  return state == shutting_down;
}

// What has been told of this stop.
struct Told {
  StopProgress progress;
  std::string control_bytes;
};

// `all_gone`: the server has ended and nothing of it is left.
os::Awaitable<Told> tell_of_stop(Job job, os::ProcessPtr process, Told told, bool all_gone) {
  const bool count = !told.progress.safe_point && !all_gone;
  auto look = [data = job.paths.data, pid = process->identity().pid, count] {
    return look_at_stopping(data, pid, count);
  };
  const auto seen = co_await job.on_disk(std::move(look));
  if (!seen) co_return told;
  auto progress = told.progress;
  if (!seen->control_bytes.empty() && seen->control_bytes != told.control_bytes) {
    if (is_still_shutting_down(seen->control_bytes)) {
      progress.control_state = ControlState::shutting_down;
    } else {
      const auto control = co_await read_control(job);
      if (control) {
        progress.control_state = control->state;
        progress.checkpoint = control->checkpoint;
      }
    }
    told.control_bytes = seen->control_bytes;
  }
  // Children of a postmaster that died meanwhile are nobody's children: the count says nothing.
  progress.safe_point = all_gone || progress.safe_point || (!seen->has_clients && process->alive());
  if (progress != told.progress) job.server->tell(job.id, progress);
  told.progress = progress;
  co_return told;
}

// Kills the postmaster and everything in its data directory.
os::Awaitable<Result<void>> kill_server(Job job, os::ProcessPtr postmaster) {
  if (postmaster) {
    postmaster->send(SIGSTOP);  // so that it starts nobody meanwhile
    postmaster->send(SIGKILL);
    // One that waits for a hung disk does not go: the sweep tells whether it can still run.
    const auto soon = job.within(seconds{1});
    co_await postmaster->exited(soon);
  }
  co_return co_await sweep(job);
}

// Waits for the end of a signalled postmaster, stepping up when `limit` passes.
os::Awaitable<Result<void>> see_it_end(Job job, os::ProcessPtr process, StopMode mode,
                                       std::optional<Duration> limit) {
  Told told;
  auto deadline = limit ? job.within(*limit) : job.limit();
  bool clean = mode != StopMode::immediate;
  for (;;) {
    told = co_await tell_of_stop(job, process, std::move(told), false);
    const auto moment = deadline.within(stop_poll);
    const auto how = co_await process->exited(moment);
    if (how == os::Ended::done) break;
    if (job.stopped()) co_return fail(Errc::cancelled, "the stop was cancelled");
    if (!deadline.over()) continue;
    clean = false;
    if (mode == StopMode::immediate) {
      log_warning("the server does not end: killing it");
      break;
    }
    log_warning("the server did not stop in time: stopping it immediately");
    mode = StopMode::immediate;
    process->send(signal_of(mode));
    deadline = job.within(*limit);
  }
  // After a clean end nobody is left; backends of one that died may live on (trap 28).
  if (!clean || process->status() != 0) {
    const auto killed = co_await kill_server(job, process);
    if (!killed) co_return pass_on(killed.error());
  }
  std::ignore = co_await tell_of_stop(job, process, std::move(told), true);
  co_return Result<void>{};
}

}  // namespace

os::Awaitable<ServerResult> stop_server(Job job, StopServer wanted) {
  const auto search = co_await look_for_postmaster(job);
  auto& server = *job.server;
  const auto process = server.postmaster;
  if (!search.found || !process) {
    const auto swept = co_await sweep(job);
    if (!swept) co_return failed(swept.error());
    server.tell(job.id, StopProgress{.safe_point = true});
    co_return succeeded();
  }
  if (server.is_single_user) {
    co_return failed(format_text("a single-user server (process {}) uses {}: end it first",
                                 process->identity().pid, job.paths.data));
  }
  if (wanted.checkpoint_first) {
    co_await checkpoint_before(job, wanted.limit);
  }
  if (wanted.run_before_stop && !job.settings->before_stop.empty()) {
    co_await run_before_stop(job);
  }
  if (job.stopped()) co_return failed("the stop was cancelled");
  server.idle_session = nullptr;
  if (process->alive() && !process->send(signal_of(wanted.mode))) {
    co_return failed("pg_ctl stop failed: the signal was refused");
  }
  const auto ended = co_await see_it_end(job, process, wanted.mode, wanted.limit);
  if (!ended) co_return failed(ended.error());
  co_return succeeded();
}

// ---- Fence -----------------------------------------------------------------------------------

void quit_postmaster(const LocalServer& server) {
  if (server.postmaster) server.postmaster->send(SIGQUIT);
}

os::Awaitable<ServerResult> fence_server(Job job, FenceServer wanted) {
  const auto kill_at = os::now() + wanted.kill_after;
  for (int round = 0;; ++round) {
    const auto search = co_await look_for_postmaster(job);
    const auto process = search.found ? job.server->postmaster : nullptr;
    if (process) {
      process->send(SIGQUIT);
      const auto patience = job.limit().no_later_than(kill_at);
      co_await process->exited(patience);
    }
    const auto killed = co_await kill_server(job, process);
    if (!killed) co_return failed(killed.error());
    job.server->tell(job.id, StopProgress{.safe_point = true});
    if (!process || round > 0) co_return succeeded();
    // Once more: a start that was under way may have put another one there.
  }
}

// ---- Checkpoint ------------------------------------------------------------------------------

os::Awaitable<ServerResult> checkpoint_server(Job job) {
  auto session = co_await patient_session(job, job.settings->database);
  if (!session) co_return failed(session.error().message);
  const auto done = co_await (*session)->query("CHECKPOINT", {}, job.limit());
  if (!done) co_return failed(done.error().message);
  co_return succeeded();
}

}  // namespace tanist::postgres

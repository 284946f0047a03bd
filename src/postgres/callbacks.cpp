// SPDX-License-Identifier: Apache-2.0
// The two lanes of callbacks.
#include "postgres/callbacks.h"

#include <signal.h>

#include "base/log.h"

namespace tanist::postgres {

struct CallbackLane::State {
  os::Executor loop;
  os::DiskPool* disk;
  bool asks_first;
  bool working = false;
  std::optional<CallbackRun> next;
  os::ProcessPtr running;
  std::string running_name;
};

CallbackLane::CallbackLane(os::Executor loop, os::DiskPool& disk, bool asks_first)
    : state_(std::make_shared<State>(std::move(loop), &disk, asks_first)) {}

void CallbackLane::run(CallbackRun next) {
  state_->next = std::move(next);
  if (state_->working) return;
  state_->working = true;
  os::start(state_->loop, work(state_));
}

namespace {

// Ends the callback and everything in its session. It is stopped first, so that it cannot start
// more; a reload callback is asked instead.
os::Awaitable<void> end_callback(os::DiskPool* disk, os::ProcessPtr process, bool asks_first) {
  const auto leader = static_cast<pid_t>(process->identity().pid);
  if (!asks_first && process->alive()) kill(-leader, SIGSTOP);
  const bool ended = co_await os::end_session(disk, process, Duration::zero());
  if (!ended) log_warning("Callback process {} cannot be ended", process->identity().pid);
}

os::Awaitable<void> reap(os::ProcessPtr process) { co_await process->exited(os::Limit{}); }

}  // namespace

os::Awaitable<void> CallbackLane::work(std::shared_ptr<State> state) {
  while (state->next) {
    if (state->running && state->running->alive()) {
      log_warning("Killed {} because it was still running", state->running_name);
      co_await end_callback(state->disk, state->running, state->asks_first);
    }
    state->running = nullptr;
    if (!state->next) break;
    const auto run = std::exchange(state->next, std::nullopt);
    os::SpawnRequest request;
    request.arguments = run->command;
    request.environment = run->environment;
    request.output = os::Output::inherit;
    request.errors = os::Output::inherit;
    const auto limit = os::Limit{}.within(seconds{30});
    auto started = co_await os::spawn_process(state->disk, std::move(request), limit);
    if (started) {
      state->running = std::move(*started);
      state->running_name = run->command.front();
      os::start(state->loop, reap(state->running));
    } else {
      log_warning("Callback failed: {}", started.error().message);
    }
  }
  state->working = false;
}

}  // namespace tanist::postgres

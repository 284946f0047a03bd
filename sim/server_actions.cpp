// SPDX-License-Identifier: Apache-2.0
// Lanes; starting, stopping, promoting and reloading.
#include "sim/server_actions.h"

#include <type_traits>

#include "core/standby_names.h"

namespace tanist::sim {

namespace {

template <class T, class... Others>
inline constexpr bool is_one_of = (std::is_same_v<T, Others> || ...);

ServerResult failed(std::string error) {
  ServerResult result;
  result.error = std::move(error);
  return result;
}

ServerResult not_started(std::string why) {
  auto result = failed(std::move(why));
  result.start = StartOutcome::not_started;
  return result;
}

}  // namespace

template <class A>
constexpr ServerActions::Lane ServerActions::lane_of() {
  if (std::is_same_v<A, FenceServer>) return Lane::fence;
  if (is_one_of<A, ObserveServer, CompareGoal, ExamineDivergence, CheckpointServer, ResumeReplay,
                WakeReceiver, ReadHistory, LocateShutdown, LocateWalEnd, ChangeSlots,
                ObserveLeaderSlots, RunCallback>) {
    return Lane::background;
  }
  return Lane::server;
}

ServerActions::ServerActions(ServerSurroundings around, const MachineClock& clock, Server& server,
                             Guard& guard, Process& agent)
    : around_(std::move(around)),
      clock_(clock),
      server_(server),
      guard_(guard),
      agent_(agent),
      chance_(around_.world.chance().fork()) {}

void ServerActions::begin(ServerHooks hooks) {
  runs_.clear();
  hooks_ = std::move(hooks);
}

std::string ServerActions::hindrance(Lane lane, std::size_t kind) const {
  for (const auto& [id, run] : runs_) {
    if (lane == Lane::server && run->lane != Lane::background) {
      return "another action on the server is under way";
    }
    if (lane == Lane::background && run->kind == kind) return "an action of this kind is under way";
  }
  return {};
}

void ServerActions::start(EffectId id, ServerAction action, Done done) {
  const auto lane = std::visit([]<class A>(const A&) { return lane_of<A>(); }, action);
  auto run = std::make_shared<Run>(Run{id, lane, action.index(), false, false, std::move(done)});
  if (const auto why_not = hindrance(lane, action.index()); !why_not.empty()) {
    agent_.after(Duration(0), [run, why_not] { run->done(failed(why_not)); });
    return;
  }
  if (lane == Lane::fence) {
    server_.quit();
    for (const auto& [other, running] : runs_) {
      if (running->lane == Lane::server) running->cancelled = true;
    }
  }
  runs_.emplace(id, run);
  agent_.after(Duration(0), [this, run, action = std::move(action)] {
    std::visit([&](const auto& each) { perform(run, each); }, action);
  });
}

void ServerActions::cancel(EffectId id) {
  const auto at = runs_.find(id);
  if (at != runs_.end()) at->second->cancelled = true;
}

void ServerActions::finish(const RunPtr& run, ServerResult result) {
  if (std::exchange(run->over, true)) return;
  runs_.erase(run->id);
  run->done(std::move(result));
}

void ServerActions::fail(const RunPtr& run, std::string error) {
  finish(run, failed(std::move(error)));
}

void ServerActions::succeed(const RunPtr& run) {
  ServerResult result;
  result.ok = true;
  finish(run, std::move(result));
}

void ServerActions::poll(const RunPtr& run, Duration interval, std::function<bool()> step) {
  agent_.after(interval, [this, run, interval, step = std::move(step)]() mutable {
    if (!step()) poll(run, interval, std::move(step));
  });
}

Server* ServerActions::reachable(const Upstream& upstream) const {
  auto* server = hooks_.find(upstream.host);
  if (server == nullptr || !around_.network.connected(server_.host(), server->host())) {
    return nullptr;
  }
  return server->accepts() ? server : nullptr;
}

// ---- Start -----------------------------------------------------------------------------------

void ServerActions::perform(const RunPtr& run, const StartServer& action) {
  agent_.after(some(milliseconds(40)), [this, run, action] {
    if (server_.alive()) return await_ready(run, action.timeout);
    if (server_.data().kind != DataDirectory::present) {
      return finish(run, not_started("there is no data directory"));
    }
    if (server_.data().rewind_interrupted) {
      return finish(run, not_started("pg_rewind did not end"));
    }
    server_.data().standby_signal = action.goal.standby;
    goal_ = action.goal;
    if (!action.goal.standby) {
      const auto reason = hooks_.primary_allowed();
      if (!reason.empty()) {
        return finish(run, not_started("the start as primary is not allowed: " + reason));
      }
    }
    if (run->cancelled) return finish(run, not_started("the start was cancelled"));
    agent_.after(some(milliseconds(10)), [this, run, action] { spawn(run, action); });
  });
}

void ServerActions::spawn(const RunPtr& run, const StartServer& action) {
  const int refused = guard_.start_refused(server_.data().standby_signal, false);
  if (refused != 0) {
    around_.world.tell(server_.name(), "pg: the launcher refuses the start ({})", refused);
    ServerResult result = failed("the server ended while it was starting");
    result.start = StartOutcome::died;
    return finish(run, std::move(result));
  }
  server_.set_upstream(action.goal.upstream);
  server_.name_standbys(action.goal.synchronous_standby_names.value_or(""));
  server_.launch(false);
  hooks_.started(*server_.identity());
  await_ready(run, action.timeout);
}

void ServerActions::await_ready(const RunPtr& run, Duration limit) {
  const auto deadline = clock_.now() + limit;
  const auto who = server_.identity();
  poll(run, milliseconds(50), [this, run, deadline, who] {
    ServerResult result;
    result.ok = true;
    if (server_.identity() != who) {
      result = failed("the server ended while it was starting; its log tells why");
      result.start = StartOutcome::died;
    } else if (server_.accepts()) {
      result.start = StartOutcome::ready;
    } else if (run->cancelled) {
      result = failed("the start was cancelled; the server goes on starting");
    } else if (clock_.now() >= deadline) {
      result.start = StartOutcome::still_starting;
    } else {
      return false;
    }
    finish(run, std::move(result));
    return true;
  });
}

// ---- Stop ------------------------------------------------------------------------------------

void ServerActions::tell_progress(StopProgress& told, bool all_gone) {
  auto progress = told;
  progress.control_state = server_.data().state;
  progress.checkpoint = server_.data().checkpoint;
  const bool nobody = server_.alive() && server_.phase() == Phase::stopping;
  progress.safe_point = all_gone || told.safe_point || nobody;
  if (progress == told) return;
  told = progress;
  hooks_.progress(progress);
}

void ServerActions::perform(const RunPtr& run, const StopServer& action) {
  agent_.after(some(milliseconds(10)), [this, run, action] {
    if (!server_.alive()) {
      hooks_.progress(StopProgress{.safe_point = true});
      return succeed(run);
    }
    if (!action.checkpoint_first || !server_.accepts()) return signal_stop(run, action);
    auto done = std::make_shared<bool>(false);
    server_.checkpoint([done] { *done = true; });
    poll(run, milliseconds(10), [this, run, action, done] {
      if (run->cancelled) return fail(run, "the stop was cancelled"), true;
      if (!*done && server_.accepts()) return false;
      signal_stop(run, action);
      return true;
    });
  });
}

void ServerActions::signal_stop(const RunPtr& run, const StopServer& action) {
  struct State {
    StopMode mode;
    Instant deadline;
    StopProgress told;
  };
  auto state = std::make_shared<State>(State{action.mode, Instant::max(), {}});
  if (action.limit) state->deadline = clock_.now() + *action.limit;
  if (action.mode == StopMode::immediate) {
    server_.quit();
  } else {
    server_.stop_fast();
  }
  poll(run, milliseconds(20), [this, run, state, limit = action.limit] {
    const bool gone = !server_.alive();
    tell_progress(state->told, gone);
    if (gone) return succeed(run), true;
    if (run->cancelled) return fail(run, "the stop was cancelled"), true;
    if (clock_.now() < state->deadline) return false;
    if (state->mode == StopMode::immediate) {
      server_.kill();
      return false;
    }
    state->mode = StopMode::immediate;
    state->deadline = clock_.now() + *limit;
    server_.quit();
    return false;
  });
}

void ServerActions::perform(const RunPtr& run, const FenceServer& action) {
  const auto kill_at = clock_.now() + action.kill_after;
  server_.quit();
  poll(run, milliseconds(5), [this, run, kill_at] {
    if (server_.alive() && clock_.now() >= kill_at) server_.kill();
    if (server_.alive()) return false;
    hooks_.progress(StopProgress{.safe_point = true});
    succeed(run);
    return true;
  });
}

// ---- Promotion and settings ------------------------------------------------------------------

void ServerActions::perform(const RunPtr& run, const PromoteServer& action) {
  const auto who = server_.identity();
  if (!who) return fail(run, "the server is not running");
  agent_.after(some(milliseconds(60)), [this, run, action, who] {
    if (run->cancelled) return fail(run, "the promotion was cancelled");
    if (server_.identity() != who) return fail(run, "the server has ended");
    goal_ = action.goal;
    const auto names = action.goal.synchronous_standby_names.value_or("");
    server_.name_standbys(names);
    agent_.after(names.empty() ? Duration(0) : standby_names_settle,
                 [this, run, who] { promote(run, *who); });
  });
}

void ServerActions::promote(const RunPtr& run, ProcessIdentity who) {
  if (run->cancelled) return fail(run, "the promotion was cancelled");
  if (server_.identity() != who) return fail(run, "the server has ended");
  const auto reason = hooks_.primary_allowed();
  if (!reason.empty()) return fail(run, "the promotion is not allowed: " + reason);
  server_.process().after(some(milliseconds(10)), [this] { server_.promote(); });
  agent_.after(milliseconds(12), [this, run] { succeed(run); });
}

void ServerActions::perform(const RunPtr& run, const ReloadServer& action) {
  agent_.after(some(milliseconds(30)), [this, run, action] {
    ServerResult result;
    result.ok = server_.accepts();
    const bool same = goal_ == action.goal;
    goal_ = action.goal;
    if (server_.alive()) server_.set_upstream(action.goal.upstream);
    server_.name_standbys(action.goal.synchronous_standby_names.value_or(""));
    result.difference = same && !action.always ? GoalDifference::none : GoalDifference::reload;
    if (!result.ok) result.error = "the server is not running";
    finish(run, std::move(result));
  });
}

void ServerActions::perform(const RunPtr& run, const CompareGoal& action) {
  agent_.after(some(milliseconds(10)), [this, run, action] {
    ServerResult result;
    result.ok = server_.accepts();
    if (!result.ok) {
      result.error = "the server is not running";
      result.difference = GoalDifference::unknown;
    } else if (action.goal.standby && !server_.data().standby_signal) {
      result.difference = GoalDifference::restart;
    } else {
      const bool same = goal_ == action.goal &&
                        (!action.goal.standby || server_.upstream() == action.goal.upstream);
      result.difference = same ? GoalDifference::none : GoalDifference::reload;
    }
    finish(run, std::move(result));
  });
}

void ServerActions::perform(const RunPtr& run, const RunPrePromote&) {
  agent_.after(some(milliseconds(50)), [this, run] { succeed(run); });
}

void ServerActions::perform(const RunPtr& run, const FinishBootstrap&) {
  agent_.after(some(milliseconds(200)), [this, run] {
    const bool good = server_.writable() || (server_.accepts() && server_.data().standby_signal);
    if (!good) return fail(run, "the server does not answer");
    succeed(run);
  });
}

void ServerActions::perform(const RunPtr& run, const CheckpointServer&) {
  if (!server_.accepts()) return fail(run, "the server does not answer");
  const auto who = server_.identity();
  auto done = std::make_shared<bool>(false);
  server_.checkpoint([done] { *done = true; });
  poll(run, milliseconds(10), [this, run, who, done] {
    if (*done) return succeed(run), true;
    if (server_.identity() != who) return fail(run, "the server has ended"), true;
    return false;
  });
}

void ServerActions::perform(const RunPtr& run, const RunCallback&) { succeed(run); }

// There is no archive command in the model, and nothing that pauses a replay.
void ServerActions::perform(const RunPtr& run, const ArchiveEnd&) { succeed(run); }
void ServerActions::perform(const RunPtr& run, const ResumeReplay&) { succeed(run); }
void ServerActions::perform(const RunPtr& run, const WakeReceiver&) { succeed(run); }

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Lanes of actions, and which function performs which action.
#include "postgres/server.h"

#include <boost/asio/post.hpp>
#include <map>
#include <type_traits>
#include <variant>

#include "base/assert.h"
#include "base/format.h"
#include "base/log.h"
#include "postgres/archive.h"
#include "postgres/bootstrap.h"
#include "postgres/clone.h"
#include "postgres/commands.h"
#include "postgres/compare_goal.h"
#include "postgres/divergence.h"
#include "postgres/finish_bootstrap.h"
#include "postgres/local_server.h"
#include "postgres/observe.h"
#include "postgres/reload.h"
#include "postgres/rewind.h"
#include "postgres/single_user.h"
#include "postgres/slot_copies.h"
#include "postgres/slots.h"
#include "postgres/start.h"
#include "postgres/stop.h"
#include "postgres/storage_watch.h"
#include "postgres/wal_location.h"

namespace tanist::postgres {

namespace {

enum class Lane { server, fence, background };

template <class T, class... Others>
inline constexpr bool is_one_of = (std::is_same_v<T, Others> || ...);

struct LaneOf {
  template <class A>
  Lane operator()(const A&) const {
    if constexpr (std::is_same_v<A, FenceServer>) {
      return Lane::fence;
    } else if constexpr (is_one_of<A, ObserveServer, CompareGoal, ExamineDivergence,
                                   CheckpointServer, ResumeReplay, WakeReceiver, ReadHistory,
                                   LocateShutdown, LocateWalEnd, ChangeSlots, ObserveLeaderSlots,
                                   RunCallback>) {
      return Lane::background;
    } else {
      return Lane::server;
    }
  }
};

// One function for each action.
struct Performer {
  Job job;

  using R = os::Awaitable<ServerResult>;
  R operator()(InitializeData) { return initialize_data(job); }
  R operator()(StartServer a) { return start_server(job, std::move(a)); }
  R operator()(StopServer a) { return stop_server(job, a); }
  R operator()(PromoteServer a) { return promote_server(job, std::move(a)); }
  R operator()(ReloadServer a) { return reload_server(job, std::move(a)); }
  R operator()(RunPrePromote) { return run_pre_promote(job); }
  R operator()(CloneData a) { return clone_data(job, std::move(a)); }
  R operator()(FinishBootstrap) { return finish_bootstrap(job); }
  R operator()(RewindData a) { return rewind_data(job, std::move(a)); }
  R operator()(RecoverData) { return recover_data(job); }
  R operator()(EmptyData a) { return empty_data(job, std::move(a)); }
  R operator()(SetDataAside) { return set_aside(job); }
  R operator()(ArchiveEnd) { return archive_end(job); }
  R operator()(FenceServer a) { return fence_server(job, a); }
  R operator()(ObserveServer a) { return observe_server(job, a); }
  R operator()(CompareGoal a) { return compare_goal(job, std::move(a)); }
  R operator()(ExamineDivergence a) { return examine_divergence(job, std::move(a)); }
  R operator()(CheckpointServer) { return checkpoint_server(job); }
  R operator()(ResumeReplay) { return resume_replay(job); }
  R operator()(WakeReceiver) { return wake_receiver(job); }
  R operator()(ReadHistory a) { return read_history(job, a); }
  R operator()(LocateShutdown) { return locate_shutdown(job); }
  R operator()(LocateWalEnd) { return locate_wal_end(job); }
  R operator()(ChangeSlots a) { return change_slots(job, std::move(a)); }
  R operator()(FetchSlots a) { return fetch_slots(job, std::move(a)); }
  R operator()(InstallSlots) { return install_slots(job); }
  R operator()(ObserveLeaderSlots a) { return observe_leader_slots(job, std::move(a)); }
  R operator()(RunCallback a) { return run_callback(job, std::move(a)); }
};

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  struct Running {
    Lane lane;
    std::size_t kind;  // alternative of ServerAction
    os::StopPtr stop;
    Done done;
  };

  explicit State(LocalServerPtr local_server) : local(std::move(local_server)) {}

  // Why `action` may not begin now; empty = it may.
  std::string hindrance(Lane lane, std::size_t kind) const {
    for (const auto& [id, running] : actions) {
      if (lane == Lane::server && running.lane != Lane::background) {
        return "another action on the server is under way";
      }
      if (lane == Lane::background && running.kind == kind) {
        return "an action of this kind is under way";
      }
    }
    return {};
  }

  void cancel_lane(Lane lane) const {
    for (const auto& [id, running] : actions) {
      if (running.lane == lane) running.stop->request();
    }
  }

  void finish(EffectId id, ServerResult result) {
    const auto at = actions.find(id);
    if (at == actions.end()) return;
    const auto done = std::move(at->second.done);
    actions.erase(at);
    done(std::move(result));
  }

  static os::Awaitable<void> perform(std::shared_ptr<State> state, Job job, ServerAction action) {
    const auto id = job.id;
    auto task = std::visit(Performer{std::move(job)}, std::move(action));
    auto result = co_await std::move(task);
    state->finish(id, std::move(result));
  }

  Job job(EffectId id, os::StopPtr stop) const {
    return {local, id, std::move(stop), local->settings, Paths(*local->settings)};
  }

  LocalServerPtr local;
  os::StopPtr storage_stop;
  std::map<EffectId, Running> actions;
};

Server::Server(os::Executor loop, os::DiskPool& disk, ServerSettingsPtr settings,
               ServerHooks hooks) {
  TANIST_REQUIRE(settings != nullptr);
  state_ = std::make_shared<State>(
      std::make_shared<LocalServer>(std::move(loop), disk, std::move(settings), std::move(hooks)));
}

Server::~Server() {
  shut_down();
  state_->actions.clear();
}

void Server::set_settings(ServerSettingsPtr settings) {
  TANIST_REQUIRE(settings != nullptr);
  state_->local->settings = std::move(settings);
}

void Server::start(EffectId id, ServerAction action, Done done) {
  TANIST_REQUIRE(!state_->actions.contains(id));
  const auto lane = std::visit(LaneOf{}, action);
  const auto hindrance = state_->hindrance(lane, action.index());
  if (!hindrance.empty()) {
    auto result = failed(hindrance);
    boost::asio::post(state_->local->loop, [done = std::move(done), result] { done(result); });
    return;
  }
  if (lane == Lane::fence) {
    quit_postmaster(*state_->local);
    state_->cancel_lane(Lane::server);
  }
  auto stop = std::make_shared<os::Stop>();
  state_->actions.emplace(id, State::Running{lane, action.index(), stop, std::move(done)});
  auto begin = [state = state_, job = state_->job(id, std::move(stop)),
                action = std::move(action)] {
    os::start(state->local->loop, State::perform(state, job, action));
  };
  boost::asio::post(state_->local->loop, std::move(begin));
}

void Server::cancel(EffectId id) {
  const auto at = state_->actions.find(id);
  if (at != state_->actions.end()) at->second.stop->request();
}

namespace {

os::Awaitable<void> look(Job job, std::function<void(std::optional<ProcessIdentity>)> done) {
  const auto search = co_await look_for_postmaster(job);
  const auto& postmaster = job.server->postmaster;
  done(search.found && postmaster ? std::optional(postmaster->identity()) : std::nullopt);
}

}  // namespace

void Server::look_for_postmaster(std::function<void(std::optional<ProcessIdentity>)> done) {
  os::start(state_->local->loop,
            look(state_->job(EffectId(), std::make_shared<os::Stop>()), std::move(done)));
}

void Server::watch_storage() {
  if (state_->local->hooks.canary_command.empty() || state_->storage_stop) return;
  state_->storage_stop = std::make_shared<os::Stop>();
  os::start(state_->local->loop,
            postgres::watch_storage(state_->job(EffectId(), state_->storage_stop)));
}

void Server::shut_down() {
  if (state_->storage_stop) state_->storage_stop->request();
  for (const auto& [id, running] : state_->actions) running.stop->request();
}

}  // namespace tanist::postgres

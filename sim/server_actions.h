// SPDX-License-Identifier: Apache-2.0
// Performs the loop's server actions on a modelled server, as postgres/ does on a real one: lanes,
// cancelling, the same answers, times that vary. Lives and is stopped with the agent's process.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/server_actions.h"
#include "sim/guard.h"
#include "sim/machine_clock.h"
#include "sim/server.h"

namespace tanist::sim {

struct ServerHooks {
  std::function<void(ProcessIdentity)> started;
  std::function<void(ProcessIdentity)> exited;
  std::function<void(const StopProgress&)> progress;
  std::function<std::string()> primary_allowed;
  std::function<Server*(const std::string& host)> find;
};

class ServerActions {
 public:
  using Done = std::function<void(ServerResult)>;

  ServerActions(ServerSurroundings around, const MachineClock& clock, Server& server, Guard& guard,
                Process& agent);

  // For a new life of the agent: nothing is under way.
  void begin(ServerHooks hooks);
  void start(EffectId id, ServerAction action, Done done);
  void cancel(EffectId id);

 private:
  enum class Lane { server, fence, background };
  struct Run {
    EffectId id;
    Lane lane = Lane::background;
    std::size_t kind = 0;
    bool cancelled = false;
    bool over = false;
    Done done;
  };
  using RunPtr = std::shared_ptr<Run>;

  template <class A>
  static constexpr Lane lane_of();
  void finish(const RunPtr& run, ServerResult result);
  void fail(const RunPtr& run, std::string error);
  void succeed(const RunPtr& run);
  // Asks `step` again and again until it says that it is done.
  void poll(const RunPtr& run, Duration interval, std::function<bool()> step);
  Duration some(Duration most) { return chance_.between(most / 10, most); }
  Server* reachable(const Upstream& upstream) const;
  std::string hindrance(Lane lane, std::size_t kind) const;

  void perform(const RunPtr& run, const InitializeData& action);
  void perform(const RunPtr& run, const StartServer& action);
  void perform(const RunPtr& run, const StopServer& action);
  void perform(const RunPtr& run, const PromoteServer& action);
  void promote(const RunPtr& run, ProcessIdentity who);
  void perform(const RunPtr& run, const ReloadServer& action);
  void perform(const RunPtr& run, const RunPrePromote& action);
  void perform(const RunPtr& run, const CloneData& action);
  void perform(const RunPtr& run, const FinishBootstrap& action);
  void perform(const RunPtr& run, const RewindData& action);
  void perform(const RunPtr& run, const RecoverData& action);
  void perform(const RunPtr& run, const EmptyData& action);
  void perform(const RunPtr& run, const SetDataAside& action);
  void perform(const RunPtr& run, const FenceServer& action);
  void perform(const RunPtr& run, const ObserveServer& action);
  void perform(const RunPtr& run, const CompareGoal& action);
  void perform(const RunPtr& run, const ExamineDivergence& action);
  void perform(const RunPtr& run, const CheckpointServer& action);
  void perform(const RunPtr& run, const ArchiveEnd& action);
  void perform(const RunPtr& run, const ResumeReplay& action);
  void perform(const RunPtr& run, const WakeReceiver& action);
  void perform(const RunPtr& run, const ReadHistory& action);
  void perform(const RunPtr& run, const LocateShutdown& action);
  void perform(const RunPtr& run, const LocateWalEnd& action);
  void perform(const RunPtr& run, const ChangeSlots& action);
  // Logical slots are not modelled.
  void perform(const RunPtr& run, const FetchSlots&) { fail(run, "not modelled"); }
  void perform(const RunPtr& run, const InstallSlots&) { fail(run, "not modelled"); }
  void perform(const RunPtr& run, const ObserveLeaderSlots&) { fail(run, "not modelled"); }
  void perform(const RunPtr& run, const RunCallback& action);

  void spawn(const RunPtr& run, const StartServer& action);
  void await_ready(const RunPtr& run, Duration limit);
  void signal_stop(const RunPtr& run, const StopServer& action);
  void tell_progress(StopProgress& told, bool all_gone);
  void rewind_from(const RunPtr& run, const std::string& host);
  ServerFacts look(const ObserveServer& wanted) const;
  ControlData control() const;
  DivergenceFacts compare_with(const Upstream& leader) const;

  ServerSurroundings around_;
  const MachineClock& clock_;
  Server& server_;
  Guard& guard_;
  Process& agent_;
  Random chance_;
  ServerHooks hooks_;
  ServerGoal goal_;  // that the files were written for
  std::map<EffectId, RunPtr> runs_;
};

}  // namespace tanist::sim

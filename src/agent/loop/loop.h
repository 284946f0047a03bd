// SPDX-License-Identifier: Apache-2.0
// The agent's loop as a stepped value: an event in, effects out; no clock, I/O, thread or chance.
// Each step folds the event into the observation, tends the lease first, decides (unless the event
// is no news for that), numbers the effects and says when to wake. The driver performs
// it on real servers, the simulator in its world. One thread.
#pragma once

#include <map>
#include <string>

#include "agent/loop/event.h"
#include "core/decide.h"
#include "core/published_values.h"
#include "core/receiving.h"
#include "core/status.h"

namespace tanist::agent {

// A reign recorded by the guard's page of an earlier process of this node (safety 2.7).
struct Adoption {
  Reign reign;
  Instant until;  // the recorded end of its lease
  bool was_primary = false;
};

struct LoopStart {
  NodeSettings node;
  Tree config;  // dynamic document until the store tells one: the cached one, else bootstrap.dcs
  std::optional<Adoption> adoption;
  GuardState guard = GuardState::absent;
};

class Loop {
 public:
  // Errc::invalid when `start.config` has unusable timing.
  static Result<Loop> make(LoopStart start, Instant now);

  Effects step(const Event& event, Instant now, WallTime wall);

  const Observation& observation() const { return obs_; }
  const Memory& memory() const { return memory_; }
  const Why& why() const { return why_; }
  // What health checks and documents answer after the last step.
  Status status() const;

 private:
  struct Running {
    Task task;
    Instant until;
  };

  explicit Loop(LoopStart start, ClusterSettings settings, Instant now);

  // fold.cpp
  void fold(const Event& event);
  void fold(const TimerFired& event);
  void fold(const ViewArrived& event);
  void fold(const HealthChanged& event);
  void fold(const RenewalUnanswered& event);
  void fold(const EffectFinished& event);
  void fold(const PostmasterStarted& event);
  void fold(const PostmasterExited& event);
  void fold(const StopProgressed& event);
  void fold(const ApiRequested& event);
  void fold(const SettingsChanged& event);
  void fold(const GuardChanged& event);
  void fold(const WatchdogChanged& event);
  void fold(const StorageObserved& event);
  void fold(const CopyProgressed& event);
  void fold(const ShutdownRequested& event);
  void fold(const ReloadRequested& event);
  void fold_server_result(Task task, const ServerResult& result);
  void end_stop();
  void fold_facts(const ServerFacts& facts);
  void fold_peers(const PeerRound& round);
  void adopt_config(const ClusterView& view);
  void heed_lowered_ttl(seconds written_before);
  void refresh_timing();

  // lease.cpp
  void fold_store_result(Task task, const StoreResult& result);
  void fold_lock_result(Task task, const StoreResult& result);
  void fold_consent(bool all);
  void fold_renewal(const StoreResult& result);
  bool retakes_after_failsafe(const StoreResult& result);
  void retake_lock();
  void fold_refused_renewal(const StoreResult& result);
  void take_reign(const StoreResult& result);
  void lose_lock();
  void heed_view_of_lock(const ClusterView& view);
  void tend_lease();
  void arm_guard();
  Duration keep_interval() const;
  bool wants_other_lease() const;
  bool leaves_lease_to_end();
  bool others_led_since() const;
  bool is_keeping() const;

  // loop.cpp
  void begin_cycle_if_due();
  bool decides() const;
  void make_decision();
  void start(Task task, decltype(Effect::body) body, Instant until);
  void carry_out(Decision decision);
  void order(const Action& action);
  void publish_member();
  void say(const Why& why);
  void tell_news(const Decision& decision);
  bool was_said(const LogLine& line);

  Observation obs_;
  Memory memory_;
  Why why_;
  Effects out_;  // of the step under way
  DecisionNews news_;
  std::map<EffectId, Running> running_;
  std::uint64_t last_effect_ = 0;

  bool cycle_wanted_ = true;
  bool is_news_ = true;    // the event of the step under way: it may change what is decided
  Instant decision_wake_;  // the wake-up that the last decision asked for
  bool line_due_ = true;   // the regular cycle's status line was not said yet
  std::string last_line_;
  std::vector<LogLine> said_;  // beside the status line, in this regular cycle
  Why last_said_;              // what that line was made of
  bool last_said_paused_ = false;
  Instant trouble_said_at_;  // when the store's trouble was last logged
  Receiving receiving_;      // does WAL arrive here? for health checks

  Instant next_keep_;           // when lease or lock are kept next
  seconds lease_ttl_{0};        // that the lease was granted with
  std::string status_written_;  // last `status` that a renewal carried
  std::string status_sent_;     // of the renewal under way
  seconds failsafe_ttl_{0};     // that the members were asked to grant
  seconds former_ttl_{0};       // in force before the store's settings lowered it
  Instant former_ttl_until_;    // so long it counts for whoever does not lead
  bool retaken_ = false;        // the one retake of a deleted key (safety 1.4) was used

  std::optional<MemberFacts> member_written_;
  Instant member_written_at_;
  bool member_refused_ = false;
};

}  // namespace tanist::agent

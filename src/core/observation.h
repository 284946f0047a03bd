// SPDX-License-Identifier: Apache-2.0
// Everything that may influence a decision, as one value: settings, the cluster as last seen, the
// lock, the local server, what peers answered, requests, the running long action, memory, time.
// The loop folds events into it (agent/loop); decide() reads it. Values only; any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/action.h"
#include "core/cluster_settings.h"
#include "core/cluster_view.h"
#include "core/job.h"
#include "core/peer_report.h"
#include "core/server_facts.h"
#include "core/settings.h"
#include "core/why.h"

namespace tanist {

// This node's hold on the lock. Only a confirmed attempt of this process, or an adopted and proven
// reign, ever sets `reign` (safety 1.3, 2.7).
struct Lock {
  std::optional<Reign> reign;
  Instant until;     // D: the proven end of the lease (safety 1.1)
  Instant taken_at;  // when this process took or adopted it
  // Recorded by an earlier process of this node, not proven yet (safety 2.7).
  std::optional<Reign> adopting;
  bool lost = false;  // a renewal was refused; stays until no primary runs here any more
  // A renewal waits for its answer longer than one attempt may take.
  bool unanswered = false;
  // `until` was last moved by the other members' consent, not by the store (safety 3.4).
  bool by_failsafe = false;
  Instant failsafe_asked_at;  // when the last round of consent was begun
  // Create revision of the own lock whose lease is left to end (safety 5.3); zero = none.
  Revision given_up;

  static constexpr auto fields() {
    using L = Lock;
    return std::tuple{field("reign", &L::reign),
                      field("until", &L::until),
                      field("taken_at", &L::taken_at),
                      field("adopting", &L::adopting),
                      field("lost", &L::lost),
                      field("unanswered", &L::unanswered),
                      field("by_failsafe", &L::by_failsafe),
                      field("failsafe_asked_at", &L::failsafe_asked_at),
                      field("given_up", &L::given_up)};
  }
  friend bool operator==(const Lock&, const Lock&) = default;
};
static_assert(lists_all_fields<Lock>);

// The store as this node sees it.
struct StoreFacts {
  ClusterViewPtr view;     // never null once the first view came
  Instant view_at;         // when it last changed or was confirmed
  bool current = false;    // a live watch keeps it current
  Instant doubtful_since;  // since when `current` is false
  Duration election_timeout{0};
  LeaseId lease;  // of the member key
  Instant lease_until;

  static constexpr auto fields() {
    using S = StoreFacts;
    return std::tuple{field("view", &S::view),
                      field("view_at", &S::view_at),
                      field("current", &S::current),
                      field("doubtful_since", &S::doubtful_since),
                      field("election_timeout", &S::election_timeout),
                      field("lease", &S::lease),
                      field("lease_until", &S::lease_until)};
  }
};
static_assert(lists_all_fields<StoreFacts>);

struct GoalComparison {
  ServerGoal goal;
  GoalDifference difference = GoalDifference::unknown;
  Instant at;

  static constexpr auto fields() {
    using G = GoalComparison;
    return std::tuple{field("goal", &G::goal), field("difference", &G::difference),
                      field("at", &G::at)};
  }
  friend bool operator==(const GoalComparison&, const GoalComparison&) = default;
};
static_assert(lists_all_fields<GoalComparison>);

struct DivergenceFinding {
  MemberName leader;
  DivergenceFacts facts;
  Instant at;

  static constexpr auto fields() {
    using D = DivergenceFinding;
    return std::tuple{field("leader", &D::leader), field("facts", &D::facts), field("at", &D::at)};
  }
  friend bool operator==(const DivergenceFinding&, const DivergenceFinding&) = default;
};
static_assert(lists_all_fields<DivergenceFinding>);

// How the last action of a task ended.
struct TaskEnd {
  bool ok = false;
  StoreVerdict verdict = StoreVerdict::done;  // of store tasks
  std::string error;
  Instant at;
  Revision revision;  // of the store after a write

  static constexpr auto fields() {
    using T = TaskEnd;
    return std::tuple{field("ok", &T::ok), field("verdict", &T::verdict), field("error", &T::error),
                      field("at", &T::at), field("revision", &T::revision)};
  }
  friend bool operator==(const TaskEnd&, const TaskEnd&) = default;
};
static_assert(lists_all_fields<TaskEnd>);

enum class GuardState { absent, disarmed, armed, latched };

constexpr auto names_of(GuardState) {
  using G = GuardState;
  return std::array{EnumName<G>{G::absent, "absent"}, EnumName<G>{G::disarmed, "disarmed"},
                    EnumName<G>{G::armed, "armed"}, EnumName<G>{G::latched, "latched"}};
}

enum class WatchdogState {
  off,     // not configured, or not looked at yet
  ready,   // the device is there; it starts when a reign is proven
  active,  // it resets the machine at `resets_at`, unless it is told of a renewal
  failed,  // it cannot be used
};

constexpr auto names_of(WatchdogState) {
  using W = WatchdogState;
  return std::array{EnumName<W>{W::off, "off"}, EnumName<W>{W::ready, "ready"},
                    EnumName<W>{W::active, "active"}, EnumName<W>{W::failed, "failed"}};
}

// The hardware watchdog (contract ha 20).
struct WatchdogFacts {
  WatchdogState state = WatchdogState::off;
  std::optional<Instant> resets_at;  // absent = it does not run

  static constexpr auto fields() {
    using W = WatchdogFacts;
    return std::tuple{field("state", &W::state), field("resets_at", &W::resets_at)};
  }
  friend bool operator==(const WatchdogFacts&, const WatchdogFacts&) = default;
};
static_assert(lists_all_fields<WatchdogFacts>);

// Facts about the local server beyond the last observation.
struct LocalFacts {
  ServerFacts server;
  std::optional<StopProgress> stop_progress;  // of the running stop
  std::optional<GoalComparison> comparison;
  std::optional<DivergenceFinding> divergence;
  std::optional<ServerResult> shutdown_location;  // of LocateShutdown since the last start
  std::optional<ServerResult> job_result;         // of the server lane's last effect
  std::vector<HistoryLine> history;               // of ReadHistory
  Timeline history_timeline;                      // whose file that was
  GuardState guard = GuardState::absent;
  WatchdogFacts watchdog;
  StorageFacts storage;
  std::vector<SlotFacts> leader_slots;  // of ObserveLeaderSlots
  std::string copy_progress;            // of the copy under way; empty = none

  static constexpr auto fields() {
    using L = LocalFacts;
    return std::tuple{field("server", &L::server),
                      field("stop_progress", &L::stop_progress),
                      field("comparison", &L::comparison),
                      field("divergence", &L::divergence),
                      field("shutdown_location", &L::shutdown_location),
                      field("job_result", &L::job_result),
                      field("history", &L::history),
                      field("history_timeline", &L::history_timeline),
                      field("guard", &L::guard),
                      field("watchdog", &L::watchdog),
                      field("storage", &L::storage),
                      field("leader_slots", &L::leader_slots),
                      field("copy_progress", &L::copy_progress)};
  }
};
static_assert(lists_all_fields<LocalFacts>);

enum class RewindState { initial, check, need, not_need, success, failed };

constexpr auto names_of(RewindState) {
  using R = RewindState;
  return std::array{EnumName<R>{R::initial, "initial"}, EnumName<R>{R::check, "check"},
                    EnumName<R>{R::need, "need"},       EnumName<R>{R::not_need, "not_need"},
                    EnumName<R>{R::success, "success"}, EnumName<R>{R::failed, "failed"}};
}

// A request of an operator on its way to its reply (core/requests).
struct PendingRequest {
  enum class Stage { arrived, asking_peers, writing, watching, acting };
  ApiRequest request;
  Stage stage = Stage::arrived;
  Instant arrived_at;
  Instant give_up_at;
  std::uint64_t round = 0;  // of peers asked for it
  // Of switchover and failover:
  MemberName old_leader;  // when the key was written
  MemberName leader;      // as asked for
  MemberName candidate;
  bool is_switchover = false;
  std::string scheduled_at;  // ISO 8601; empty = now
  bool write_ordered = false;
  Tree result;  // of PATCH: what was written

  friend constexpr auto names_of(Stage) {
    return std::array{
        EnumName<Stage>{Stage::arrived, "arrived"}, EnumName<Stage>{Stage::asking_peers, "asking"},
        EnumName<Stage>{Stage::writing, "writing"}, EnumName<Stage>{Stage::watching, "watching"},
        EnumName<Stage>{Stage::acting, "acting"}};
  }
  static constexpr auto fields() {
    using P = PendingRequest;
    return std::tuple{field("request", &P::request),
                      field("stage", &P::stage),
                      field("arrived_at", &P::arrived_at),
                      field("give_up_at", &P::give_up_at),
                      field("round", &P::round),
                      field("old_leader", &P::old_leader),
                      field("leader", &P::leader),
                      field("candidate", &P::candidate),
                      field("is_switchover", &P::is_switchover),
                      field("scheduled_at", &P::scheduled_at),
                      field("write_ordered", &P::write_ordered),
                      field("result", &P::result)};
  }
  friend bool operator==(const PendingRequest&, const PendingRequest&) = default;
};
static_assert(lists_all_fields<PendingRequest>);

// What a round of peers was asked about: when any of it changes, its answers are void (safety 3.5).
struct RoundBasis {
  Revision leader;  // create revision; without a leader that of its last deletion; 0 = none seen
  Revision sync;
  Revision failover;
  Revision config;
  Role role = Role::uninitialized;

  static constexpr auto fields() {
    using R = RoundBasis;
    return std::tuple{field("leader", &R::leader), field("sync", &R::sync),
                      field("failover", &R::failover), field("config", &R::config),
                      field("role", &R::role)};
  }
  friend bool operator==(const RoundBasis&, const RoundBasis&) = default;
};
static_assert(lists_all_fields<RoundBasis>);

// Whether the server's files are to be written and reloaded: when they differ, or in any case
// because somebody asked for it (trap 120).
enum class Reload { none, if_changed, always };

constexpr auto names_of(Reload) {
  return std::array{EnumName<Reload>{Reload::none, "none"},
                    EnumName<Reload>{Reload::if_changed, "if_changed"},
                    EnumName<Reload>{Reload::always, "always"}};
}

// What a leader knows of its synchronous replication (core/synchronous_mode).
struct SyncProof {
  // The value of synchronous_standby_names that this node owns and ordered last; absent = none.
  std::optional<std::string> ordered;
  // The value that the server was seen to work with, and since when.
  std::optional<std::string> effective;
  Instant effective_at;
  // Own position when all WAL senders had taken that value up; 0 = not yet.
  Lsn since;
  // Listed members that are known to hold every commit acknowledged before `since`.
  std::vector<MemberName> ready;
  Revision expected;    // of `/sync`, by the last write that was ordered
  bool warned = false;  // of having nobody to replicate to, in this episode

  static constexpr auto fields() {
    using S = SyncProof;
    return std::tuple{field("ordered", &S::ordered),
                      field("effective", &S::effective),
                      field("effective_at", &S::effective_at),
                      field("since", &S::since),
                      field("ready", &S::ready),
                      field("expected", &S::expected),
                      field("warned", &S::warned)};
  }
  friend bool operator==(const SyncProof&, const SyncProof&) = default;
};
static_assert(lists_all_fields<SyncProof>);

// A primary without store that asked us to stay out of races (contract ha 11.4).
struct FailsafeCaller {
  MemberName name;
  std::map<std::string, std::uint64_t> slots;
  Instant heard_at;
  Instant until;

  static constexpr auto fields() {
    using F = FailsafeCaller;
    return std::tuple{field("name", &F::name), field("slots", &F::slots),
                      field("heard_at", &F::heard_at), field("until", &F::until)};
  }
  friend bool operator==(const FailsafeCaller&, const FailsafeCaller&) = default;
};
static_assert(lists_all_fields<FailsafeCaller>);

struct ScheduledRestart {
  WallTime at;
  Tree request;                       // as accepted, `schedule` in ISO 8601
  std::string postmaster_start_time;  // when it was accepted; empty = unknown

  static constexpr auto fields() {
    using S = ScheduledRestart;
    return std::tuple{field("at", &S::at), field("request", &S::request),
                      field("postmaster_start_time", &S::postmaster_start_time)};
  }
  friend bool operator==(const ScheduledRestart&, const ScheduledRestart&) = default;
};
static_assert(lists_all_fields<ScheduledRestart>);

// All that survives from one decision to the next.
struct Memory {
  ServerState state = ServerState::stopped;
  Instant state_since;
  Role role = Role::uninitialized;
  std::optional<Job> job;
  ClusterViewPtr locked_view;  // the last view that had a leader ("old snapshot")
  bool was_paused = false;
  // When a member that is no tanist was last seen: its timing rules hold for a while (safety 6).
  std::optional<Instant> neighbour_seen_at;
  bool namesake_checked = false;
  bool joined = false;             // the first look at a running server was digested
  bool callbacks_fired = false;    // any start/stop/restart/role-change callback so far
  bool recovering = false;         // the last cycle tried to start a dead server
  bool single_user_tried = false;  // in this episode of a dead server
  bool bootstrapping = false;      // /initialize was won by this node
  Revision bootstrap_key;          // its revision
  RewindState rewind = RewindState::initial;
  Timeline examined_timeline;      // the leader's, when its change last scheduled an examination
  bool checkpoint_needed = false;  // after a promotion (contract ha 6.4)
  std::optional<Instant> pre_promote_failed_at;
  std::optional<LostLeader> took_after;  // the lock that was free when we took ours (safety 1.7)
  Revision won_over;                  // revision of the request that our race was about; 0 = none
  Revision promoted_reign;            // create revision of the reign that led to a primary here
  std::optional<LeaseId> gone_lease;  // a lease proven gone
  std::optional<Instant> first_view_at;
  std::optional<Instant> unlocked_since;
  std::uint64_t last_round = 0;  // number of the last round of peers
  RoundBasis round_basis;        // of that round
  std::vector<PendingRequest> requests;
  std::map<std::string, Instant> slots_seen;  // by slot: when its member's key was last present
  // Logical slots on this standby that may not be used yet: the primary's catalog_xmin of each when
  // it was first protected there; 0 = not yet (contract postgres 10.4).
  std::map<std::string, std::int64_t> unready_slots;
  std::optional<Instant> slot_copy_failed_at;
  StorageState storage_reported = StorageState::unknown;
  Lsn last_wal_position;
  bool demoting = false;  // from the decision to demote until a new start
  bool led = false;       // the lock was held when the last decision was made
  // We stopped the server to rewind it: it is started again, in pause too (contract ha 9.1).
  bool stopped_for_rewind = false;
  std::optional<Instant> last_start_failed_at;
  std::int64_t exit_code = 0;
  Reload reload = Reload::none;            // new settings that the running server does not know yet
  bool stopped_for_good = false;           // the stop of the agent's own end was begun
  std::optional<Instant> said_goodbye_at;  // the last member key was ordered
  SyncProof sync;
  bool leaving_sync = false;  // published as nosync, to be released from sync duty
  // Every member of a failsafe map that this reign wrote or tried to write (safety 3.4).
  std::map<MemberName, std::string> failsafe_members;
  Revision failsafe_reign;  // create revision of that reign
  std::optional<FailsafeCaller> failsafe_caller;
  std::optional<ScheduledRestart> scheduled_restart;

  static constexpr auto fields() {
    using M = Memory;
    return std::tuple{field("state", &M::state),
                      field("state_since", &M::state_since),
                      field("role", &M::role),
                      field("job", &M::job),
                      field("locked_view", &M::locked_view),
                      field("was_paused", &M::was_paused),
                      field("neighbour_seen_at", &M::neighbour_seen_at),
                      field("namesake_checked", &M::namesake_checked),
                      field("joined", &M::joined),
                      field("callbacks_fired", &M::callbacks_fired),
                      field("recovering", &M::recovering),
                      field("single_user_tried", &M::single_user_tried),
                      field("bootstrapping", &M::bootstrapping),
                      field("bootstrap_key", &M::bootstrap_key),
                      field("rewind", &M::rewind),
                      field("examined_timeline", &M::examined_timeline),
                      field("checkpoint_needed", &M::checkpoint_needed),
                      field("pre_promote_failed_at", &M::pre_promote_failed_at),
                      field("took_after", &M::took_after),
                      field("won_over", &M::won_over),
                      field("promoted_reign", &M::promoted_reign),
                      field("gone_lease", &M::gone_lease),
                      field("first_view_at", &M::first_view_at),
                      field("unlocked_since", &M::unlocked_since),
                      field("last_round", &M::last_round),
                      field("round_basis", &M::round_basis),
                      field("requests", &M::requests),
                      field("slots_seen", &M::slots_seen),
                      field("unready_slots", &M::unready_slots),
                      field("slot_copy_failed_at", &M::slot_copy_failed_at),
                      field("storage_reported", &M::storage_reported),
                      field("last_wal_position", &M::last_wal_position),
                      field("demoting", &M::demoting),
                      field("led", &M::led),
                      field("stopped_for_rewind", &M::stopped_for_rewind),
                      field("last_start_failed_at", &M::last_start_failed_at),
                      field("exit_code", &M::exit_code),
                      field("reload", &M::reload),
                      field("stopped_for_good", &M::stopped_for_good),
                      field("said_goodbye_at", &M::said_goodbye_at),
                      field("sync", &M::sync),
                      field("leaving_sync", &M::leaving_sync),
                      field("failsafe_members", &M::failsafe_members),
                      field("failsafe_reign", &M::failsafe_reign),
                      field("failsafe_caller", &M::failsafe_caller),
                      field("scheduled_restart", &M::scheduled_restart)};
  }
};
static_assert(lists_all_fields<Memory>);

struct Observation {
  Instant now;
  WallTime wall;
  std::chrono::minutes zone{0};  // of local time, for texts
  std::shared_ptr<const NodeSettings> node;
  std::shared_ptr<const ClusterSettings> cluster;
  std::shared_ptr<const Tree> config;  // the dynamic document that `cluster` was made from
  Timing timing;                       // as this node works with it
  StoreFacts store;
  Lock lock;
  LocalFacts local;
  PeerRound peers;
  std::map<Task, TaskEnd> ends;  // the last end of each task
  std::set<Task> in_flight;
  Instant cycle_began;  // facts older than this are stale
  Instant next_cycle;   // the regular grid of loop_wait
  bool shutdown_requested = false;
  std::shared_ptr<const Memory> memory;

  const ClusterView& view() const { return *store.view; }
  bool holds_lock() const { return lock.reign.has_value(); }
  bool running(Task task) const { return in_flight.contains(task); }

  static constexpr auto fields() {
    using O = Observation;
    return std::tuple{field("now", &O::now),
                      field("wall", &O::wall),
                      field("zone", &O::zone),
                      field("node", &O::node),
                      field("cluster", &O::cluster),
                      field("config", &O::config),
                      field("timing", &O::timing),
                      field("store", &O::store),
                      field("lock", &O::lock),
                      field("local", &O::local),
                      field("peers", &O::peers),
                      field("ends", &O::ends),
                      field("in_flight", &O::in_flight),
                      field("cycle_began", &O::cycle_began),
                      field("next_cycle", &O::next_cycle),
                      field("shutdown_requested", &O::shutdown_requested),
                      field("memory", &O::memory)};
  }
};

// The result of decide().
struct Decision {
  Why why;
  std::vector<Action> actions;
  Memory next;
  Instant wake_at;
};

}  // namespace tanist

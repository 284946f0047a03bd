// SPDX-License-Identifier: Apache-2.0
// What can be done to the local PostgreSQL server and what comes of it. Each is idempotent: goal
// reached, or act. postgres/ performs them on a real server, the simulator on a modelled one.
// Which lane an action belongs to: safety 4. Values only; any thread. (tidy: table)
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/cluster_settings.h"
#include "core/cluster_view.h"
#include "core/server_facts.h"
#include "core/types.h"

namespace tanist {

// Where a standby streams from, or where a copy or a rewind is made from.
struct Upstream {
  MemberName member;  // empty for the remote of a standby cluster
  std::string host;   // may be a comma list for a remote
  std::string port;
  std::string database;             // of the member's conn_url; empty = own setting
  std::optional<std::string> slot;  // primary_slot_name to use; absent = none
  bool is_remote = false;

  static constexpr auto fields() {
    using U = Upstream;
    return std::tuple{field("member", &U::member), field("host", &U::host),
                      field("port", &U::port),     field("database", &U::database),
                      field("slot", &U::slot),     field("is_remote", &U::is_remote)};
  }
  friend bool operator==(const Upstream&, const Upstream&) = default;
};
static_assert(lists_all_fields<Upstream>);

// What the server is to be configured as: everything written to its files that decisions own.
struct ServerGoal {
  bool standby = false;              // with standby.signal
  Role role = Role::replica;         // selects parameters_ROLE, pg_hba_ROLE (contract config 4.8)
  std::optional<Upstream> upstream;  // a standby without one replays what it has
  // Present = owned by us (synchronous mode); empty text = the setting is removed.
  std::optional<std::string> synchronous_standby_names;
  bool hot_standby_feedback = false;  // enforced on
  std::optional<StandbyCluster> standby_cluster;

  static constexpr auto fields() {
    using G = ServerGoal;
    return std::tuple{field("standby", &G::standby),
                      field("role", &G::role),
                      field("upstream", &G::upstream),
                      field("synchronous_standby_names", &G::synchronous_standby_names),
                      field("hot_standby_feedback", &G::hot_standby_feedback),
                      field("standby_cluster", &G::standby_cluster)};
  }
  friend bool operator==(const ServerGoal&, const ServerGoal&) = default;
};
static_assert(lists_all_fields<ServerGoal>);

// ---- Server lane: one at a time --------------------------------------------------------------

// Creates the data directory with initdb, or with the custom method (contract postgres 7.1, 7.2).
struct InitializeData {
  static constexpr std::string_view name = "initialize_data";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const InitializeData&, const InitializeData&) = default;
};

// Writes all files for `goal` and starts the server (contract postgres 3.2). Sweeps leftovers of an
// earlier postmaster first (safety 2.5). Ends when connections are accepted, the process is gone,
// or `timeout` passed (then `still_starting`).
struct StartServer {
  static constexpr std::string_view name = "start_server";
  ServerGoal goal;
  seconds timeout{60};
  bool in_bootstrap = false;  // custom bootstrap: temporary pg_hba.conf, no callbacks

  static constexpr auto fields() {
    using S = StartServer;
    return std::tuple{field("goal", &S::goal), field("timeout", &S::timeout),
                      field("in_bootstrap", &S::in_bootstrap)};
  }
  friend bool operator==(const StartServer&, const StartServer&) = default;
};
static_assert(lists_all_fields<StartServer>);

enum class StopMode { smart, fast, immediate };

constexpr auto names_of(StopMode) {
  using M = StopMode;
  return std::array{EnumName<M>{M::smart, "smart"}, EnumName<M>{M::fast, "fast"},
                    EnumName<M>{M::immediate, "immediate"}};
}

// Stops the server (contract postgres 3.3). With a limit: immediate when it passes, then SIGKILL.
// While it runs, ServerProgress events tell of the safe point and of pg_control (every 20 ms).
struct StopServer {
  static constexpr std::string_view name = "stop_server";
  StopMode mode = StopMode::fast;
  bool checkpoint_first = false;
  std::optional<Duration> limit;
  bool run_before_stop = true;  // the hook

  static constexpr auto fields() {
    using S = StopServer;
    return std::tuple{field("mode", &S::mode), field("checkpoint_first", &S::checkpoint_first),
                      field("limit", &S::limit), field("run_before_stop", &S::run_before_stop)};
  }
  friend bool operator==(const StopServer&, const StopServer&) = default;
};
static_assert(lists_all_fields<StopServer>);

// Asks the standby to promote and returns when pg_ctl accepted; that it is out of recovery is
// observed. The executor checks reign, deadline and postmaster at the moment of acting (safety 4).
struct PromoteServer {
  static constexpr std::string_view name = "promote_server";
  ServerGoal goal;  // files are written for the primary first

  static constexpr auto fields() { return std::tuple{field("goal", &PromoteServer::goal)}; }
  friend bool operator==(const PromoteServer&, const PromoteServer&) = default;
};
static_assert(lists_all_fields<PromoteServer>);

// Writes the files for `goal` and reloads the running server. `always`: also when nothing changed
// (an explicit reload, trap 120). Result: the parameters that wait for a restart.
struct ReloadServer {
  static constexpr std::string_view name = "reload_server";
  ServerGoal goal;
  bool always = false;

  static constexpr auto fields() {
    return std::tuple{field("goal", &ReloadServer::goal), field("always", &ReloadServer::always)};
  }
  friend bool operator==(const ReloadServer&, const ReloadServer&) = default;
};
static_assert(lists_all_fields<ReloadServer>);

// The pre_promote hook (contract postgres 12.2).
struct RunPrePromote {
  static constexpr std::string_view name = "run_pre_promote";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const RunPrePromote&, const RunPrePromote&) = default;
};

// Copies the data directory from `source` by the configured methods (contract postgres 8). Without
// a source only methods that need none.
struct CloneData {
  static constexpr std::string_view name = "clone_data";
  std::optional<Upstream> source;
  bool only_basebackup = false;
  std::vector<std::string> methods;  // of a standby cluster; empty = the configured ones

  static constexpr auto fields() {
    using C = CloneData;
    return std::tuple{field("source", &C::source), field("only_basebackup", &C::only_basebackup),
                      field("methods", &C::methods)};
  }
  friend bool operator==(const CloneData&, const CloneData&) = default;
};
static_assert(lists_all_fields<CloneData>);

// Roles, grants and the post_bootstrap script (contract postgres 7.3).
struct FinishBootstrap {
  static constexpr std::string_view name = "finish_bootstrap";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const FinishBootstrap&, const FinishBootstrap&) = default;
};

// pg_rewind against `source` (contract postgres 9.4).
struct RewindData {
  static constexpr std::string_view name = "rewind_data";
  Upstream source;

  static constexpr auto fields() { return std::tuple{field("source", &RewindData::source)}; }
  friend bool operator==(const RewindData&, const RewindData&) = default;
};
static_assert(lists_all_fields<RewindData>);

// Crash recovery in single-user mode (contract postgres 9.3).
struct RecoverData {
  static constexpr std::string_view name = "recover_data";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const RecoverData&, const RecoverData&) = default;
};

// Empties the data directory (contract postgres 14); only by contract ha invariant 24. `reason` is
// logged before anything is removed.
struct EmptyData {
  static constexpr std::string_view name = "empty_data";
  std::string reason;

  static constexpr auto fields() { return std::tuple{field("reason", &EmptyData::reason)}; }
  friend bool operator==(const EmptyData&, const EmptyData&) = default;
};
static_assert(lists_all_fields<EmptyData>);

// Renames the data directory of a failed bootstrap to *.failed.
struct SetDataAside {
  static constexpr std::string_view name = "set_data_aside";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const SetDataAside&, const SetDataAside&) = default;
};

// The end of a primary that becomes a standby of another cluster: runs archive_command for the
// segment of the last checkpoint, so that the remote need not be rewound from when it is promoted
// (contract ha 12, step 6). Succeeds when nothing is archived here; a failure is only logged.
struct ArchiveEnd {
  static constexpr std::string_view name = "archive_end";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const ArchiveEnd&, const ArchiveEnd&) = default;
};

// ---- Fence lane: always admitted, cancels the server lane -------------------------------------

// Immediate stop, escalating to SIGKILL of every process of the server after `kill_after`.
struct FenceServer {
  static constexpr std::string_view name = "fence_server";
  Duration kill_after{0};

  static constexpr auto fields() {
    return std::tuple{field("kill_after", &FenceServer::kill_after)};
  }
  friend bool operator==(const FenceServer&, const FenceServer&) = default;
};
static_assert(lists_all_fields<FenceServer>);

// ---- Background: at most one of each, never awaited by fence or promotion ---------------------

// Facts, by query and from files.
struct ObserveServer {
  static constexpr std::string_view name = "observe_server";
  bool control_data = false;    // read pg_control although a postmaster lives
  bool local_timeline = false;  // a standby's timeline by IDENTIFY_SYSTEM
  bool replication = false;     // WAL senders
  bool slots = false;

  static constexpr auto fields() {
    using O = ObserveServer;
    return std::tuple{field("control_data", &O::control_data),
                      field("local_timeline", &O::local_timeline),
                      field("replication", &O::replication), field("slots", &O::slots)};
  }
  friend bool operator==(const ObserveServer&, const ObserveServer&) = default;
};
static_assert(lists_all_fields<ObserveServer>);

// How far do the files and the running server differ from `goal` (contract postgres 11.2)?
struct CompareGoal {
  static constexpr std::string_view name = "compare_goal";
  ServerGoal goal;

  static constexpr auto fields() { return std::tuple{field("goal", &CompareGoal::goal)}; }
  friend bool operator==(const CompareGoal&, const CompareGoal&) = default;
};
static_assert(lists_all_fields<CompareGoal>);

// Facts for the rewind verdict, from the local server or its files and from the leader's SQL and
// replication connections (contract postgres 9.2).
struct ExamineDivergence {
  static constexpr std::string_view name = "examine_divergence";
  Upstream leader;

  static constexpr auto fields() { return std::tuple{field("leader", &ExamineDivergence::leader)}; }
  friend bool operator==(const ExamineDivergence&, const ExamineDivergence&) = default;
};
static_assert(lists_all_fields<ExamineDivergence>);

// CHECKPOINT without a time limit of the server's own.
struct CheckpointServer {
  static constexpr std::string_view name = "checkpoint_server";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const CheckpointServer&, const CheckpointServer&) = default;
};

// Resumes a replay that is paused: PostgreSQL pauses it when a setting of the primary outgrows its
// own (contract ha 6.5, row 6).
struct ResumeReplay {
  static constexpr std::string_view name = "resume_replay";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const ResumeReplay&, const ResumeReplay&) = default;
};

// A standby tries its primary again at once, not after wal_retrieve_retry_interval (5 s unless
// set): its startup process waits on a latch that a reload sets.
struct WakeReceiver {
  static constexpr std::string_view name = "wake_receiver";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const WakeReceiver&, const WakeReceiver&) = default;
};

// The lines of pg_wal/TIMELINE.history and the file's modification time.
struct ReadHistory {
  static constexpr std::string_view name = "read_history";
  Timeline timeline;

  static constexpr auto fields() { return std::tuple{field("timeline", &ReadHistory::timeline)}; }
  friend bool operator==(const ReadHistory&, const ReadHistory&) = default;
};
static_assert(lists_all_fields<ReadHistory>);

// Where the shutdown checkpoint lies and where a WAL switch before it (contract postgres 5.2).
struct LocateShutdown {
  static constexpr std::string_view name = "locate_shutdown";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const LocateShutdown&, const LocateShutdown&) = default;
};

// The end of valid WAL in the dead server's pg_wal (safety 3.3).
struct LocateWalEnd {
  static constexpr std::string_view name = "locate_wal_end";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const LocateWalEnd&, const LocateWalEnd&) = default;
};

// One change of a slot, or (of FetchSlots) one slot to be copied.
struct SlotChange {
  enum class What { create, drop, advance };
  What what = What::create;
  std::string slot;
  bool logical = false;
  std::string plugin;
  std::string database;
  Lsn advance_to;

  friend constexpr auto names_of(What) {
    return std::array{EnumName<What>{What::create, "create"}, EnumName<What>{What::drop, "drop"},
                      EnumName<What>{What::advance, "advance"}};
  }
  static constexpr auto fields() {
    using S = SlotChange;
    return std::tuple{field("what", &S::what),         field("slot", &S::slot),
                      field("logical", &S::logical),   field("plugin", &S::plugin),
                      field("database", &S::database), field("advance_to", &S::advance_to)};
  }
  friend bool operator==(const SlotChange&, const SlotChange&) = default;
};
static_assert(lists_all_fields<SlotChange>);

// Performs slot changes in order; a failed one is reported and skipped.
struct ChangeSlots {
  static constexpr std::string_view name = "change_slots";
  std::vector<SlotChange> changes;

  static constexpr auto fields() { return std::tuple{field("changes", &ChangeSlots::changes)}; }
  friend bool operator==(const ChangeSlots&, const ChangeSlots&) = default;
};
static_assert(lists_all_fields<ChangeSlots>);

// Reads the state of logical slots from the leader's disk, to be written by InstallSlots (contract
// postgres 10.4). In the server lane; the server goes on running.
struct FetchSlots {
  static constexpr std::string_view name = "fetch_slots";
  Upstream leader;
  std::vector<SlotChange> slots;

  static constexpr auto fields() {
    return std::tuple{field("leader", &FetchSlots::leader), field("slots", &FetchSlots::slots)};
  }
  friend bool operator==(const FetchSlots&, const FetchSlots&) = default;
};
static_assert(lists_all_fields<FetchSlots>);

// Writes the slots that were fetched last into the stopped server's directory. Server lane.
struct InstallSlots {
  static constexpr std::string_view name = "install_slots";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const InstallSlots&, const InstallSlots&) = default;
};

// The leader's slots, for the question whether copied ones may be used (contract postgres 10.4).
// Background.
struct ObserveLeaderSlots {
  static constexpr std::string_view name = "observe_leader_slots";
  Upstream leader;

  static constexpr auto fields() {
    return std::tuple{field("leader", &ObserveLeaderSlots::leader)};
  }
  friend bool operator==(const ObserveLeaderSlots&, const ObserveLeaderSlots&) = default;
};
static_assert(lists_all_fields<ObserveLeaderSlots>);

// Starts a callback; its result is not awaited (contract postgres 12.1).
struct RunCallback {
  static constexpr std::string_view name = "run_callback";
  std::string event;  // on_start, on_stop, on_restart, on_reload, on_role_change
  Role role = Role::replica;

  static constexpr auto fields() {
    return std::tuple{field("event", &RunCallback::event), field("role", &RunCallback::role)};
  }
  friend bool operator==(const RunCallback&, const RunCallback&) = default;
};
static_assert(lists_all_fields<RunCallback>);

using ServerAction =
    std::variant<InitializeData, StartServer, StopServer, PromoteServer, ReloadServer,
                 RunPrePromote, CloneData, FinishBootstrap, RewindData, RecoverData, EmptyData,
                 SetDataAside, ArchiveEnd, FenceServer, ObserveServer, CompareGoal,
                 ExamineDivergence, CheckpointServer, ResumeReplay, WakeReceiver, ReadHistory,
                 LocateShutdown, LocateWalEnd, ChangeSlots, FetchSlots, InstallSlots,
                 ObserveLeaderSlots, RunCallback>;

// ---- Results ---------------------------------------------------------------------------------

enum class StartOutcome { ready, still_starting, died, not_started };

constexpr auto names_of(StartOutcome) {
  using O = StartOutcome;
  return std::array{EnumName<O>{O::ready, "ready"},
                    EnumName<O>{O::still_starting, "still_starting"}, EnumName<O>{O::died, "died"},
                    EnumName<O>{O::not_started, "not_started"}};
}

// What differs between the goal and what the server runs with.
enum class GoalDifference { none, reload, restart, unknown };

constexpr auto names_of(GoalDifference) {
  using D = GoalDifference;
  return std::array{EnumName<D>{D::none, "none"}, EnumName<D>{D::reload, "reload"},
                    EnumName<D>{D::restart, "restart"}, EnumName<D>{D::unknown, "unknown"}};
}

// Input of core/rewind_verdict.
struct DivergenceFacts {
  bool local_known = false;
  bool local_is_standby = false;  // else a former primary
  Timeline local_timeline;
  Lsn local_lsn;
  Lsn checkpoint_end;  // former primary: end of the last checkpoint record; 0 = unknown
  bool leader_known = false;
  bool leader_in_recovery = false;
  SystemId leader_system_id;
  Timeline leader_timeline;
  Lsn leader_lsn;  // read after the local position
  std::vector<HistoryLine> leader_history;
  std::string error;

  static constexpr auto fields() {
    using D = DivergenceFacts;
    return std::tuple{field("local_known", &D::local_known),
                      field("local_is_standby", &D::local_is_standby),
                      field("local_timeline", &D::local_timeline),
                      field("local_lsn", &D::local_lsn),
                      field("checkpoint_end", &D::checkpoint_end),
                      field("leader_known", &D::leader_known),
                      field("leader_in_recovery", &D::leader_in_recovery),
                      field("leader_system_id", &D::leader_system_id),
                      field("leader_timeline", &D::leader_timeline),
                      field("leader_lsn", &D::leader_lsn),
                      field("leader_history", &D::leader_history),
                      field("error", &D::error)};
  }
  friend bool operator==(const DivergenceFacts&, const DivergenceFacts&) = default;
};
static_assert(lists_all_fields<DivergenceFacts>);

struct ServerResult {
  bool ok = false;
  std::string error;  // one line for people when not ok
  std::optional<StartOutcome> start;
  // CompareGoal; ReloadServer: none = nothing to do, reload = done, restart = done and parameters
  // wait for a restart.
  std::optional<GoalDifference> difference;
  std::vector<PendingRestart> pending_restart;  // ReloadServer
  std::optional<DivergenceFacts> divergence;
  std::vector<HistoryLine> history;  // ReadHistory: the last line's timestamp is the file's mtime
  Lsn shutdown_checkpoint;           // LocateShutdown
  Lsn shutdown_previous;             // the WAL switch before it, else the same
  Timeline shutdown_timeline;        // on which it lies
  Lsn shutdown_end;                  // where its record ends: who has received this has it all
  Lsn wal_end;                       // LocateWalEnd
  std::shared_ptr<const ServerFacts> facts;  // ObserveServer
  bool source_lost = false;  // RewindData: nothing was changed, and the source no longer answers
  std::vector<SlotFacts> slots;  // ObserveLeaderSlots

  static constexpr auto fields() {
    using S = ServerResult;
    return std::tuple{field("ok", &S::ok),
                      field("error", &S::error),
                      field("start", &S::start),
                      field("difference", &S::difference),
                      field("pending_restart", &S::pending_restart),
                      field("divergence", &S::divergence),
                      field("history", &S::history),
                      field("shutdown_checkpoint", &S::shutdown_checkpoint),
                      field("shutdown_previous", &S::shutdown_previous),
                      field("shutdown_timeline", &S::shutdown_timeline),
                      field("shutdown_end", &S::shutdown_end),
                      field("wal_end", &S::wal_end),
                      field("facts", &S::facts),
                      field("source_lost", &S::source_lost),
                      field("slots", &S::slots)};
  }
};
static_assert(lists_all_fields<ServerResult>);

// What a running StopServer tells of, on every change.
struct StopProgress {
  bool safe_point = false;  // no client backend is left and none is admitted (safety 2.6)
  ControlState control_state = ControlState::unknown;
  Lsn checkpoint;  // of pg_control

  static constexpr auto fields() {
    using S = StopProgress;
    return std::tuple{field("safe_point", &S::safe_point),
                      field("control_state", &S::control_state),
                      field("checkpoint", &S::checkpoint)};
  }
  friend bool operator==(const StopProgress&, const StopProgress&) = default;
};
static_assert(lists_all_fields<StopProgress>);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// What a decision can order. Actions of one decision are independent: none may count on the effect
// of another of the same decision; what depends on an effect belongs into a later decision.
// Values only; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/api_request.h"
#include "core/server_actions.h"
#include "core/store_actions.h"
#include "core/types.h"

namespace tanist {

// At most one action of each task is under way at a time; a second one is not started.
enum class Task {
  // The fence lane: always admitted, cancels the server lane (safety 4).
  fence,
  // The server lane: one step of the long action.
  server,
  // The lock and the lease; the loop starts keep_lease and keep_lock itself.
  keep_lease,
  keep_lock,
  take_lock,
  retake_lock,
  reattach_lock,
  release_lock,
  release_stray_lock,
  ask_lease,
  // Keys.
  put_member,
  claim_initialize,
  write_initialize,
  write_config,
  clear_failover,
  write_history,
  write_sync,
  write_failsafe,
  write_poolers,
  operator_write,
  read_cluster,
  // Background at the server.
  observe,
  compare_goal,
  examine_divergence,
  checkpoint,
  resume_replay,
  wake_receiver,
  read_history,
  locate_shutdown,
  locate_wal_end,
  change_slots,
  observe_leader_slots,
  // Peers and the agent itself.
  ask_peers,
  ask_failsafe,
  probe_namesake,
  pause_poolers,
  resume_poolers,
  adopt_config,
  reload_settings,
  start_api,
};

constexpr auto names_of(Task) {
  using T = Task;
  using N = EnumName<T>;
  return std::array{N{T::fence, "fence"},
                    N{T::server, "server"},
                    N{T::keep_lease, "keep_lease"},
                    N{T::keep_lock, "keep_lock"},
                    N{T::take_lock, "take_lock"},
                    N{T::retake_lock, "retake_lock"},
                    N{T::reattach_lock, "reattach_lock"},
                    N{T::release_lock, "release_lock"},
                    N{T::release_stray_lock, "release_stray_lock"},
                    N{T::ask_lease, "ask_lease"},
                    N{T::put_member, "put_member"},
                    N{T::claim_initialize, "claim_initialize"},
                    N{T::write_initialize, "write_initialize"},
                    N{T::write_config, "write_config"},
                    N{T::clear_failover, "clear_failover"},
                    N{T::write_history, "write_history"},
                    N{T::write_sync, "write_sync"},
                    N{T::write_failsafe, "write_failsafe"},
                    N{T::write_poolers, "write_poolers"},
                    N{T::operator_write, "operator_write"},
                    N{T::read_cluster, "read_cluster"},
                    N{T::observe, "observe"},
                    N{T::compare_goal, "compare_goal"},
                    N{T::examine_divergence, "examine_divergence"},
                    N{T::checkpoint, "checkpoint"},
                    N{T::resume_replay, "resume_replay"},
                    N{T::wake_receiver, "wake_receiver"},
                    N{T::read_history, "read_history"},
                    N{T::locate_shutdown, "locate_shutdown"},
                    N{T::locate_wal_end, "locate_wal_end"},
                    N{T::change_slots, "change_slots"},
                    N{T::observe_leader_slots, "observe_leader_slots"},
                    N{T::ask_peers, "ask_peers"},
                    N{T::ask_failsafe, "ask_failsafe"},
                    N{T::probe_namesake, "probe_namesake"},
                    N{T::pause_poolers, "pause_poolers"},
                    N{T::resume_poolers, "resume_poolers"},
                    N{T::adopt_config, "adopt_config"},
                    N{T::reload_settings, "reload_settings"},
                    N{T::start_api, "start_api"}};
}

struct PeerAddress {
  MemberName member;
  std::string api_url;

  static constexpr auto fields() {
    return std::tuple{field("member", &PeerAddress::member),
                      field("api_url", &PeerAddress::api_url)};
  }
  friend bool operator==(const PeerAddress&, const PeerAddress&) = default;
};
static_assert(lists_all_fields<PeerAddress>);

// GET api_url of each, in parallel (contract ha 1: 2 s each, no retry).
struct AskPeers {
  static constexpr std::string_view name = "ask_peers";
  std::uint64_t round = 0;
  std::vector<PeerAddress> peers;

  static constexpr auto fields() {
    return std::tuple{field("round", &AskPeers::round), field("peers", &AskPeers::peers)};
  }
  friend bool operator==(const AskPeers&, const AskPeers&) = default;
};
static_assert(lists_all_fields<AskPeers>);

// POST /failsafe to each, in parallel, twice if the first attempt fails, within the task's time:
// `ok` only if everybody answered 200 `Accepted`, at once when there is nobody to ask
// (contract rest 14, safety 3.4).
struct AskFailsafe {
  static constexpr std::string_view name = "ask_failsafe";
  std::vector<PeerAddress> peers;
  std::string body;

  static constexpr auto fields() {
    return std::tuple{field("peers", &AskFailsafe::peers), field("body", &AskFailsafe::body)};
  }
  friend bool operator==(const AskFailsafe&, const AskFailsafe&) = default;
};
static_assert(lists_all_fields<AskFailsafe>);

// Does anybody answer under the address of a member with our own name (contract dcs 4.3)?
struct ProbeNamesake {
  static constexpr std::string_view name = "probe_namesake";
  std::string api_url;

  static constexpr auto fields() { return std::tuple{field("api_url", &ProbeNamesake::api_url)}; }
  friend bool operator==(const ProbeNamesake&, const ProbeNamesake&) = default;
};
static_assert(lists_all_fields<ProbeNamesake>);

// PAUSE, or RECONNECT and RESUME, on the consoles of these PgBouncers (safety 5.1), within the
// task's time: `ok` only if each of them confirmed. Who did not pause in time is told to resume.
struct TellPoolers {
  static constexpr std::string_view name = "tell_poolers";
  enum class What { pause, resume };
  What what = What::resume;
  std::vector<std::string> hosts;      // ADDRESS:PORT
  std::vector<std::string> databases;  // empty = all

  static constexpr auto fields() {
    using T = TellPoolers;
    return std::tuple{field("what", &T::what), field("hosts", &T::hosts),
                      field("databases", &T::databases)};
  }
  friend bool operator==(const TellPoolers&, const TellPoolers&) = default;
};
static_assert(lists_all_fields<TellPoolers>);
constexpr auto names_of(TellPoolers::What) {
  using W = TellPoolers::What;
  return std::array{EnumName<W>{W::pause, "pause"}, EnumName<W>{W::resume, "resume"}};
}

// Makes settings of the dynamic document `config` and caches it in the data directory.
struct AdoptConfig {
  static constexpr std::string_view name = "adopt_config";
  Tree config;

  static constexpr auto fields() { return std::tuple{field("config", &AdoptConfig::config)}; }
  friend bool operator==(const AdoptConfig&, const AdoptConfig&) = default;
};
static_assert(lists_all_fields<AdoptConfig>);

// Reads the local files anew (SIGHUP, POST /reload).
struct ReloadSettings {
  static constexpr std::string_view name = "reload_settings";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const ReloadSettings&, const ReloadSettings&) = default;
};

// Opens the REST API; only after the name was found to be ours.
struct StartApi {
  static constexpr std::string_view name = "start_api";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const StartApi&, const StartApi&) = default;
};

using AgentAction = std::variant<AskPeers, AskFailsafe, ProbeNamesake, TellPoolers, AdoptConfig,
                                 ReloadSettings, StartApi>;

// One thing to start. `until` is the instant at which it is given up (store and peers).
struct StartTask {
  static constexpr std::string_view name = "start";
  Task task = Task::observe;
  std::variant<StoreAction, ServerAction, AgentAction> body;
  Instant until;

  static constexpr auto fields() {
    return std::tuple{field("task", &StartTask::task), field("body", &StartTask::body),
                      field("until", &StartTask::until)};
  }
};
static_assert(lists_all_fields<StartTask>);

// Cancels whatever the server lane does.
struct CancelServer {
  static constexpr std::string_view name = "cancel_server";
  static constexpr auto fields() { return std::tuple{}; }
};

// Orders to the guard are carried out at once, in order, before anything is started (safety 2.4).
struct GuardOrder {
  enum class What {
    arm,               // a proven renewal: reign and deadline
    announce_standby,  // a standby is being started: the latch is lifted, nothing is armed
    disarm,            // the safe point of an orderly stop, pause
  };
  static constexpr std::string_view name = "guard";
  What what = What::disarm;
  Reign reign;
  Instant deadline;

  friend constexpr auto names_of(What) {
    return std::array{EnumName<What>{What::arm, "arm"},
                      EnumName<What>{What::announce_standby, "announce_standby"},
                      EnumName<What>{What::disarm, "disarm"}};
  }
  static constexpr auto fields() {
    using G = GuardOrder;
    return std::tuple{field("what", &G::what), field("reign", &G::reign),
                      field("deadline", &G::deadline)};
  }
  friend bool operator==(const GuardOrder&, const GuardOrder&) = default;
};
static_assert(lists_all_fields<GuardOrder>);

enum class LineLevel { debug, info, warning, error, critical };

constexpr auto names_of(LineLevel) {
  using L = LineLevel;
  return std::array{EnumName<L>{L::debug, "DEBUG"}, EnumName<L>{L::info, "INFO"},
                    EnumName<L>{L::warning, "WARNING"}, EnumName<L>{L::error, "ERROR"},
                    EnumName<L>{L::critical, "CRITICAL"}};
}

struct LogLine {
  static constexpr std::string_view name = "log";
  LineLevel level = LineLevel::info;
  std::string text;

  static constexpr auto fields() {
    return std::tuple{field("level", &LogLine::level), field("text", &LogLine::text)};
  }
  friend bool operator==(const LogLine&, const LogLine&) = default;
};
static_assert(lists_all_fields<LogLine>);

// The process ends; what runs besides goes on or not as the decision's other actions left it.
struct Leave {
  static constexpr std::string_view name = "leave";
  std::int64_t exit_code = 0;

  static constexpr auto fields() { return std::tuple{field("exit_code", &Leave::exit_code)}; }
  friend bool operator==(const Leave&, const Leave&) = default;
};
static_assert(lists_all_fields<Leave>);

using Action =
    std::variant<StartTask, CancelServer, GuardOrder, RunCallback, ApiReply, LogLine, Leave>;

}  // namespace tanist

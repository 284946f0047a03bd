// SPDX-License-Identifier: Apache-2.0
// What is known of the local PostgreSQL server: facts only, as postgres/ observed them.
// Nothing is concluded here (core/server_state does that). Values only; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/types.h"

namespace tanist {

// Contract ha 4.2.
enum class DataDirectory { unknown, absent_or_empty, not_accessible, foreign, present };

constexpr auto names_of(DataDirectory) {
  using D = DataDirectory;
  return std::array{EnumName<D>{D::unknown, "unknown"},
                    EnumName<D>{D::absent_or_empty, "absent_or_empty"},
                    EnumName<D>{D::not_accessible, "not_accessible"},
                    // has files, but no global/pg_control
                    EnumName<D>{D::foreign, "foreign"}, EnumName<D>{D::present, "present"}};
}

// `Database cluster state` of pg_controldata.
enum class ControlState {
  unknown,
  starting_up,
  shut_down,
  shut_down_in_recovery,
  shutting_down,
  in_crash_recovery,
  in_archive_recovery,
  in_production,
};

constexpr auto names_of(ControlState) {
  using C = ControlState;
  return std::array{EnumName<C>{C::unknown, "unknown"},
                    EnumName<C>{C::starting_up, "starting up"},
                    EnumName<C>{C::shut_down, "shut down"},
                    EnumName<C>{C::shut_down_in_recovery, "shut down in recovery"},
                    EnumName<C>{C::shutting_down, "shutting down"},
                    EnumName<C>{C::in_crash_recovery, "in crash recovery"},
                    EnumName<C>{C::in_archive_recovery, "in archive recovery"},
                    EnumName<C>{C::in_production, "in production"}};
}

// pg_control, as pg_controldata prints it (contract postgres 5.1).
struct ControlData {
  SystemId system_id;
  ControlState state = ControlState::unknown;
  Lsn checkpoint;
  Lsn checkpoint_redo;
  Timeline checkpoint_timeline;
  std::string redo_wal_file;
  Lsn min_recovery_end;
  Timeline min_recovery_timeline;
  bool wal_log_hints = false;
  bool checksums = false;
  std::int64_t max_connections = 0;
  std::int64_t max_worker_processes = 0;
  std::int64_t max_wal_senders = 0;
  std::int64_t max_prepared_xacts = 0;
  std::int64_t max_locks_per_xact = 0;

  static constexpr auto fields() {
    using C = ControlData;
    return std::tuple{field("system_id", &C::system_id),
                      field("state", &C::state),
                      field("checkpoint", &C::checkpoint),
                      field("checkpoint_redo", &C::checkpoint_redo),
                      field("checkpoint_timeline", &C::checkpoint_timeline),
                      field("redo_wal_file", &C::redo_wal_file),
                      field("min_recovery_end", &C::min_recovery_end),
                      field("min_recovery_timeline", &C::min_recovery_timeline),
                      field("wal_log_hints", &C::wal_log_hints),
                      field("checksums", &C::checksums),
                      field("max_connections", &C::max_connections),
                      field("max_worker_processes", &C::max_worker_processes),
                      field("max_wal_senders", &C::max_wal_senders),
                      field("max_prepared_xacts", &C::max_prepared_xacts),
                      field("max_locks_per_xact", &C::max_locks_per_xact)};
  }
  friend bool operator==(const ControlData&, const ControlData&) = default;
};
static_assert(lists_all_fields<ControlData>);

// One row of the WAL senders' view.
struct WalSender {
  std::int64_t pid = 0;
  std::string user;
  std::string application_name;
  std::string client_address;
  std::string state;       // streaming, catchup, ...
  std::string sync_state;  // sync, quorum, potential, async
  std::int64_t sync_priority = 0;
  Lsn write_lsn;
  Lsn flush_lsn;
  Lsn replay_lsn;

  static constexpr auto fields() {
    using W = WalSender;
    return std::tuple{field("pid", &W::pid),
                      field("user", &W::user),
                      field("application_name", &W::application_name),
                      field("client_address", &W::client_address),
                      field("state", &W::state),
                      field("sync_state", &W::sync_state),
                      field("sync_priority", &W::sync_priority),
                      field("write_lsn", &W::write_lsn),
                      field("flush_lsn", &W::flush_lsn),
                      field("replay_lsn", &W::replay_lsn)};
  }
  friend bool operator==(const WalSender&, const WalSender&) = default;
};
static_assert(lists_all_fields<WalSender>);

// One replication slot (contract postgres 10.6); temporary ones are left out.
struct SlotFacts {
  std::string name;
  bool logical = false;
  bool active = false;
  std::string plugin;
  std::string database;
  bool has_xmin = false;
  std::int64_t catalog_xmin = 0;  // 0 = none
  Lsn restart_lsn;
  Lsn confirmed_flush_lsn;
  std::string wal_status;  // PostgreSQL 13 and later
  bool failover = false;   // 17 and later
  bool synced = false;

  static constexpr auto fields() {
    using S = SlotFacts;
    return std::tuple{field("name", &S::name),
                      field("logical", &S::logical),
                      field("active", &S::active),
                      field("plugin", &S::plugin),
                      field("database", &S::database),
                      field("has_xmin", &S::has_xmin),
                      field("catalog_xmin", &S::catalog_xmin),
                      field("restart_lsn", &S::restart_lsn),
                      field("confirmed_flush_lsn", &S::confirmed_flush_lsn),
                      field("wal_status", &S::wal_status),
                      field("failover", &S::failover),
                      field("synced", &S::synced)};
  }
  friend bool operator==(const SlotFacts&, const SlotFacts&) = default;
};
static_assert(lists_all_fields<SlotFacts>);

// The answer to the monitoring query (contract postgres 4.1 and 4.4).
struct QueryFacts {
  std::int64_t server_version = 0;  // 150002
  bool in_recovery = false;
  std::string postmaster_start_time;  // as REST prints it
  // Primary: the current timeline. Standby: 0.
  Timeline timeline;
  // Primary: flushed WAL position. Standby: 0.
  Lsn location;
  Lsn replayed;
  Lsn received;                    // the larger of received and written; 0 = no receiver yet
  Lsn latest_end;                  // what the receiver heard of the sender's end
  std::string replayed_timestamp;  // empty = null
  bool replay_paused = false;
  // From the WAL receiver, of the local replication connection when that was asked (0 = unknown).
  Timeline received_timeline;
  std::string receiver_status;
  std::string receiver_slot;
  std::string receiver_host;
  std::int64_t receiver_port = 0;
  std::string restore_command;
  std::string synchronous_commit;
  std::string synchronous_standby_names;
  std::vector<WalSender> wal_senders;
  std::vector<SlotFacts> slots;

  // The position that counts in races: primary flush, else max(received, replayed).
  Lsn wal_position() const { return in_recovery ? std::max(received, replayed) : location; }

  static constexpr auto fields() {
    using Q = QueryFacts;
    return std::tuple{field("server_version", &Q::server_version),
                      field("in_recovery", &Q::in_recovery),
                      field("postmaster_start_time", &Q::postmaster_start_time),
                      field("timeline", &Q::timeline),
                      field("location", &Q::location),
                      field("replayed", &Q::replayed),
                      field("received", &Q::received),
                      field("latest_end", &Q::latest_end),
                      field("replayed_timestamp", &Q::replayed_timestamp),
                      field("replay_paused", &Q::replay_paused),
                      field("received_timeline", &Q::received_timeline),
                      field("receiver_status", &Q::receiver_status),
                      field("receiver_slot", &Q::receiver_slot),
                      field("receiver_host", &Q::receiver_host),
                      field("receiver_port", &Q::receiver_port),
                      field("restore_command", &Q::restore_command),
                      field("synchronous_commit", &Q::synchronous_commit),
                      field("synchronous_standby_names", &Q::synchronous_standby_names),
                      field("wal_senders", &Q::wal_senders),
                      field("slots", &Q::slots)};
  }
  friend bool operator==(const QueryFacts&, const QueryFacts&) = default;
};
static_assert(lists_all_fields<QueryFacts>);

// Whether the server answers a connection attempt (pg_isready's four answers).
enum class Readiness { accepting, rejecting, no_answer, unknown };

constexpr auto names_of(Readiness) {
  using R = Readiness;
  return std::array{EnumName<R>{R::accepting, "accepting"}, EnumName<R>{R::rejecting, "rejecting"},
                    EnumName<R>{R::no_answer, "no_answer"}, EnumName<R>{R::unknown, "unknown"}};
}

struct PendingRestart {
  std::string parameter;
  std::string old_value;
  std::string new_value;

  static constexpr auto fields() {
    using P = PendingRestart;
    return std::tuple{field("parameter", &P::parameter), field("old_value", &P::old_value),
                      field("new_value", &P::new_value)};
  }
  friend bool operator==(const PendingRestart&, const PendingRestart&) = default;
};
static_assert(lists_all_fields<PendingRestart>);

// Everything observed at one time.
struct ServerFacts {
  Instant observed_at;  // when the observation began; nothing in it is older
  DataDirectory data = DataDirectory::unknown;
  std::string data_error;                     // why it is not accessible
  std::int64_t major_version = 0;             // PG_VERSION; 0 = unknown
  std::optional<ProcessIdentity> postmaster;  // present = it lives
  Readiness readiness = Readiness::unknown;   // asked when the query failed
  std::optional<QueryFacts> query;            // absent = it failed or there is no postmaster
  std::string query_error;
  bool query_timed_out = false;  // SQLSTATE 57014 or our own deadline
  // pg_control; always read when no postmaster lives, else when something needs it.
  std::optional<ControlData> control;
  bool standby_signal = false;
  bool recovery_signal = false;
  bool backup_label = false;
  bool rewind_interrupted = false;  // our marker of trap 54 is in the data directory
  std::vector<PendingRestart> pending_restart;

  static constexpr auto fields() {
    using S = ServerFacts;
    return std::tuple{field("observed_at", &S::observed_at),
                      field("data", &S::data),
                      field("data_error", &S::data_error),
                      field("major_version", &S::major_version),
                      field("postmaster", &S::postmaster),
                      field("readiness", &S::readiness),
                      field("query", &S::query),
                      field("query_error", &S::query_error),
                      field("query_timed_out", &S::query_timed_out),
                      field("control", &S::control),
                      field("standby_signal", &S::standby_signal),
                      field("recovery_signal", &S::recovery_signal),
                      field("backup_label", &S::backup_label),
                      field("rewind_interrupted", &S::rewind_interrupted),
                      field("pending_restart", &S::pending_restart)};
  }
  friend bool operator==(const ServerFacts&, const ServerFacts&) = default;
};
static_assert(lists_all_fields<ServerFacts>);

// What the storage canary and its connections to the server found (safety 5.3). A directory that is
// watched answers every second; `since` is the first moment of the present state.
enum class StorageState { unknown, good, silent, full, failing, unreachable };

constexpr auto names_of(StorageState) {
  using S = StorageState;
  return std::array{EnumName<S>{S::unknown, "unknown"}, EnumName<S>{S::good, "good"},
                    // no write came to its end for too long
                    EnumName<S>{S::silent, "silent"},
                    // less is free than a segment of WAL needs
                    EnumName<S>{S::full, "full"},
                    // writes end with an error
                    EnumName<S>{S::failing, "failing"},
                    // writes end, but the postmaster answers no new connection (trap 38)
                    EnumName<S>{S::unreachable, "unreachable"}};
}

struct StorageFacts {
  StorageState state = StorageState::unknown;
  Instant since;
  std::string detail;  // which directory, and what it said
  // Latencies of the last writes and of the last new connection; -1 = none yet.
  std::int64_t data_us = -1;
  std::int64_t wal_us = -1;
  std::int64_t connection_us = -1;
  // Asked while the storage is silent: sessions that wait for WAL, and since when the flushed
  // position has not moved.
  std::int64_t sessions_waiting = 0;
  Lsn flushed;
  Instant flushed_since;

  bool good_enough() const { return state == StorageState::unknown || state == StorageState::good; }

  static constexpr auto fields() {
    using S = StorageFacts;
    return std::tuple{field("state", &S::state),
                      field("since", &S::since),
                      field("detail", &S::detail),
                      field("data_us", &S::data_us),
                      field("wal_us", &S::wal_us),
                      field("connection_us", &S::connection_us),
                      field("sessions_waiting", &S::sessions_waiting),
                      field("flushed", &S::flushed),
                      field("flushed_since", &S::flushed_since)};
  }
  friend bool operator==(const StorageFacts&, const StorageFacts&) = default;
};
static_assert(lists_all_fields<StorageFacts>);

}  // namespace tanist

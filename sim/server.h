// SPDX-License-Identifier: Apache-2.0
// A modelled PostgreSQL server: its data directory, its postmaster, crash recovery, streaming from
// another one, promotion, shutdown that waits for its receivers. Knows nothing of agents; what is
// done to it is server_actions.h. Owned by its node.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "core/server_actions.h"
#include "sim/commit_wait.h"
#include "sim/network.h"
#include "sim/process.h"
#include "sim/wal.h"

namespace tanist::sim {

// What survives a crash.
struct DataFolder {
  DataDirectory kind = DataDirectory::absent_or_empty;
  SystemId system_id;
  Wal wal;
  ControlState state = ControlState::unknown;
  Lsn checkpoint;      // begin of the last checkpoint's record
  Lsn checkpoint_end;  // its end
  Timeline checkpoint_timeline;
  Lsn min_recovery_end;
  bool standby_signal = false;
  bool rewind_interrupted = false;
  std::map<std::string, Lsn> slots;  // with restart_lsn while nobody uses it
};

enum class Phase { starting, standby, promoting, primary, stopping, single_user };

// How slow things are; changed by faults.
struct Pace {
  Duration recovery_max = seconds(1);
  Duration promotion_max = milliseconds(500);
  Duration checkpoint_max = milliseconds(500);
  Duration replay_max = milliseconds(5);
  Duration copy_max = seconds(4);
  Duration flush_max = milliseconds(3);  // of what a receiver got
};

// What a primary keeps of its WAL for those who are not connected, in bytes.
struct WalLimits {
  static constexpr std::uint64_t everything = ~std::uint64_t{0};
  std::uint64_t kept = everything;      // wal_keep_size
  std::uint64_t slot_max = everything;  // max_slot_wal_keep_size
};

class Server;

// What the server needs of the world around it.
struct ServerSurroundings {
  World& world;
  Network& network;
  Records& records;
  std::function<Server*(const std::string& name)> find;  // by the host of a conninfo
  // The newest that the WAL archive has a history file of.
  std::function<Timeline()> newest_timeline;
  WalLimits wal_limits;
};

class Server {
 public:
  Server(ServerSurroundings around, std::string name, Host host);

  const std::string& name() const { return name_; }
  Host host() const { return host_; }
  Process& process() { return process_; }
  DataFolder& data() { return data_; }
  const DataFolder& data() const { return data_; }
  Pace& pace() { return pace_; }

  // ---- what it is ----
  bool alive() const { return process_.alive(); }
  bool hung() const { return process_.stopped(); }
  Phase phase() const { return phase_; }
  std::optional<ProcessIdentity> identity() const;
  // Takes connections.
  bool accepts() const { return process_.runs() && accepting_; }
  // A client's commit would succeed now.
  bool writable() const { return phase_ == Phase::primary && admits_clients_ && accepts(); }
  bool in_recovery() const { return phase_ != Phase::primary; }
  Lsn end() const { return data_.wal.end(around_.records); }
  Lsn replayed() const;
  // What would survive the loss of its machine.
  Lsn flushed() const;
  // Why it does not stream; empty = it does, or has not tried.
  const std::string& why_not_streaming() const { return why_not_streaming_; }
  bool disk_full() const { return disk_full_; }
  void keep_more_wal() { around_.wal_limits.kept *= 2; }
  std::uint64_t launches() const { return launches_; }
  bool streaming() const { return source_ != nullptr; }
  const Server* source() const { return source_; }
  const std::optional<Upstream>& upstream() const { return upstream_; }
  bool admits_clients() const { return admits_clients_; }
  // A receiver got something since the start.
  bool has_received() const { return has_received_; }
  std::vector<const Server*> receivers() const {
    const auto servers = std::views::keys(receivers_);
    return {servers.begin(), servers.end()};
  }
  const CommitWait& commits() const { return commits_; }

  // ---- what is done to it ----
  // Exit codes of a start that fails are the agent's affair: this one always begins.
  void launch(bool single_user);
  void promote();
  // In effect at once for a standby that runs.
  void set_upstream(std::optional<Upstream> upstream);
  void stop_fast();
  void quit();
  // SIGKILL of everything; `silently`: with its machine.
  void kill(bool silently = false);
  void checkpoint(std::function<void()> done);
  // Of its WAL: who has to write there ends with a PANIC.
  void set_disk_full(bool full) { disk_full_ = full; }
  // True if it ended because it could not write.
  bool out_of_space();
  // Appends a client's row; the server must be writable.
  Lsn commit(std::uint64_t row);
  // `release` is called when the session may tell its client so.
  void await_standbys(Lsn position, CommitLevel level, std::function<void()> release) {
    commits_.wait(position, level, std::move(release));
  }
  // Writes synchronous_standby_names into the files, and reloads the server if it runs.
  void name_standbys(const std::string& names);

  // ---- who wants to know ----
  std::function<void(ProcessIdentity)> on_exit;
  // Out of recovery, on a timeline that begins now.
  std::function<void()> on_promoted;

 private:
  Duration pick(Duration most) { return chance_.between(most / 20, most); }
  void exit(bool silently = false);
  void end_recovery();
  void become_primary();
  void append(std::uint64_t row, std::uint64_t size);
  void write_checkpoint();
  void take_shutdown_checkpoint();
  void leave_when_all_is_sent();
  void replay_to(std::size_t count);
  void lose_what_is_not_flushed();
  // replication.cpp
  void seek_source(Duration delay);
  void connect();
  std::string hindrance(const Server& source) const;
  bool keeps_wal_for(const Server& receiver) const;
  void flush_to(std::size_t count);
  void flush_and_report(std::size_t count);
  void lose_source();
  void feed_all();
  void feed(Server* receiver);
  void feed(Server* receiver, bool& is_fed);
  void receive(Server* source, std::size_t count, std::uint64_t stream);
  void take_records(const Wal& from, std::size_t count);
  void receivers_notice_end(bool silently);
  void report_to_source();
  void send_report(Server* source, std::uint64_t stream);

  ServerSurroundings around_;
  std::string name_;
  Host host_;
  Random chance_;
  Process process_;
  DataFolder data_;
  Pace pace_;
  Phase phase_ = Phase::starting;
  std::int64_t pid_ = 0;
  bool accepting_ = false;
  bool admits_clients_ = false;
  bool has_received_ = false;
  std::size_t replayed_ = 0;  // records
  std::size_t flushed_ = 0;   // records
  bool disk_full_ = false;
  std::uint64_t launches_ = 0;
  std::string why_not_streaming_;
  std::optional<Upstream> upstream_;
  Server* source_ = nullptr;
  std::uint64_t stream_ = 0;  // tells one connection to a source from another
  std::uint64_t seeking_ = 0;
  Instant heard_at_;  // of the source
  // Never by address: that is not the same in two runs.
  struct ByHost {
    bool operator()(const Server* a, const Server* b) const { return a->host_ < b->host_; }
  };
  std::map<Server*, bool, ByHost> receivers_;  // and whether a message is on its way
  std::string standby_names_;                  // in the files
  CommitWait commits_;
};

}  // namespace tanist::sim

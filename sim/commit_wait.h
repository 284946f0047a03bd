// SPDX-License-Identifier: Apache-2.0
// Synchronous replication of a modelled primary: what synchronous_standby_names says, as its
// checkpointer, its sessions and each of its WAL senders know it at the time (each reads the file
// for itself), the commits that wait, and who lets them go. As PostgreSQL does it (syncrep.c).
// Owned by the server.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/standby_names.h"
#include "sim/network.h"
#include "sim/process.h"

namespace tanist::sim {

// synchronous_commit of the session.
enum class CommitLevel { local, remote_write, on, remote_apply };

class CommitWait {
 public:
  explicit CommitWait(Random chance) : chance_(chance) {}

  // ---- the setting ----
  // At the start of the server: everybody knows it.
  void begin(const std::string& names);
  // A reload: everybody learns of it in his own time.
  void change(const std::string& names, Process& server);
  const std::string& shown() const { return shown_; }

  // ---- the WAL senders ----
  void add_sender(Host host, std::string name, Lsn position);
  void remove_sender(Host host) { senders_.erase(host); }
  // The receiver has told its positions.
  void report(Host host, Lsn flushed, Lsn replayed);
  Lsn flushed(Host host) const;
  // pg_stat_replication.sync_state
  std::string state_of(Host host) const;

  // ---- the commits ----
  // `release` is called when enough standbys have `position`: at once where nobody is waited for.
  void wait(Lsn position, CommitLevel level, std::function<void()> release);
  bool somebody_is_named() const { return !checkpointer_.names.empty(); }
  // The sessions end with the server; nobody is told anything.
  void end();

 private:
  struct Sender {
    std::uint64_t number = 0;
    std::string name;
    StandbyNames names;  // as this one knows them
    Lsn flushed;
    Lsn replayed;
  };
  struct Waiting {
    Lsn position;
    CommitLevel level;
    std::function<void()> release;
  };

  std::vector<const Sender*> chosen(const StandbyNames& names) const;
  Lsn synced(const StandbyNames& names, CommitLevel level) const;
  void release_up_to(const StandbyNames& names);

  Random chance_;
  std::string file_;   // what it says now
  std::string shown_;  // as the postmaster has read it
  StandbyNames shown_names_;
  StandbyNames checkpointer_;
  std::map<Host, Sender> senders_;
  std::uint64_t last_sender_ = 0;
  std::vector<Waiting> waiting_;
};

}  // namespace tanist::sim

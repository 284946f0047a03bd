// SPDX-License-Identifier: Apache-2.0
// What must hold, looked at after every event, and what must come true once all faults are over.
// Looks at the world from outside: it never asks an agent what it believes where the world knows
// better. Meanings: docs/safety.md section 7. Owned by the run.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/clients.h"
#include "sim/cluster.h"

namespace tanist::sim {

struct Violation {
  std::string rule;
  std::string detail;
};

class Checks {
 public:
  Checks(Cluster& cluster, Clients& clients);

  // After every event; stops the world at the first violation.
  void look();
  const std::optional<Violation>& violation() const { return violation_; }
  // A fault deleted the leader key: two may hold the lock in good faith until they notice.
  void leader_key_was_erased() { erased_at_ = cluster_.world().now(); }
  // Told of each new reign, as the store sees it.
  std::function<void(Node&)> on_lock_taken;
  // Called for a replica whose source has removed the WAL that it needs.
  void look_at_replica_that_is_cut_off(const Node& node);
  // What is missing for a healthy cluster; empty = nothing is.
  std::string ailment() const;
  // At the end: rows that are missing without having been given up. Counts the acknowledged ones
  // that were.
  void look_at_rows();
  std::uint64_t acknowledged() const { return acknowledged_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t promotions() const { return promotions_; }
  std::uint64_t hand_overs() const { return hand_overs_; }

 private:
  // The end of the last reign, if it was given away for a switchover.
  struct HandOver {
    std::string from;
    Wal wal;
    Instant at;
  };
  // What the store said when the lock was taken: by what the new leader was entitled.
  struct Election {
    std::string leader;
    bool synchronous = false;  // the mode was on, and `/sync` in force
    bool by_hand = false;      // a manual failover named it
    bool any_lag = false;      // or somebody who is not there: then the lag is not looked at either
    bool taken_back = false;   // by its last holder, whose lease lives on
    bool mode_was_off = false;  // for a while, since then
    bool elected = false;       // it was listed in `/sync`, and needed nobody's vote
  };

  // A node, and what was seen of it.
  struct Watched {
    Node* node = nullptr;
    std::uint64_t steps = 0;            // of its agent, at the last look
    std::uint64_t steps_before = 0;     // before this second; 0 = none yet
    std::uint64_t launches_before = 0;  // of its server, before these ten seconds
    // When a node that woke behind its time could last not reach the store.
    Instant out_of_reach_at{Duration::min()};
    bool knows_pause = false;  // its agent, at its last step
    Instant pause_known_at{Duration::min()};
    std::optional<GuardOrder> armed;  // the last order of this kind
  };

  void violate(std::string rule, std::string detail);
  void look_at_rest();
  void look_at_launches(std::int64_t second);
  void look_at_standby_cluster();
  void look_at_storage_of(const Node& node);
  void look_at_identity(const std::string& leader);
  void look_at_reach();
  bool steps_were_made();
  void note_pause(Watched& watched) const;
  Watched& watched(const Node& node);
  bool woke_behind(const Watched& watched) const;
  std::string ailment_of_standby_cluster(const Node& leader) const;
  std::string ailment_of_replicas(const Node& leader) const;
  void look_at_primaries();
  void look_at_locks();
  void look_at_deadline(Watched& watched, const GuardOrder& order);
  void look_at_consent(const Watched& watched, const GuardOrder& order);
  void look_at_keys();
  void look_at_end_of_reign(const Node& node);
  void leader_is_gone(Revision revision);
  void leader_is_there(const std::string& name);
  void sync_names(const std::string& leader);
  static bool bound(const Election& election);
  void status_is_written(const std::string& value);
  void follows_remote(bool follows);
  void promoted(Node& node);
  bool knows_a_pause(const Watched& watched) const;
  void look_at_lag(const Node& node);
  void forget_published_beyond(const Wal& wal);
  RecordId last_common(RecordId id, const Wal& wal) const;
  void give_up_rows(const Node& node, bool synchronous);
  void row_committed(Row& row);
  void row_released(const Row& row);
  bool mode_is_on() const;
  bool exempt(const Watched& watched) const;
  bool paused_lately();

  Cluster& cluster_;
  Clients& clients_;
  std::vector<Watched> watched_;  // all nodes
  std::optional<Violation> violation_;
  Revision seen_;
  std::int64_t second_ = 0;
  Instant second_end_;
  bool woke_lately_ = false;  // some node behind its time
  std::int64_t ten_seconds_ = 0;
  bool standby_cluster_ = false;  // by `/config`
  Instant standby_since_ = Instant::max();
  std::string leader_;
  Reign reign_;  // by the leader key
  std::optional<HandOver> hand_over_;
  Election election_;
  std::string sync_leader_;  // by `/sync`
  bool mode_is_on_ = false;  // by `/config`
  std::string status_;
  std::optional<RecordId> published_;  // the last record that `/status` speaks of
  Node* last_promoted_ = nullptr;
  Instant paused_at_{Duration::min()};
  Instant erased_at_{Duration::min()};
  bool paused_ = false;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t lost_ = 0;
  std::uint64_t promotions_ = 0;
  std::uint64_t hand_overs_ = 0;
};

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Clients that write numbered rows at the node that says it is the primary, stay there until it
// fails them, and remember what was acknowledged. While nothing happens for long they write about
// once a second in all, otherwise each at his own pace. Owned by the run.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cluster.h"

namespace tanist::sim {

struct Row {
  Node* node = nullptr;
  RecordId record = 0;
  bool committed = false;
  bool released = false;  // its session may tell the client, if that one still listens
  bool acknowledged = false;
  bool given_up = false;   // a failover left it behind that was allowed to
  bool forbidden = false;  // a failover left it behind that was not, if it was acknowledged
  // By a session with synchronous_commit on or remote_apply, and without a warning.
  bool strict = false;
  bool synchronous = false;  // and the mode was in force
};

class Clients {
 public:
  Clients(Cluster& cluster, int count);

  // Index = number of the row.
  std::vector<Row>& rows() { return rows_; }
  // Something happens: everybody writes at his own pace for a while. Before the first time they
  // always do.
  void stir();
  Instant last_acknowledged_at() const { return last_acknowledged_at_; }
  // Told of each commit, at the server, and when its session is let go.
  std::function<void(Row&)> on_commit;
  std::function<void(Row&)> on_release;

 private:
  struct Client {
    Duration interval{0};
    Node* node = nullptr;
    std::uint64_t waiting_for = 0;  // row
    std::uint64_t ticks = 0;        // planned so far; only the last counts
    CommitLevel level = CommitLevel::on;
    bool cancels = false;  // a wait that takes long
  };

  void tick(Client& client);
  void plan_tick(Client& client, Duration delay);
  Node* find_primary();
  void write(Client& client);
  void commit(Client& client, Node& node, std::uint64_t number);
  void lose_patience(Client& client, std::uint64_t number);
  void answer(Client& client, Node& node, std::uint64_t number, bool done);

  Cluster& cluster_;
  Random chance_;
  std::vector<Client> clients_;
  std::vector<Row> rows_{1};
  Instant busy_until_ = Instant::max();
  Instant last_acknowledged_at_;
};

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Clients that write numbered rows at the node that says it is the primary, stay there until it
// fails them, and remember what was acknowledged. Owned by the run.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/cluster.h"

namespace tanist::sim {

struct Row {
  Node* node = nullptr;
  RecordId record = 0;
  bool committed = false;
  bool acknowledged = false;
  bool given_up = false;  // a failover of asynchronous replication left it behind
};

class Clients {
 public:
  Clients(Cluster& cluster, int count);

  // Index = number of the row.
  std::vector<Row>& rows() { return rows_; }
  Instant last_acknowledged_at() const { return last_acknowledged_at_; }
  // Told of each commit, at the server.
  std::function<void(Row&)> on_commit;

 private:
  struct Client {
    Duration interval{0};
    Node* node = nullptr;
    std::uint64_t waiting_for = 0;  // row
  };

  void tick(Client& client);
  Node* find_primary();
  void write(Client& client);
  void commit(Client& client, Node& node, std::uint64_t number);

  Cluster& cluster_;
  Random chance_;
  std::vector<Client> clients_;
  std::vector<Row> rows_{1};
  Instant last_acknowledged_at_;
};

}  // namespace tanist::sim

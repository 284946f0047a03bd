// SPDX-License-Identifier: Apache-2.0
// Everything that is modelled, put together: nodes (machine, server, guard, agent), etcd, network.
// Knows no faults and no checks.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/agent.h"

namespace tanist::sim {

struct ClusterOptions {
  int nodes = 3;
  Timing timing;
  std::int64_t lag_bytes_max_on_failover = 1048576;
  std::string synchronous_mode = "off";  // as in the dynamic configuration
  bool synchronous_mode_strict = false;
  std::int64_t synchronous_node_count = 1;
  bool failsafe_mode = false;
  bool standby_cluster = false;  // of a remote primary
  bool pooler = false;           // is paused over a switchover
  std::string scope = "demo";
  EtcdPort* store = nullptr;  // another one than the modelled etcd; it outlives the cluster
  WalLimits wal_limits;
  std::vector<Tree> tags;  // of the first nodes; the others have none
};

// One machine with what runs on it.
class Node {
 public:
  Node(AgentSurroundings around, MachineClock clock, AgentSettings settings, Host host);

  const std::string& name() const { return server.name(); }
  bool up() const { return down_ == 0; }
  bool frozen() const { return frozen_ > 0; }

  // Power is lost, and comes back.
  void crash();
  void boot();
  // Stopped as a whole (a hypervisor's pause); its clocks go on, or stand still.
  void freeze(bool clock_stands = false);
  void thaw();
  // Agent and guard stopped, and the server not: nobody watches it.
  void freeze_watch();
  void thaw_watch();
  bool watched() const { return unwatched_ == 0; }
  // Of the disk with its WAL.
  void fill_disk();
  void free_disk();
  // The supervisor starts an agent that ended, unless it was stopped on purpose.
  void stop_agent();
  void start_agent();

  MachineClock clock;
  Server server;
  Guard guard;
  Agent agent;
  Instant thawed_at;
  Instant full_since = Instant::max();
  // When it went on with a clock that had stood still.
  Instant woke_behind_at{Duration::min()};

 private:
  World& world_;
  Network& network_;
  Random chance_;
  int down_ = 0;
  int frozen_ = 0;
  int unwatched_ = 0;
  int full_ = 0;
  bool wanted_ = true;
};

class Cluster {
 public:
  Cluster(World& world, ClusterOptions options);

  World& world() { return world_; }
  Network& network() { return network_; }
  EtcdMembers& etcd() { return etcd_; }
  Pooler& pooler() { return pooler_; }
  const Records& records() const { return records_; }
  const ClusterOptions& options() const { return options_; }
  std::vector<std::unique_ptr<Node>>& nodes() { return nodes_; }
  Node* find(const std::string& name);
  Host client_host() const { return network_.hosts() - 2; }
  // What a standby cluster follows; null where there is none.
  // Nothing hinders this host from being answered soon.
  bool reaches_store(Host host) const;
  Server* remote() { return remote_ ? &*remote_ : nullptr; }

  const wire::KeyValue* key(const std::string& name) const;
  // The name in the leader key; empty = none.
  std::string leader() const;
  Node* primary();

 private:
  Timeline newest_timeline();
  Server* server_of(const std::string& name);
  void found_remote(ServerSurroundings around);
  void write_at_remote();

  World& world_;
  ClusterOptions options_;
  Network network_;
  Records records_;
  Timeline newest_timeline_;
  EtcdMembers etcd_;
  ModelledEtcd modelled_;
  Pooler pooler_;
  SharedReading reading_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::optional<Server> remote_;
};

// As in the dynamic configuration.
Tree remote_of_standby_cluster();

}  // namespace tanist::sim

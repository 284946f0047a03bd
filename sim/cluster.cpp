// SPDX-License-Identifier: Apache-2.0
// Wiring.
#include "sim/cluster.h"

#include <algorithm>

namespace tanist::sim {

namespace {

constexpr int etcd_count = 3;
constexpr const char* remote_name = "remote";

}  // namespace

// ---- A node ----------------------------------------------------------------------------------

Node::Node(AgentSurroundings around, MachineClock given, AgentSettings settings, Host host)
    : clock(given),
      server(around.server, settings.node.name.value(), host),
      guard(around.server.world, clock, server),
      agent(AgentSurroundings{around.server, around.etcd, around.pooler, around.reading, clock,
                              around.peer},
            std::move(settings), server, guard),
      world_(around.server.world),
      network_(around.server.network),
      chance_(world_.chance().fork()) {
  agent.on_leave = [this](std::int64_t) {
    if (!wanted_) return;
    world_.after(chance_.between(milliseconds(100), seconds(1)), [this] {
      if (wanted_) start_agent();
    });
  };
}

void Node::crash() {
  if (down_++ > 0) return;
  world_.tell(name(), "machine: loses its power");
  agent.kill();
  guard.vanish();
  server.kill(true);
  for (Host other = 0; other < network_.hosts(); ++other) {
    network_.cut(server.host(), other);
    network_.cut(other, server.host());
  }
}

void Node::boot() {
  if (--down_ > 0) return;
  world_.tell(name(), "machine: boots");
  for (Host other = 0; other < network_.hosts(); ++other) {
    network_.mend(server.host(), other);
    network_.mend(other, server.host());
  }
  start_agent();
}

void Node::freeze(bool clock_stands) {
  if (frozen_++ == 0) {
    world_.tell(name(), "machine: is frozen{}", clock_stands ? " with its clock" : "");
    if (clock_stands) clock.stand_still();
  }
  for (auto* process : {&guard.process(), &agent.process(), &server.process()}) process->stop();
}

void Node::thaw() {
  if (--frozen_ == 0) {
    world_.tell(name(), "machine: goes on");
    thawed_at = world_.now();
    if (clock.stands()) {
      clock.go_on();
      woke_behind_at = world_.now();
    }
  }
  for (auto* process : {&guard.process(), &agent.process(), &server.process()}) {
    process->go_on(chance_.between(Duration(0), milliseconds(5)));
  }
}

void Node::freeze_watch() {
  if (unwatched_++ == 0) world_.tell(name(), "agent and guard: are frozen");
  for (auto* process : {&guard.process(), &agent.process()}) process->stop();
}

void Node::thaw_watch() {
  if (--unwatched_ == 0) {
    world_.tell(name(), "agent and guard: go on");
    thawed_at = world_.now();
  }
  for (auto* process : {&guard.process(), &agent.process()}) {
    process->go_on(chance_.between(Duration(0), milliseconds(5)));
  }
}

void Node::fill_disk() {
  if (full_++ > 0) return;
  world_.tell(name(), "disk: is full");
  full_since = world_.now();
  server.set_disk_full(true);
  agent.look_at_storage();
}

void Node::free_disk() {
  if (--full_ > 0) return;
  world_.tell(name(), "disk: has space again");
  full_since = Instant::max();
  server.set_disk_full(false);
  agent.look_at_storage();
}

void Node::stop_agent() {
  wanted_ = false;
  agent.shut_down();
}

void Node::start_agent() {
  wanted_ = true;
  if (up() && !agent.process().alive()) agent.start();
}

// ---- The cluster -----------------------------------------------------------------------------

namespace {}  // namespace

Tree remote_of_standby_cluster() { return Tree::map({{"host", remote_name}, {"port", "5432"}}); }

namespace {

Tree config_of(const ClusterOptions& options) {
  auto config = Tree::map({{"ttl", options.timing.ttl.count()},
                           {"loop_wait", options.timing.loop_wait.count()},
                           {"retry_timeout", options.timing.retry_timeout.count()},
                           {"maximum_lag_on_failover", options.lag_bytes_max_on_failover},
                           {"synchronous_mode", options.synchronous_mode},
                           {"synchronous_mode_strict", options.synchronous_mode_strict},
                           {"synchronous_node_count", options.synchronous_node_count},
                           {"failsafe_mode", options.failsafe_mode},
                           {"postgresql", Tree::map({{"use_pg_rewind", true}})}});
  if (options.standby_cluster) config.set("standby_cluster", remote_of_standby_cluster());
  return config;
}

AgentSettings settings_of(const std::string& name, const ClusterOptions& options,
                          std::size_t number) {
  AgentSettings settings;
  auto& node = settings.node;
  if (number < options.tags.size()) {
    node.tags = tags_from(options.tags[number]);
    node.tags.published = published_tags(options.tags[number]);
  }
  node.name = MemberName(name);
  node.scope = options.scope;
  node.conn_url = "postgres://" + name + ":5432/postgres";
  node.api_url = "http://" + name + ":8008/patroni";
  node.has_bootstrap = true;
  node.use_pg_rewind = true;
  node.remove_data_on_rewind_failure = true;
  node.remove_data_on_divergence = true;
  if (options.pooler) node.paused_poolers = {"pooler:6432"};
  settings.first_config = config_of(options);
  return settings;
}

}  // namespace

Cluster::Cluster(World& world, ClusterOptions options)
    : world_(world),
      options_(options),
      network_(world, options.nodes + etcd_count + 2),
      etcd_(world, network_, etcd_count, options.nodes),
      modelled_(etcd_),
      pooler_(world) {
  const ServerSurroundings server{world_,
                                  network_,
                                  records_,
                                  [this](const std::string& name) { return server_of(name); },
                                  [this] { return newest_timeline(); },
                                  options.wal_limits};
  EtcdPort& store = options.store != nullptr ? *options.store : modelled_;
  if (options.standby_cluster) found_remote(server);
  for (int i = 0; i < options.nodes; ++i) {
    const auto offset = world.chance().between(seconds(0), std::chrono::hours(24));
    const auto drift = static_cast<std::int64_t>(world.chance().below(401)) - 200;
    const MachineClock clock(world, offset, drift);
    const auto peer = [this](const std::string& name) {
      auto* node = find(name);
      return node == nullptr ? nullptr : &node->agent;
    };
    const auto name = "n" + std::to_string(i + 1);
    nodes_.push_back(
        std::make_unique<Node>(AgentSurroundings{server, store, pooler_, reading_, clock, peer},
                               clock, settings_of(name, options, static_cast<std::size_t>(i)), i));
  }
}

Server* Cluster::server_of(const std::string& name) {
  if (name == remote_name) return remote();
  auto* node = find(name);
  return node == nullptr ? nullptr : &node->server;
}

bool Cluster::reaches_store(Host host) const {
  for (int i = 0; i < etcd_.count(); ++i) {
    if (network_.troubled(host, etcd_.host(i)) || network_.troubled(etcd_.host(i), host)) {
      return false;
    }
  }
  return etcd_.is_well();
}

// ---- The remote primary ----------------------------------------------------------------------

// It keeps its WAL: a standby leader that lacks some cannot be copied anew, because it leads.
void Cluster::found_remote(ServerSurroundings around) {
  around.wal_limits = {};
  remote_.emplace(around, remote_name, network_.hosts() - 1);
  auto& data = remote_->data();
  data.kind = DataDirectory::present;
  data.system_id = SystemId("7100000000000000001");
  data.state = ControlState::shut_down;
  data.wal.records.push_back(records_.add({Lsn(0x1FFFF88), Lsn(0x2000000), Timeline(1), 0}));
  data.checkpoint = Lsn(0x1FFFF88);
  data.checkpoint_end = Lsn(0x2000000);
  data.checkpoint_timeline = Timeline(1);
  remote_->launch(false);
  write_at_remote();
}

// Somebody else's rows.
void Cluster::write_at_remote() {
  world_.after(milliseconds(300), [this] { write_at_remote(); });
  if (remote_->writable()) remote_->commit(0);
}

// Kept also when the data that showed it is gone: an archive keeps history files.
Timeline Cluster::newest_timeline() {
  for (const auto& node : nodes_) {
    newest_timeline_ = std::max(newest_timeline_, node->server.data().wal.timeline);
  }
  return newest_timeline_;
}

Node* Cluster::find(const std::string& name) {
  const auto at = std::ranges::find_if(nodes_, [&](const auto& n) { return n->name() == name; });
  return at == nodes_.end() ? nullptr : at->get();
}

const wire::KeyValue* Cluster::key(const std::string& name) const {
  return etcd_.state().find("/service/demo/" + name);
}

std::string Cluster::leader() const {
  const auto* kv = key("leader");
  return kv == nullptr ? std::string() : kv->value;
}

Node* Cluster::primary() {
  for (const auto& node : nodes_) {
    if (node->server.writable()) return node.get();
  }
  return nullptr;
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Wiring.
#include "sim/cluster.h"

#include <algorithm>

namespace tanist::sim {

namespace {

constexpr int etcd_count = 3;

}  // namespace

// ---- A node ----------------------------------------------------------------------------------

Node::Node(AgentSurroundings around, MachineClock given, AgentSettings settings, Host host)
    : clock(given),
      server(around.server, settings.node.name.value(), host),
      guard(around.server.world, clock, server),
      agent(AgentSurroundings{around.server, around.etcd, clock, around.peer}, std::move(settings),
            server, guard),
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

void Node::freeze() {
  if (frozen_++ == 0) world_.tell(name(), "machine: is frozen");
  for (auto* process : {&guard.process(), &agent.process(), &server.process()}) process->stop();
}

void Node::thaw() {
  if (--frozen_ == 0) {
    world_.tell(name(), "machine: goes on");
    thawed_at = world_.now();
  }
  for (auto* process : {&guard.process(), &agent.process(), &server.process()}) {
    process->go_on(chance_.between(Duration(0), milliseconds(5)));
  }
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

namespace {

Tree config_of(const ClusterOptions& options) {
  return Tree::map({{"ttl", options.timing.ttl.count()},
                    {"loop_wait", options.timing.loop_wait.count()},
                    {"retry_timeout", options.timing.retry_timeout.count()},
                    {"maximum_lag_on_failover", options.lag_bytes_max_on_failover},
                    {"synchronous_mode", options.synchronous_mode},
                    {"synchronous_mode_strict", options.synchronous_mode_strict},
                    {"synchronous_node_count", options.synchronous_node_count},
                    {"failsafe_mode", options.failsafe_mode},
                    {"postgresql", Tree::map({{"use_pg_rewind", true}})}});
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
  node.scope = "demo";
  node.conn_url = "postgres://" + name + ":5432/postgres";
  node.api_url = "http://" + name + ":8008/patroni";
  node.has_bootstrap = true;
  node.use_pg_rewind = true;
  node.remove_data_on_rewind_failure = true;
  node.remove_data_on_divergence = true;
  settings.first_config = config_of(options);
  return settings;
}

}  // namespace

Cluster::Cluster(World& world, ClusterOptions options)
    : world_(world),
      options_(options),
      network_(world, options.nodes + etcd_count + 1),
      etcd_(world, network_, etcd_count, options.nodes) {
  const ServerSurroundings server{world_, network_, records_,
                                  [this](const std::string& name) {
                                    auto* node = find(name);
                                    return node == nullptr ? nullptr : &node->server;
                                  },
                                  [this] { return newest_timeline(); }};
  for (int i = 0; i < options.nodes; ++i) {
    const auto offset = world.chance().between(seconds(0), std::chrono::hours(24));
    const auto drift = static_cast<std::int64_t>(world.chance().below(401)) - 200;
    const MachineClock clock(world, offset, drift);
    const auto peer = [this](const std::string& name) {
      auto* node = find(name);
      return node == nullptr ? nullptr : &node->agent;
    };
    const auto name = "n" + std::to_string(i + 1);
    nodes_.push_back(std::make_unique<Node>(AgentSurroundings{server, etcd_, clock, peer}, clock,
                                            settings_of(name, options, static_cast<std::size_t>(i)),
                                            i));
  }
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

// SPDX-License-Identifier: Apache-2.0
// Writing clients.
#include "sim/clients.h"

#include <algorithm>

namespace tanist::sim {

namespace {

constexpr Duration patience = seconds(2);
// Longer than the longest pause between two faults of a run whose faults are chosen by the seed.
constexpr Duration busy_time = seconds(45);
constexpr Duration calm_interval = seconds(1);

const std::vector<CommitLevel> levels{
    CommitLevel::on,           CommitLevel::on,           CommitLevel::on,   CommitLevel::on,
    CommitLevel::remote_apply, CommitLevel::remote_write, CommitLevel::local};

bool is_strict(CommitLevel level) {
  return level == CommitLevel::on || level == CommitLevel::remote_apply;
}

}  // namespace

Clients::Clients(Cluster& cluster, int count)
    : cluster_(cluster), chance_(cluster.world().chance().fork()) {
  clients_.resize(static_cast<std::size_t>(count));
  for (auto& client : clients_) {
    client.interval = chance_.between(milliseconds(20), milliseconds(400));
    client.level = chance_.of(levels);
    client.cancels = chance_.one_in(3);
    plan_tick(client, chance_.between(Duration(0), seconds(1)));
  }
}

Node* Clients::find_primary() {
  const auto& nodes = cluster_.nodes();
  const auto first = chance_.index(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto& node = *nodes[(first + i) % nodes.size()];
    const bool linked = cluster_.network().connected(cluster_.client_host(), node.server.host());
    if (linked && node.agent.says_primary()) return &node;
  }
  return nullptr;
}

void Clients::plan_tick(Client& client, Duration delay) {
  cluster_.world().after(delay, [this, &client, number = ++client.ticks] {
    if (number == client.ticks) tick(client);
  });
}

void Clients::stir() {
  const auto now = cluster_.world().now();
  const bool was_calm = now >= busy_until_;
  busy_until_ = now + busy_time;
  if (!was_calm) return;
  for (auto& client : clients_) plan_tick(client, client.interval);
}

void Clients::tick(Client& client) {
  const bool calm = cluster_.world().now() >= busy_until_;
  const auto of_all = calm_interval * static_cast<std::int64_t>(clients_.size());
  plan_tick(client, calm ? std::max(client.interval, of_all) : client.interval);
  if (client.waiting_for != 0) return;
  if (client.node == nullptr) client.node = find_primary();
  if (client.node != nullptr) write(client);
}

void Clients::write(Client& client) {
  const auto number = rows_.size();
  rows_.push_back({.node = client.node, .strict = is_strict(client.level)});
  client.waiting_for = number;
  cluster_.world().after(patience, [this, &client, number] { lose_patience(client, number); });
  auto& node = *client.node;
  cluster_.network().send(cluster_.client_host(), node.server.host(),
                          [this, &client, &node, number] {
                            if (!node.server.alive()) return commit(client, node, number);
                            node.server.process().after(
                                chance_.between(std::chrono::microseconds(200), milliseconds(4)),
                                [this, &client, &node, number] { commit(client, node, number); });
                          });
}

// Who cancels the wait for standbys is told so with a warning, and goes on.
void Clients::lose_patience(Client& client, std::uint64_t number) {
  if (client.waiting_for != number) return;
  auto& row = rows_[number];
  client.waiting_for = 0;
  if (client.cancels && row.committed && !row.released && row.node->server.accepts()) {
    row.strict = row.synchronous = false;
    row.acknowledged = true;
  } else {
    client.node = nullptr;
  }
}

void Clients::commit(Client& client, Node& node, std::uint64_t number) {
  if (!node.server.writable() || node.server.out_of_space())
    return answer(client, node, number, false);
  const auto end = node.server.commit(number);
  auto& row = rows_[number];
  row.committed = true;
  row.record = node.server.data().wal.records.back();
  if (on_commit) on_commit(row);
  node.server.await_standbys(end, client.level, [this, &client, &node, number] {
    auto& let_go = rows_[number];
    let_go.released = true;
    if (on_release) on_release(let_go);
    answer(client, node, number, true);
  });
}

void Clients::answer(Client& client, Node& node, std::uint64_t number, bool done) {
  cluster_.network().send(node.server.host(), cluster_.client_host(),
                          [this, &client, number, done] {
                            if (done) rows_[number].acknowledged = true;
                            if (done) last_acknowledged_at_ = cluster_.world().now();
                            if (client.waiting_for != number) return;
                            client.waiting_for = 0;
                            if (!done) client.node = nullptr;
                          });
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// The checks of rest and health: nobody is busy with nothing, a disk without space leads nowhere, a
// standby cluster takes no writes, and in the end all is well.
#include "sim/checks.h"

namespace tanist::sim {

namespace {

constexpr std::uint64_t steps_a_second_max = 400;
// Some that are asked for, or follow a fault; and a start and a recovery in each cycle.
constexpr std::uint64_t launches_asked_for_max = 5;
constexpr std::uint64_t launches_in_ten_cycles_max = 20;
// Until a primary has heard that its cluster is to follow another, and has stopped.
constexpr Duration demotion_max = seconds(40);
// Until a race that was decided on earlier facts has reached the store.
constexpr Duration decision_max = seconds(12);

}  // namespace

// Somebody is busy with nothing (safety 7, "quiet").
void Checks::look_at_rest() {
  const auto second = std::chrono::floor<seconds>(cluster_.world().elapsed()).count();
  const bool next_second = second != second_;
  if (next_second) look_at_launches(second);
  second_ = second;
  second_end_ = cluster_.world().now() - cluster_.world().elapsed() + seconds(second + 1);
  for (auto& watched : watched_) {
    if (next_second || watched.steps_before == 0) watched.steps_before = watched.steps;
    if (watched.steps - watched.steps_before <= steps_a_second_max) continue;
    return violate("no rest", format_text("{} makes more than {} steps in a second",
                                          watched.node->name(), steps_a_second_max));
  }
}

void Checks::look_at_launches(std::int64_t second) {
  const auto loop_wait = static_cast<std::uint64_t>(cluster_.options().timing.loop_wait.count());
  const auto launches_in_ten_seconds_max =
      launches_asked_for_max + launches_in_ten_cycles_max / loop_wait;
  const bool next_ten = second / 10 != ten_seconds_;
  ten_seconds_ = second / 10;
  for (auto& watched : watched_) {
    const auto launches = watched.node->server.launches();
    if (launches > watched.launches_before + launches_in_ten_seconds_max) {
      return violate("a crash loop", watched.node->name());
    }
    if (next_ten) watched.launches_before = launches;
  }
}

// No reign stands in a cluster whose identity would end with a lease (safety 1.8).
void Checks::look_at_identity(const std::string& leader) {
  const auto* initialize = cluster_.key("initialize");
  if (initialize != nullptr && initialize->lease == LeaseId(0) && !initialize->value.empty())
    return;
  violate("a reign without a lasting identity", leader);
}

// A member whose storage is full is no candidate (safety 5.3); a primary keeps its lock, and in a
// cluster whose disks are all full there is nobody else. Who takes back its own lock, which
// somebody deleted, was no candidate.
void Checks::look_at_storage_of(const Node& node) {
  const bool candidate = node.server.alive() && node.server.phase() == Phase::standby;
  const auto* loop = node.agent.loop();
  if (!candidate || loop == nullptr || paused_lately()) return;
  const auto& storage = loop->observation().local.storage;
  const bool known =
      storage.state == StorageState::full && node.clock.now() > storage.since + decision_max;
  if (known && !election_.by_hand && !election_.taken_back)
    violate("a node with a full disk took the lock", node.name());
}

void Checks::look_at_standby_cluster() {
  if (!standby_cluster_ || paused_lately()) return;
  const auto now = cluster_.world().now();
  for (const auto& watched : watched_) {
    const auto& node = *watched.node;
    const auto* loop = node.agent.loop();
    const bool knows = loop != nullptr && node.agent.process().runs() &&
                       loop->observation().cluster->standby_cluster.has_value();
    if (!knows || !node.server.writable() || exempt(watched)) continue;
    if (now > standby_since_ + demotion_max) {
      return violate("a standby cluster takes writes", node.name());
    }
  }
}

// It stays broken until somebody acts, so it must be seen.
void Checks::look_at_replica_that_is_cut_off(const Node& node) {
  const auto* member = cluster_.key("members/" + node.name());
  if (member == nullptr || !node.agent.process().runs()) return;
  if (member->value.find("\"replication_state\":\"streaming\"") == std::string::npos) return;
  violate("a replica without WAL says that it streams", node.name());
}

// ---- In the end ------------------------------------------------------------------------------

std::string Checks::ailment() const {
  auto* leader = cluster_.find(cluster_.leader());
  if (leader == nullptr) return "there is no leader";
  if (standby_cluster_) return ailment_of_standby_cluster(*leader);
  if (!leader->server.writable()) return leader->name() + " leads and takes no writes";
  if (!leader->agent.says_primary()) return leader->name() + " does not say that it is primary";
  if (auto ailment = ailment_of_replicas(*leader); !ailment.empty()) return ailment;
  if (cluster_.world().now() - clients_.last_acknowledged_at() > seconds(3)) {
    return "no client's write was acknowledged lately";
  }
  if (cluster_.pooler().paused()) return "the pooler still holds clients back";
  return {};
}

std::string Checks::ailment_of_standby_cluster(const Node& leader) const {
  const auto& server = leader.server;
  if (server.writable()) return leader.name() + " takes writes in a standby cluster";
  if (!server.alive() || server.phase() != Phase::standby) return leader.name() + " is no standby";
  const auto* source = server.source();
  if (source == nullptr || source->name() != "remote") {
    return leader.name() + " does not follow the remote primary";
  }
  return ailment_of_replicas(leader);
}

std::string Checks::ailment_of_replicas(const Node& leader) const {
  for (const auto& node : cluster_.nodes()) {
    if (node.get() == &leader) continue;
    const auto& server = node->server;
    if (!server.alive() || server.phase() != Phase::standby) return node->name() + " is no standby";
    if (!server.streaming()) return node->name() + " does not stream";
    if (server.source() != &leader.server) return node->name() + " streams from somebody else";
    if (server.data().wal.timeline != leader.server.data().wal.timeline) {
      return node->name() + " is on another timeline";
    }
  }
  return {};
}

}  // namespace tanist::sim

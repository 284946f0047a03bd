// SPDX-License-Identifier: Apache-2.0
// What operators order in the middle of trouble.
#include "sim/faults.h"

namespace tanist::sim {

std::vector<Faults::Kind> Faults::operators() {
  const int standby = cluster_.remote() != nullptr ? 2 : 0;
  return {{"promote cluster", standby, [this] { return promote_cluster(); }},
          {"demote cluster", standby, [this] { return demote_cluster(); }},
          {"remote restarts", standby, [this] { return restart_remote(); }},
          {"switchover", 4, [this] { return switch_over(); }},
          {"failover by hand", 1, [this] { return fail_over(); }},
          {"restart", 2, [this] { return restart(); }},
          {"reinitialize", 1, [this] { return reinitialize(); }},
          {"change settings", 1, [this] { return patch(); }},
          {"change modes", 2, [this] { return change_modes(); }},
          {"pause", 1, [this] { return pause(); }}};
}

bool Faults::ask(Node& node, ApiEndpoint endpoint, Tree body) {
  if (!node.agent.process().runs()) return false;
  world_.tell(node.name(), "operator: {} {}", name_of(endpoint), text_form(body));
  node.agent.request(endpoint, std::move(body), [this, &node, endpoint](const ApiReply& reply) {
    world_.tell(node.name(), "operator is told: {} {}", reply.status, reply.body);
    const bool settled = !over_ && reply.body.find("unknown") == std::string::npos;
    if (endpoint == ApiEndpoint::failover && settled) unsettled_candidate_ = nullptr;
  });
  return true;
}

bool Faults::ask(ApiEndpoint endpoint, Tree body) {
  return ask(any_node(), endpoint, std::move(body));
}

bool Faults::switch_over() {
  const auto leader = cluster_.leader();
  if (leader.empty()) return false;
  Tree body = Tree::map({{"leader", leader}});
  const auto& candidate = any_node();
  if (chance_.one_in(2) && candidate.name() != leader) body.set("candidate", candidate.name());
  return ask(ApiEndpoint::switchover, std::move(body));
}

bool Faults::fail_over() {
  Node& candidate = any_node();
  return fail_over(any_node(), candidate);
}

bool Faults::fail_over(Node& asked, Node& candidate) {
  if (!asked.agent.process().runs()) return false;
  unsettled_candidate_ = &candidate;
  ask(asked, ApiEndpoint::failover, Tree::map({{"candidate", candidate.name()}}));
  return true;
}

bool Faults::restart() { return ask(likely_leader(), ApiEndpoint::restart, Tree::map()); }

bool Faults::reinitialize() {
  auto& node = any_node();
  if (node.name() == cluster_.leader()) return false;
  return ask(node, ApiEndpoint::reinitialize, Tree::map({{"force", true}}));
}

bool Faults::patch() {
  Tree body = Tree::map();
  const auto ttl = cluster_.options().timing.ttl.count();
  if (chance_.one_in(2)) body.set("ttl", ttl + static_cast<std::int64_t>(chance_.below(10)));
  body.set("maximum_lag_on_failover", static_cast<std::int64_t>(1000 + chance_.below(1'000'000)));
  return ask(ApiEndpoint::patch_config, std::move(body));
}

bool Faults::change_modes() {
  static const std::vector<std::string> modes{"off", "on", "quorum"};
  const bool several = cluster_.nodes().size() > 1;
  Tree body = Tree::map();
  if (chance_.one_in(2)) body.set("synchronous_mode", chance_.of(modes));
  if (chance_.one_in(3)) body.set("synchronous_mode_strict", several && chance_.one_in(2));
  if (chance_.one_in(3)) {
    body.set("synchronous_node_count", static_cast<std::int64_t>(1 + chance_.below(2)));
  }
  if (chance_.one_in(4)) {
    body.set("maximum_lag_on_syncnode", static_cast<std::int64_t>(chance_.below(100'000)));
  }
  if (chance_.one_in(4)) body.set("failsafe_mode", chance_.one_in(2));
  return body.truthy() && ask(ApiEndpoint::patch_config, std::move(body));
}

bool Faults::pause() {
  if (!ask(ApiEndpoint::patch_config, Tree::map({{"pause", true}}))) return false;
  lasts(seconds(2), seconds(20), [this] { resume(); });
  return true;
}

// Until the pause is over: an operator who is not answered asks again.
bool Faults::resume() {
  const auto* config = cluster_.key("config");
  const bool paused =
      config != nullptr && config->value.find("\"pause\":true") != std::string::npos;
  if (paused) ask(ApiEndpoint::patch_config, Tree::map({{"pause", Tree()}}));
  world_.after(seconds(3), [this] {
    if (over_) resume();
  });
  return true;
}

namespace {

// How long a replica has to be broken before somebody looks at it.
constexpr Duration broken_max = seconds(25);

bool is_cut_off(const Server& server) {
  return server.alive() && !server.streaming() && server.why_not_streaming().ends_with("removed");
}

}  // namespace

// A replica whose WAL was removed at its source, or in a standby cluster one whose rewind did not
// end (contract ha 18.5), stays as it is until somebody has it copied anew, and says so.
void Faults::copy_anew_what_is_broken() {
  for (const auto& node : cluster_.nodes()) {
    const auto& server = node->server;
    const bool mixture = server.data().rewind_interrupted && !server.alive();
    if (!mixture && !is_cut_off(server)) {
      broken_since_.erase(node.get());
      continue;
    }
    const auto since = broken_since_.try_emplace(node.get(), world_.now()).first->second;
    if (world_.now() < since + broken_max) continue;
    if (!mixture) checks_.look_at_replica_that_is_cut_off(*node);
    if (mixture && cluster_.leader().empty()) fail_over_from(*node);
    if (!mixture && world_.now() >= since + 2 * broken_max) keep_more_wal();
    ask(*node, ApiEndpoint::reinitialize, Tree::map({{"force", true}}));
  }
}

// Where one copy after the other comes too late, wal_keep_size is too small (seed 10600889).
void Faults::keep_more_wal() {
  world_.tell("faults", "the operator doubles wal_keep_size");
  for (const auto& node : cluster_.nodes()) node->server.keep_more_wal();
}

// With the data of a member went what only it held. In the synchronous modes nobody else may lead
// then, and a copy can be had from nobody: it is for a person to give that up.
void Faults::fail_over_from(const Node& lost) {
  for (const auto& node : cluster_.nodes()) {
    if (node.get() == &lost || !node->server.alive()) continue;
    fail_over(*node, *node);
    return;
  }
}

// Who ordered a failover, gave up with it what the candidate lacks, and has not heard how it went
// orders it again, until somebody leads. The candidate was stopped on its way, say, and is named in
// `/sync` by then: nobody else may lead, and neither may it by itself when it lacks too much (seed
// 10500780).
void Faults::fail_over_again() {
  if (unsettled_candidate_ == nullptr || !cluster_.leader().empty()) {
    leaderless_since_.reset();
    return;
  }
  if (!leaderless_since_) leaderless_since_ = world_.now();
  if (world_.now() >= *leaderless_since_ + broken_max) {
    fail_over(*unsettled_candidate_, *unsettled_candidate_);
  }
}

// ---- Standby clusters ------------------------------------------------------------------------

bool Faults::promote_cluster() {
  return ask(ApiEndpoint::patch_config, Tree::map({{"standby_cluster", Tree()}}));
}

bool Faults::demote_cluster() {
  return ask(ApiEndpoint::patch_config,
             Tree::map({{"standby_cluster", remote_of_standby_cluster()}}));
}

bool Faults::restart_remote() {
  auto& remote = *cluster_.remote();
  if (!remote.alive()) return false;
  world_.tell("remote", "pg: is killed");
  remote.kill();
  lasts(milliseconds(500), seconds(20), [&remote] { remote.launch(false); });
  return true;
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Choice of synchronous standbys. Pure; any thread.
#include "core/synchronous_candidates.h"

#include <algorithm>
#include <tuple>

#include "core/synchronous_view.h"

namespace tanist {

Lsn sync_position(const QueryFacts& query, const WalSender& sender) {
  if (query.synchronous_commit == "remote_apply") return sender.replay_lsn;
  if (query.synchronous_commit == "remote_write") return sender.write_lsn;
  return sender.flush_lsn;
}

namespace {

struct Candidate {
  MemberName name;
  std::int64_t priority = 1;
  int state_rank = 0;
  Lsn position;
  bool nofailover = false;
};

int rank_of(const std::string& sync_state) {
  if (sync_state == "sync") return 3;
  if (sync_state == "quorum") return 2;
  return sync_state == "potential" ? 1 : 0;
}

bool is_eligible(const Observation& obs, const MemberView& member) {
  return member.state == ServerState::running && !member.tags.nosync() && !member.tags.nostream &&
         !same_name(member.name, obs.node->name);
}

// The sender that serves this member. Of several under one name the one that is furthest behind:
// a stranger with a member's name must not vouch for it (trap 71).
const WalSender* sender_of(const QueryFacts& query, const MemberName& name) {
  const WalSender* found = nullptr;
  for (const auto& sender : query.wal_senders) {
    if (sender.state != "streaming" || !same_name(MemberName(sender.application_name), name)) {
      continue;
    }
    const bool behind =
        found == nullptr || sync_position(query, sender) < sync_position(query, *found);
    if (behind) found = &sender;
  }
  if (found == nullptr || sync_position(query, *found) == Lsn()) return nullptr;
  return found;
}

// Its chain of `replicatefrom` ends at a member that itself streams from this primary.
bool is_cascading(const Observation& obs, const MemberView& member) {
  const auto* at = &member;
  for (std::size_t hops = 0; hops <= obs.view().members.size(); ++hops) {
    if (at->tags.replicatefrom.value().empty()) return false;
    at = obs.view().member(at->tags.replicatefrom);
    if (at == nullptr || !is_eligible(obs, *at)) return false;
    if (sender_of(*obs.local.server.query, at->name) != nullptr) return true;
  }
  return false;
}

std::vector<Candidate> eligible(const Observation& obs) {
  const auto& query = *obs.local.server.query;
  std::vector<Candidate> found;
  for (const auto& [name, member] : obs.view().members) {
    if (!is_eligible(obs, member) || is_cascading(obs, member)) continue;
    const auto* sender = sender_of(query, name);
    if (sender == nullptr) continue;
    found.push_back({.name = name,
                     .priority = member.tags.sync_priority,
                     .state_rank = rank_of(sender->sync_state),
                     .position = sync_position(query, *sender),
                     .nofailover = member.tags.nofailover()});
  }
  return found;
}

// maximum_lag_on_syncnode: against the best of several, or against the primary.
void drop_lagging(const Observation& obs, std::vector<Candidate>& found) {
  const auto limit = obs.cluster->lag_bytes_max_on_syncnode;
  if (limit <= 0 || found.empty()) return;
  auto reference = obs.local.server.query->location;
  if (found.size() > 1) {
    reference = std::ranges::max_element(found, {}, &Candidate::position)->position;
  }
  std::erase_if(found, [&](const Candidate& candidate) {
    return candidate.position.value() + static_cast<std::uint64_t>(limit) < reference.value();
  });
}

std::vector<Candidate> ordered(const Observation& obs) {
  auto found = eligible(obs);
  drop_lagging(obs, found);
  std::ranges::sort(found, [](const Candidate& a, const Candidate& b) {
    return std::tuple(a.nofailover, b.priority, b.state_rank, b.position, a.name) <
           std::tuple(b.nofailover, a.priority, a.state_rank, a.position, b.name);
  });
  return found;
}

std::int64_t wanted_count(const Observation& obs) {
  return std::max<std::int64_t>(obs.cluster->synchronous_node_count,
                                obs.cluster->synchronous_mode_strict ? 1 : 0);
}

}  // namespace

std::vector<MemberName> sync_candidates(const Observation& obs) {
  std::vector<MemberName> names;
  for (const auto& candidate : ordered(obs)) names.push_back(candidate.name);
  return names;
}

SyncGoal sync_goal(const Observation& obs) {
  const auto wanted = wanted_count(obs);
  const bool priority = obs.cluster->synchronous_mode == SynchronousMode::priority;
  SyncGoal goal{.names = {}, .count = 0, .all = priority};
  for (const auto& candidate : ordered(obs)) {
    const bool enough = static_cast<std::int64_t>(goal.names.size()) >= wanted;
    if (enough && (priority || candidate.nofailover)) continue;
    goal.names.insert(candidate.name);
  }
  goal.count = std::min(wanted, static_cast<std::int64_t>(goal.names.size()));
  return goal;
}

}  // namespace tanist

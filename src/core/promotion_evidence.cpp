// SPDX-License-Identifier: Apache-2.0
// Evidence that the old primary is gone. Pure; any thread.
#include "core/promotion_evidence.h"

#include "core/candidates.h"
#include "core/peer_round.h"

namespace tanist {

namespace {

constexpr Duration ask_interval = milliseconds(250);

// A server that does not answer its own agent tells no position; only the role speaks of it then.
bool claims_to_lead(const PeerReport& report) {
  return report.is_primary || report.role == "primary" || report.role == "master" ||
         report.role == "promoted";
}

// (c) of the rule: the old leader's REST answers, and it is no primary.
bool old_leader_denies(const Observation& obs, const LostLeader& lost) {
  if (obs.now - obs.peers.asked_at > peer_answer_age_max) return false;
  const auto at = std::ranges::find(obs.peers.reports, lost.leader.name, &PeerReport::name);
  return at != obs.peers.reports.end() && at->answered && !claims_to_lead(*at);
}

bool lease_is_gone(const Observation& obs, const LostLeader& lost) {
  return obs.memory->gone_lease == lost.leader.lease;
}

// (d): the old ttl has passed since we took the lock that had been deleted before.
Instant time_as_evidence(const Observation& obs) {
  return obs.lock.taken_at + Duration(obs.timing.ttl);
}

void ask(Draft& draft, const LostLeader& lost) {
  draft.start(Task::ask_lease, AskLease{lost.leader.lease}, seconds(1));
  if (!lost.api_url.empty()) {
    std::uint64_t round = draft.next.last_round;
    answers(draft, round, {{lost.leader.name, lost.api_url}});
  }
  draft.wake(ask_interval);
}

}  // namespace

bool earlier_leader_may_write(const Draft& draft) {
  const auto& obs = draft.obs;
  const auto& lost = draft.next.took_after;
  if (!lost) return false;
  const bool own_reign = lost->leader.name == obs.node->name;
  if (own_reign || lost->released || !lost->was_tanist) return false;
  if (lease_is_gone(obs, *lost) || old_leader_denies(obs, *lost)) return false;
  return obs.now < time_as_evidence(obs);
}

bool promotion_is_safe(Draft& draft) {
  if (!earlier_leader_may_write(draft)) return true;
  ask(draft, *draft.next.took_after);
  draft.wake(time_as_evidence(draft.obs));
  return false;
}

}  // namespace tanist

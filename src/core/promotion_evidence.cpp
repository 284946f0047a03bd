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
  return report.is_primary || report.holds_lock || report.role == "primary" ||
         report.role == "master" || report.role == "promoted";
}

// The last round was asked since the earlier lock was seen to end: in our own reign, or before it
// for the race that took it. Where events were missed it may have ended another time since.
bool was_asked_since(const Observation& obs, const std::optional<LostLeader>& lost) {
  const auto asked_in = obs.memory->round_basis.leader;
  if (obs.view().leader && asked_in == obs.view().leader->create_revision) return true;
  if (lost && lost->after_gap) return false;
  return asked_in == (lost ? lost->deleted_at : Revision(0));
}

// (c) of the rule: this member's REST answers, and it is no primary.
bool denies(const Observation& obs, const std::optional<LostLeader>& lost, const MemberName& name) {
  if (!was_asked_since(obs, lost)) return false;
  if (obs.now - obs.peers.asked_at > peer_answer_age_max) return false;
  const auto at = std::ranges::find(obs.peers.reports, name, &PeerReport::name);
  return at != obs.peers.reports.end() && at->answered && !claims_to_lead(*at);
}

// A store that has lost its data knows no lease; the old leader counts on it nevertheless.
bool lease_can_be_asked(const LostLeader& lost) { return lost.leader.lease != LeaseId(0); }

bool lease_is_gone(const Observation& obs, const LostLeader& lost) {
  return lease_can_be_asked(lost) && obs.memory->gone_lease == lost.leader.lease;
}

// (d): the old ttl has passed since we took the lock that had been deleted before.
Instant time_as_evidence(const Observation& obs) {
  return obs.lock.taken_at + Duration(obs.timing.ttl);
}

// Nobody of this process's life saw who held the lock last, or events were missed since.
bool holder_is_unknown(const Draft& draft) {
  const auto& lost = draft.next.took_after;
  return !lost || lost->after_gap;
}

bool seen_leader_may_write(const Observation& obs, const LostLeader& lost) {
  const bool own_reign = lost.leader.name == obs.node->name;
  if (own_reign || lost.released || !lost.was_tanist) return false;
  return !lease_is_gone(obs, lost) && !denies(obs, lost, lost.leader.name);
}

// This process met data without a cluster in the store and wrote `/initialize` itself: a new
// cluster, or one whose store has lost its data. Then nobody has a key, the old leader neither.
bool store_knew_nothing(const Observation& obs) {
  const auto end = obs.ends.find(Task::write_initialize);
  return end != obs.ends.end() && end->second.ok;
}

// Who may be the earlier leader where nobody saw it. A leader's member key lives by the lease of
// its lock, so whoever has no key has no lease either. The holder that was seen before the gap is
// no exception: its lease of then may be gone, and it may have taken another lock (seed 4005264).
std::vector<PeerAddress> suspects(const Draft& draft) {
  std::vector<PeerAddress> found;
  const auto& obs = draft.obs;
  const auto& lost = draft.next.took_after;
  if (lost && seen_leader_may_write(obs, *lost))
    found.push_back({lost->leader.name, lost->api_url});
  if (!holder_is_unknown(draft)) return found;
  for (const auto& [name, member] : obs.view().members) {
    const bool suspect = name != obs.node->name && member.is_tanist() && !denies(obs, lost, name);
    const bool listed = !found.empty() && found.front().member == name;
    if (suspect && !listed) found.push_back({name, member.api_url});
  }
  const bool nobody_known = found.empty() && !lost && store_knew_nothing(obs);
  if (nobody_known) found.push_back({MemberName("an earlier leader"), {}});
  return found;
}

// All of them in one round: the answers of another one are forgotten.
std::vector<PeerAddress> all_to_ask(const Draft& draft) {
  auto members =
      holder_is_unknown(draft) ? draft.obs.view().members : std::map<MemberName, MemberView>();
  const auto& lost = draft.next.took_after;
  if (lost) {
    auto& member = members[lost->leader.name];
    member.name = lost->leader.name;
    member.api_url = lost->api_url;
  }
  return addresses_of(draft.obs, members);
}

// Each answer begins a step, and must not begin the next question.
bool asked_lately(const Observation& obs) {
  const auto end = obs.ends.find(Task::ask_lease);
  return end != obs.ends.end() && end->second.at >= obs.lock.taken_at &&
         obs.now < end->second.at + ask_interval;
}

void ask(Draft& draft) {
  const auto& lost = draft.next.took_after;
  if (lost && lease_can_be_asked(*lost) && !asked_lately(draft.obs))
    draft.start(Task::ask_lease, AskLease{lost->leader.lease}, seconds(1));
  std::uint64_t round = draft.next.last_round;
  answers(draft, round, all_to_ask(draft));
  draft.wake(ask_interval);
}

}  // namespace

std::optional<MemberName> earlier_leader(const Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.lock.reign || draft.next.promoted_reign == obs.lock.reign->create_revision) return {};
  if (obs.now >= time_as_evidence(obs)) return {};
  const auto found = suspects(draft);
  if (found.empty()) return {};
  return found.front().member;
}

bool earlier_leader_may_write(const Draft& draft) { return earlier_leader(draft).has_value(); }

bool promotion_is_safe(Draft& draft) {
  if (!earlier_leader_may_write(draft)) return true;
  ask(draft);
  draft.wake(time_as_evidence(draft.obs));
  return false;
}

}  // namespace tanist

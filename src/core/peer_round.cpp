// SPDX-License-Identifier: Apache-2.0
// Rounds of questions to the peers. Pure; any thread.
#include "core/peer_round.h"

namespace tanist {

namespace {

template <class T>
Revision revision_of(const std::optional<T>& key) {
  return key ? key->revision : Revision(0);
}

RoundBasis basis_of(const Observation& obs) {
  const auto& view = obs.view();
  RoundBasis basis;
  if (view.leader) {
    basis.leader = view.leader->create_revision;
  } else if (view.lost_leader) {
    // Another leader may have come and gone since the last time that nobody led (seed 9106650).
    basis.leader = view.lost_leader->deleted_at;
  }
  basis.sync = revision_of(view.sync);
  basis.failover = revision_of(view.failover);
  basis.config = revision_of(view.config);
  basis.role = obs.memory->role;
  return basis;
}

// Whoever chose a short lease does not want to wait for a silent peer as long as for the lease
// itself. Patroni's smallest ttl, 20 s, leaves the two seconds of contract ha 7 as they are.
Duration answer_limit(const Observation& obs) {
  return std::min(peer_answer_limit, Duration(obs.timing.ttl) / 4);
}

bool covers(const PeerRound& round, const std::vector<PeerAddress>& peers) {
  return std::ranges::all_of(peers, [&](const PeerAddress& peer) {
    return std::ranges::any_of(
        round.reports, [&](const PeerReport& report) { return report.name == peer.member; });
  });
}

}  // namespace

const PeerRound* answers(Draft& draft, std::uint64_t& round, std::vector<PeerAddress> peers) {
  const auto& obs = draft.obs;
  static const PeerRound nobody{.number = 0, .asked_at = {}, .complete = true, .reports = {}};
  if (peers.empty()) return &nobody;
  const bool named =
      round != 0 && obs.peers.number == round && draft.next.round_basis == basis_of(obs);
  const bool young = obs.now - obs.peers.asked_at <= peer_answer_age_max;
  if (named && obs.peers.complete && young && covers(obs.peers, peers)) return &obs.peers;
  if (draft.busy(Task::ask_peers)) return nullptr;
  round = ++draft.next.last_round;
  draft.next.round_basis = basis_of(obs);
  draft.start(Task::ask_peers, AskPeers{round, std::move(peers)}, answer_limit(obs));
  return nullptr;
}

std::vector<PeerAddress> addresses_of(const Observation& obs,
                                      const std::map<MemberName, MemberView>& members) {
  std::vector<PeerAddress> addresses;
  for (const auto& [name, member] : members) {
    if (name != obs.node->name && !member.api_url.empty()) {
      addresses.push_back({name, member.api_url});
    }
  }
  return addresses;
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The agent's connections: to etcd through the real machine, and to the REST API of its peers.
#include <algorithm>

#include "base/json.h"
#include "sim/agent.h"

namespace tanist::sim {

namespace {

// "http://n1:8008/patroni" -> "n1"
std::string host_of_url(const std::string& url) {
  const auto begin = url.find("://") + 3;
  return url.substr(begin, url.find(':', begin) - begin);
}

}  // namespace

// ---- Store -----------------------------------------------------------------------------------

void Agent::step_store(store::Input input) {
  if (store_) perform(store_->step(std::move(input), around_.clock.now()));
}

// What arrives, arrives in this life of the process, when it runs.
EtcdPort::Tell Agent::into_store() {
  return [this, life = process_.life()](store::Input input) {
    if (life != process_.life()) return;
    process_.after(Duration(0),
                   [this, input = std::move(input)]() mutable { step_store(std::move(input)); });
  };
}

void Agent::perform(store::Outputs outputs) {
  for (const auto& output : outputs.list) perform(output);
  const auto at = outputs.wake_at;
  if (at == store_timer_ && store_timer_number_ != 0) return;
  store_timer_ = at;
  const auto number = ++store_timer_number_;
  if (at == Instant::max()) return;
  process_.after(around_.clock.world(at) - around_.server.world.now(), [this, number] {
    if (number != store_timer_number_) return;
    store_timer_ = Instant::max();
    step_store(store::TimerRang{});
  });
}

void Agent::perform(const store::Output& output) {
  if (const auto* rpc = std::get_if<store::SendRpc>(&output)) {
    around_.etcd.send(host(), *rpc, around_.clock.world(rpc->deadline), into_store());
  } else if (const auto* watch = std::get_if<store::OpenWatch>(&output)) {
    watches_[watch->stream] = around_.etcd.open(host(), *watch, into_store());
  } else if (const auto* ask = std::get_if<store::AskProgress>(&output)) {
    const auto at = watches_.find(ask->stream);
    if (at != watches_.end()) around_.etcd.ask_progress(at->second);
  } else if (const auto* close = std::get_if<store::CloseWatch>(&output)) {
    const auto at = watches_.find(close->stream);
    if (at == watches_.end()) return;
    around_.etcd.close(at->second);
    watches_.erase(at);
  } else if (const auto* finished = std::get_if<store::Finished>(&output)) {
    deliver(agent::EffectFinished{finished->id, finished->result});
  } else if (std::holds_alternative<store::Unanswered>(output)) {
    deliver(agent::RenewalUnanswered{});
  } else if (const auto* view = std::get_if<store::ViewChanged>(&output)) {
    deliver(agent::ViewArrived{view->view});
  } else if (const auto* health = std::get_if<store::HealthChanged>(&output)) {
    deliver(agent::HealthChanged{health->health});
  }
}

// ---- Peers -----------------------------------------------------------------------------------

void Agent::ask_peer(const PeerAddress& peer, std::function<void(Tree)> answer) {
  auto* other = around_.peer(host_of_url(peer.api_url));
  if (other == nullptr) return answer(Tree());
  auto& network = around_.server.network;
  network.send(host(), other->host(), [this, other, answer = std::move(answer)] {
    const bool answers = other->answers();
    if (other->process_.alive() && !answers) return;  // silence
    const auto body = answers ? other->status().document : Tree();
    around_.server.network.send(other->host(), host(), [body, answer] { answer(body); });
  });
}

void Agent::ask_peers(EffectId id, const AskPeers& ask, Duration limit) {
  struct Round {
    PeerRound result;
    std::size_t missing = 0;
    bool over = false;
  };
  auto round = std::make_shared<Round>();
  round->result.number = ask.round;
  round->result.complete = true;
  round->missing = ask.peers.size();
  const auto end = [this, id, round, peers = ask.peers] {
    if (std::exchange(round->over, true)) return;
    for (const auto& peer : peers) {
      const bool known = std::ranges::any_of(
          round->result.reports, [&](const auto& report) { return report.name == peer.member; });
      if (!known) round->result.reports.push_back(peer_report_from(peer.member, Tree()));
    }
    deliver(agent::EffectFinished{id, round->result});
  };
  process_.after(ask.peers.empty() ? Duration(0) : limit, end);
  for (const auto& peer : ask.peers) {
    auto answer = [this, round, end, name = peer.member, life = process_.life()](const Tree& body) {
      if (life != process_.life()) return;
      process_.after(Duration(0), [round, end, name, body] {
        if (round->over) return;
        round->result.reports.push_back(peer_report_from(name, body));
        if (--round->missing == 0) end();
      });
    };
    ask_peer(peer, std::move(answer));
  }
}

// ---- Consent instead of a store ----------------------------------------------------------------

struct Agent::Consent {
  EffectId id;
  Tree body;
  Duration attempt_limit;
  std::size_t missing = 0;
  bool all = true;
};

// As agent/peer_asking.cpp: two attempts for each, and one refusal is enough.
void Agent::ask_failsafe(EffectId id, const AskFailsafe& ask, Duration limit) {
  ServerResult result;
  result.ok = ask.peers.empty();
  if (ask.peers.empty()) return finish(id, std::move(result));
  auto body = parse_json(ask.body);
  auto consent = std::make_shared<Consent>(
      Consent{id, body ? *body : Tree(), std::max(limit / 2, Duration(milliseconds(1)))});
  consent->missing = ask.peers.size();
  for (const auto& peer : ask.peers) ask_consent(consent, peer, 2);
}

void Agent::ask_consent(const std::shared_ptr<Consent>& consent, const PeerAddress& peer,
                        int attempts) {
  auto over = std::make_shared<bool>(false);
  const auto end = [this, consent, peer, attempts, over](std::optional<bool> accepted) {
    if (std::exchange(*over, true)) return;
    if (!accepted && attempts > 1) return ask_consent(consent, peer, attempts - 1);
    consent->all = consent->all && accepted.value_or(false);
    if (--consent->missing > 0) return;
    ServerResult result;
    result.ok = consent->all;
    finish(consent->id, std::move(result));
  };
  process_.after(consent->attempt_limit, [end] { end(std::nullopt); });
  auto* other = around_.peer(host_of_url(peer.api_url));
  if (other == nullptr) return;
  const auto reply = [this, other, end, life = process_.life()](const ApiReply& answer) {
    const bool accepted = answer.status == 200 && answer.body == "Accepted";
    around_.server.network.send(other->host(), host(), [this, end, life, accepted] {
      if (life == process_.life()) process_.after(Duration(0), [end, accepted] { end(accepted); });
    });
  };
  around_.server.network.send(host(), other->host(), [other, consent, reply] {
    other->request(ApiEndpoint::failsafe, consent->body, reply);
  });
}

}  // namespace tanist::sim

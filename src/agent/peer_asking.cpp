// SPDX-License-Identifier: Apache-2.0
// Rounds of questions over HTTP. Loop's thread only.
#include "agent/peer_asking.h"

#include "base/json.h"
#include "rest/client.h"

namespace tanist::agent {

namespace {

// Scheme, host and port: other paths of a member are built on these (contract rest 16).
std::string origin_of(const std::string& api_url) {
  const auto authority = api_url.find("://");
  const auto path = authority == std::string::npos ? authority : api_url.find('/', authority + 3);
  return api_url.substr(0, path);
}

}  // namespace

struct PeerAsking::Round {
  PeerRound result;
  std::shared_ptr<rest::Client> client;  // kept as long as it may call back
  std::size_t missing = 0;
  std::function<void(PeerRound)> done;
};

void PeerAsking::ask(const AskPeers& round, Duration limit, std::function<void(PeerRound)> done) {
  auto state = std::make_shared<Round>();
  state->result.number = round.round;
  state->client = client_;
  state->missing = round.peers.size();
  state->done = std::move(done);
  if (round.peers.empty()) {
    state->result.complete = true;
    return state->done(std::move(state->result));
  }
  for (const auto& peer : round.peers) ask_one(state, peer, limit);
}

void PeerAsking::ask_one(const std::shared_ptr<Round>& round, const PeerAddress& peer,
                         Duration limit) {
  rest::Call call{.method = "GET", .url = peer.api_url, .body = {}, .timeout = limit};
  round->client->call(
      std::move(call), [round, name = peer.member](const Result<rest::Answer>& answer) {
        // The status code does not matter, only the document (contract rest 16).
        const auto body = answer ? parse_json(answer->body) : Result<Tree>(Tree());
        round->result.reports.push_back(peer_report_from(name, body ? *body : Tree()));
        if (--round->missing > 0) return;
        round->result.complete = true;
        round->done(std::move(round->result));
      });
}

struct PeerAsking::Consent {
  std::shared_ptr<rest::Client> client;
  std::string body;
  Duration attempt_limit{};
  std::size_t missing = 0;
  bool all = true;
  std::function<void(bool)> done;
};

void PeerAsking::ask_failsafe(const AskFailsafe& call, Duration limit,
                              std::function<void(bool)> done) {
  if (call.peers.empty()) return done(true);
  auto consent = std::make_shared<Consent>();
  consent->client = client_;
  consent->body = call.body;
  consent->attempt_limit = std::max(limit / 2, Duration(milliseconds(1)));
  consent->missing = call.peers.size();
  consent->done = std::move(done);
  for (const auto& peer : call.peers) {
    ask_one_failsafe(consent, origin_of(peer.api_url) + "/failsafe", 2);
  }
}

void PeerAsking::ask_one_failsafe(const std::shared_ptr<Consent>& consent, const std::string& url,
                                  int attempts_left) {
  rest::Call call{
      .method = "POST", .url = url, .body = consent->body, .timeout = consent->attempt_limit};
  consent->client->call(
      std::move(call), [consent, url, attempts_left](const Result<rest::Answer>& answer) {
        const bool accepted = answer && answer->status == 200 && answer->body == "Accepted";
        const bool refused = answer && !accepted;
        if (!accepted && !refused && attempts_left > 1) {
          return ask_one_failsafe(consent, url, attempts_left - 1);
        }
        consent->all = consent->all && accepted;
        if (--consent->missing == 0) consent->done(consent->all);
      });
}

void PeerAsking::probe_namesake(const std::string& api_url, Duration limit,
                                std::function<void(bool)> done) {
  rest::Call call{
      .method = "GET", .url = origin_of(api_url) + "/liveness", .body = {}, .timeout = limit};
  auto told = [client = client_, done = std::move(done)](const Result<rest::Answer>& answer) {
    done(answer.has_value());
  };
  client_->call(std::move(call), std::move(told));
}

}  // namespace tanist::agent

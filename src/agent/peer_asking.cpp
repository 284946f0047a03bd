// SPDX-License-Identifier: Apache-2.0
// Rounds of questions over HTTP. Loop's thread only.
#include "agent/peer_asking.h"

#include "base/json.h"
#include "rest/client.h"

namespace tanist::agent {

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

void PeerAsking::probe_namesake(const std::string& api_url, Duration limit,
                                std::function<void(bool)> done) {
  const auto authority = api_url.find("://");
  const auto path = authority == std::string::npos ? authority : api_url.find('/', authority + 3);
  rest::Call call{
      .method = "GET", .url = api_url.substr(0, path) + "/liveness", .body = {}, .timeout = limit};
  auto told = [client = client_, done = std::move(done)](const Result<rest::Answer>& answer) {
    done(answer.has_value());
  };
  client_->call(std::move(call), std::move(told));
}

}  // namespace tanist::agent

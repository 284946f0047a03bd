// SPDX-License-Identifier: Apache-2.0
// Asking the peers: one round at a time, all in parallel, each with its own limit (contract ha 1).
// Loop's thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/action.h"
#include "core/peer_report.h"

namespace tanist::rest {
class Client;
struct Answer;
}  // namespace tanist::rest

namespace tanist::agent {

class PeerAsking {
 public:
  explicit PeerAsking(std::shared_ptr<rest::Client> client) : client_(std::move(client)) {}

  // Used from the next question on; questions under way end with the old one.
  void set_client(std::shared_ptr<rest::Client> client) { client_ = std::move(client); }

  // `done` gets a report for every peer asked, unreachable ones included, when all have answered or
  // `limit` has passed.
  void ask(const AskPeers& round, Duration limit, std::function<void(PeerRound)> done);

  // `done` gets true when every peer has answered 200 `Accepted` within `limit`; a peer that does
  // not is asked twice. Nobody to ask is true at once.
  void ask_failsafe(const AskFailsafe& call, Duration limit, std::function<void(bool)> done);

  // `done` gets true when anybody answers GET /liveness under the host of `api_url`.
  void probe_namesake(const std::string& api_url, Duration limit, std::function<void(bool)> done);

 private:
  struct Round;
  struct Consent;

  void ask_one(const std::shared_ptr<Round>& round, const PeerAddress& peer, Duration limit);

  static void ask_one_failsafe(const std::shared_ptr<Consent>& consent, const std::string& url,
                               int attempts_left);

  std::shared_ptr<rest::Client> client_;
};

}  // namespace tanist::agent

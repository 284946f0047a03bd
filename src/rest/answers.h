// SPDX-License-Identifier: Apache-2.0
// From a routed request to its answer: at once from the published status, or a question to the
// loop. No connection and no clock here. Pure; the REST thread (Published renders on demand).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "rest/documents.h"
#include "rest/health.h"
#include "rest/metrics.h"
#include "rest/published.h"
#include "rest/routes.h"

namespace tanist::rest {

// The largest body that is read, in bytes.
inline constexpr std::size_t body_bytes_max = 1024 * 1024;

// What the loop must answer because the published status does not.
struct AskLoop {
  ApiEndpoint endpoint = ApiEndpoint::get_cluster;
};

struct Inputs {
  Published& published;
  const Moment& moment;
  const ServerCounters& counters;
  const Figures& figures;
  std::optional<WallTime> certificate_expires = {};
};

// Access and body must have been checked before.
std::variant<Response, AskLoop> answer_of(const Route& route, std::string_view method,
                                          std::string_view target, const Inputs& inputs);

// The body as the handler gets it: a map, empty where the rule allows none. A Response is the
// refusal, and the request must not be started (contract rest 1 and 13). `length` is the
// Content-Length, if the request named one.
std::variant<Tree, Response> body_of(BodyRule rule, std::optional<std::uint64_t> length,
                                     std::string_view body);

// A health check that only a writable server passes: its 200 lets writes come.
bool asks_for_writable(const Route& route, std::string_view target);

// The parameters of a query as the loop gets them: a map of texts.
Tree parameters_of(std::string_view target);

// Role changes and restarts answer when they are done; everything else is soon said.
bool takes_long(ApiEndpoint endpoint);

// What a client reads when the loop did not answer for `waited`: 503. For a role change the
// sentence says `status unknown`, which the control tool understands as "look for yourself".
Response unanswered(ApiEndpoint endpoint, Duration waited);

}  // namespace tanist::rest

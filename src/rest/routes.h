// SPDX-License-Identifier: Apache-2.0
// Which handler a request goes to: method and first path segment decide (contract rest 1 and 4);
// also the reading of a request's target. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api_request.h"

namespace tanist::rest {

enum class Handler {
  health,       // GET of any path without a handler of its own: document and computed code
  health_bare,  // HEAD and OPTIONS of any path: the code alone
  liveness,
  readiness,
  patroni,
  config,
  history,
  metrics,
  failsafe,
  loop,         // answered by the loop, see Route::endpoint
  sigterm,      // accepted, without effect on Linux
  mpp,          // events of Citus workers: accepted, without effect
  unsupported,  // 501
};

// Which checks of contract rest 3 stand before the handler.
enum class Protection {
  open,             // none
  full,             // allowlist and members, client certificate, password
  without_members,  // as full, but members are not allowed by being members
};

// What becomes of the request's body (contract rest 1, "Body parsing outcome").
enum class BodyRule { ignored, optional, required };

struct Route {
  Handler handler = Handler::unsupported;
  Protection protection = Protection::open;
  BodyRule body = BodyRule::ignored;
  ApiEndpoint endpoint = ApiEndpoint::get_cluster;  // read only with Handler::loop

  friend bool operator==(const Route&, const Route&) = default;
};

// Never fails: what exists nowhere is a health check (GET, HEAD, OPTIONS) or unsupported.
// `path` as split_target() gives it; `method` is compared exactly.
Route route_of(std::string_view method, std::string_view path);

// The handlers with their protection and body as a table of Markdown (docs/reference/endpoints.md).
std::string endpoint_table();

// Views into the request line.
struct Target {
  std::string_view path;   // neither decoded nor shortened; leading slashes reduced to one
  std::string_view query;  // without the question mark
};

// Takes an absolute URL as well (HTTP/1.1 clients behind a proxy send one).
Target split_target(std::string_view target);

// The parameters of a query: percent-decoded, `+` is a blank, empty values do not exist, of
// repeated names the first counts.
class Query {
 public:
  Query() = default;
  explicit Query(std::string_view text);

  // nullptr when there is no such parameter.
  const std::string* find(std::string_view name) const;

  // In the order of the request, each name once.
  const std::vector<std::pair<std::string, std::string>>& all() const { return parameters_; }

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace tanist::rest

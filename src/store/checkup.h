// SPDX-License-Identifier: Apache-2.0
// How each endpoint of the store answers, for the control tool's `doctor`: all are asked at once,
// each by itself. Blocks the caller; not for a thread that must not wait.
#pragma once

#include <string>
#include <vector>

#include "core/settings.h"

namespace tanist::store {

struct EndpointReport {
  std::string address;                // "host:port"
  std::string trouble;                // why it gave no linearizable answer; empty = it did
  Duration answered_in{0};            // how long that took, the connection's making included
  std::string version;                // empty = unknown
  std::vector<std::string> warnings;  // bad versions, alarms

  bool answers() const { return trouble.empty(); }
};

struct StoreReport {
  std::vector<EndpointReport> endpoints;  // as configured
  Duration election_timeout{0};           // 0 = not learned
};

// Takes as long as `limit` when an endpoint does not answer. The probe of the election timeout
// leaves a lease of a second or two behind, as agents do at their start.
StoreReport check_endpoints(const StoreSettings& settings, Duration limit);

}  // namespace tanist::store

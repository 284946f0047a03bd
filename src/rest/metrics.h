// SPDX-License-Identifier: Apache-2.0
// `GET /metrics`: the series of contract rest 10 in their order, then our own. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/status.h"
#include "rest/figures.h"

namespace tanist::rest {

// What the REST server counts of itself since its start.
struct ServerCounters {
  std::int64_t connections = 0;  // open now
  std::int64_t requests = 0;
  std::int64_t evicted = 0;     // connections closed to make room for new ones
  std::int64_t unanswered = 0;  // requests that the loop did not answer in time
};

// All that the text is made of.
struct MetricsSource {
  const Status& status;
  const ServerCounters& counters;
  const Figures& figures;
  std::optional<Duration> lease_margin = {};         // left of the own lease, if it is held
  std::optional<WallTime> certificate_expires = {};  // of the server's certificate, with HTTPS
};

// Prometheus text; names and labels as dashboards know them. Scope and member name come from the
// status document.
std::string render_metrics(const MetricsSource& source);

}  // namespace tanist::rest

// SPDX-License-Identifier: Apache-2.0
// What the agent measures of itself for `GET /metrics`, beside the status. The agent adds (one
// thread), the REST server shows a copy. Values only.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "base/time.h"
#include "core/why.h"

namespace tanist::rest {

// Durations of one kind, as Prometheus sums them up.
struct Timed {
  std::int64_t count = 0;
  Duration sum{0};
  Duration last{0};
  Duration longest{0};

  void add(Duration took) {
    ++count;
    sum += took;
    last = took;
    longest = std::max(longest, took);
  }
};

// Whose certificate a node shows to others, by the section of the configuration that names it.
constexpr std::array<std::string_view, 4> certificate_owners{"etcd3", "restapi", "ctl",
                                                             "postgresql"};

struct Figures {
  Timed step;     // one step of the loop with the carrying out of its effects
  Timed cycle;    // from the beginning of a cycle, its facts gathered anew, to its decision
  Timed renewal;  // an answered keeping of lease or lock
  // The shortest time that was left of the lease when a renewal was proven.
  std::optional<Duration> lease_margin_least;
  std::int64_t disk_threads_stuck = 0;  // file operations that do not come back
  std::int64_t guard_firings = 0;
  std::array<std::int64_t, names_of(Reason{}).size()> decisions{};  // by Reason
  // In the order of `certificate_owners`; nothing where there is none.
  std::array<std::optional<WallTime>, certificate_owners.size()> certificate_ends{};

  void count(Reason reason) { ++decisions.at(static_cast<std::size_t>(reason)); }
};

}  // namespace tanist::rest

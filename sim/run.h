// SPDX-License-Identifier: Apache-2.0
// One run: a cluster bootstraps, suffers, is healed, and must be well in the end.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/checks.h"

namespace tanist::sim {

struct RunOptions {
  std::uint64_t seed = 0;
  int nodes = 0;  // 0 = by the seed, one to five
  std::int64_t seconds_of_trouble = 120;
  bool story = false;
  // Instead of what the seed would choose:
  std::optional<std::string> synchronous_mode;  // off, on, quorum
  std::optional<bool> failsafe_mode;
  std::optional<bool> standby_cluster;
  std::optional<bool> pooler;
  std::optional<std::int64_t> ttl;             // 30: with loop_wait and retry_timeout 10
  std::optional<std::int64_t> fault_interval;  // seconds
  std::vector<std::string> only;               // these kinds of faults, equally often
};

struct RunResult {
  std::optional<Violation> violation;
  std::uint64_t hash = 0;
  std::uint64_t events = 0;
  double seconds_simulated = 0;
  double seconds_to_heal = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t lost = 0;  // given up by failovers of asynchronous replication
  std::uint64_t promotions = 0;
  std::uint64_t hand_overs = 0;
  std::map<std::string, int> faults;
  std::vector<std::string> story;
};

RunResult run(const RunOptions& options);

}  // namespace tanist::sim

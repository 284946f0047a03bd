// SPDX-License-Identifier: Apache-2.0
// Measures the loop and the store for `GET /metrics`. The driver tells it what happens; it decides
// nothing. The loop's thread.
#pragma once

#include <map>
#include <optional>

#include "agent/loop/loop.h"
#include "rest/figures.h"

namespace tanist::agent {

class Measurements {
 public:
  // A step of the loop, effects included, took from `began` to `now`.
  void step_ended(const Observation& obs, const Why& why, Instant began, Instant now);

  // Keeping of lease or lock. Other store actions are not measured: they are rare.
  void began(const Effect& effect, Instant now);
  // `lease_until`: of the lock, as it was before this answer.
  void ended(EffectId id, const StoreResult& result, std::optional<Instant> lease_until,
             Instant now);

  void set_guard_firings(std::int64_t count) { figures_.guard_firings = count; }
  void set_disk_threads_stuck(std::int64_t count) { figures_.disk_threads_stuck = count; }

  void set_certificate_ends(
      const std::array<std::optional<WallTime>, rest::certificate_owners.size()>& ends) {
    figures_.certificate_ends = ends;
  }

  const rest::Figures& figures() const { return figures_; }

 private:
  rest::Figures figures_;
  std::map<EffectId, Instant> renewals_;  // under way
  std::optional<Instant> cycle_;          // the one whose decision is awaited
  Instant last_cycle_;
};

}  // namespace tanist::agent

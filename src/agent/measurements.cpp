// SPDX-License-Identifier: Apache-2.0
// Figures for /metrics, from what the driver tells. One thread.
#include "agent/measurements.h"

namespace tanist::agent {

void Measurements::step_ended(const Observation& obs, const Why& why, Instant began, Instant now) {
  figures_.step.add(now - began);
  figures_.count(why.reason);
  if (obs.cycle_began != last_cycle_) cycle_ = last_cycle_ = obs.cycle_began;
  if (!cycle_ || why.reason == Reason::observing) return;
  figures_.cycle.add(now - *cycle_);
  cycle_.reset();
}

void Measurements::began(const Effect& effect, Instant now) {
  const auto* action = std::get_if<StoreAction>(&effect.body);
  if (action == nullptr) return;
  if (std::holds_alternative<KeepLock>(*action) || std::holds_alternative<KeepLease>(*action)) {
    renewals_.insert_or_assign(effect.id, now);
  }
}

void Measurements::ended(EffectId id, const StoreResult& result, std::optional<Instant> lease_until,
                         Instant now) {
  const auto at = renewals_.find(id);
  if (at == renewals_.end()) return;
  const auto took = now - at->second;
  renewals_.erase(at);
  if (result.verdict != StoreVerdict::done) return;
  figures_.renewal.add(took);
  if (!lease_until) return;
  const Duration left = *lease_until - now;
  auto& least = figures_.lease_margin_least;
  least = least ? std::min(*least, left) : left;
}

}  // namespace tanist::agent

// SPDX-License-Identifier: Apache-2.0
// Records of a node as a loop would hand them to the journal. Test code only.
#pragma once

#include <string>

#include "journal/entry.h"
#include "tests/support/given.h"

namespace tanist::journal {

inline WallTime wall_at(Instant instant) {
  return WallTime(std::chrono::hours(500'000)) +
         std::chrono::duration_cast<std::chrono::microseconds>(instant.time_since_epoch());
}

inline DecisionRecord record_of(testing::Given& given) {
  auto obs = given.build();
  obs.wall = wall_at(obs.now);
  auto decision = decide(obs);
  return {std::move(obs), std::move(decision)};
}

// "a" with a password in its dynamic configuration, which it is about to write back.
inline DecisionRecord record_with_secret() {
  testing::Given given("a");
  given.view().config->value = Tree::map(
      {{"ttl", 30},
       {"postgresql", Tree::map({{"authentication", Tree::map({{"password", "top-secret"}})}})}});
  auto record = record_of(given);
  auto without = *record.observation.store.view;
  without.config.reset();
  record.observation.store.view = std::make_shared<const ClusterView>(without);
  record.decision = decide(record.observation);
  return record;
}

}  // namespace tanist::journal

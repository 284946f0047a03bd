// SPDX-License-Identifier: Apache-2.0
// Evidence that WAL arrives. Pure; any thread.
#include "core/receiving.h"

#include <algorithm>

namespace tanist {

namespace {

constexpr Duration archive_patience = std::chrono::minutes(5);

bool leader_is_known(const Observation& obs) {
  return obs.store.view && obs.store.current && obs.view().locked();
}

bool has_all_published(const Observation& obs, const QueryFacts& query) {
  const auto published = obs.view().optime();
  return published != Lsn() && query.replayed >= published;
}

}  // namespace

void Receiving::look(const Observation& obs) {
  const auto& query = obs.local.server.query;
  if (!query) return;
  const auto position = std::max(query->received, query->replayed);
  const bool moved = position > position_;
  position_ = position;
  const bool evident = query->receiver_status == "streaming" || moved || !leader_is_known(obs) ||
                       has_all_published(obs, *query);
  if (!evident) return;
  const Duration usual = std::max<Duration>(obs.timing.ttl, 2 * Duration(obs.timing.loop_wait));
  until_ = obs.now + (query->restore_command.empty() ? usual : std::max(usual, archive_patience));
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The bookkeeping of open connections. Pure; one thread.
#include "rest/connections.h"

#include <algorithm>

#include "base/assert.h"

namespace tanist::rest {

std::optional<ConnectionId> Connections::longest_idle() const {
  const auto at =
      std::ranges::find_if(by_idleness_, [](const Entry& entry) { return !entry.waits; });
  return at == by_idleness_.end() ? std::nullopt : std::optional(at->id);
}

void Connections::open(ConnectionId id, Instant deadline) {
  const auto at = by_idleness_.insert(by_idleness_.end(), {id, deadline, false});
  TANIST_REQUIRE(by_id_.emplace(id, at).second);
}

void Connections::touch(ConnectionId id, Instant deadline) { update(id, deadline, false); }

void Connections::wait_for_loop(ConnectionId id, Instant deadline) { update(id, deadline, true); }

void Connections::close(ConnectionId id) {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return;
  if (at->second->waits) --waiting_;
  by_idleness_.erase(at->second);
  by_id_.erase(at);
}

void Connections::update(ConnectionId id, Instant deadline, bool waits) {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return;
  auto& entry = *at->second;
  if (entry.waits) --waiting_;
  if (waits) ++waiting_;
  entry.deadline = deadline;
  entry.waits = waits;
  by_idleness_.splice(by_idleness_.end(), by_idleness_, at->second);
}

std::optional<Instant> Connections::next_deadline() const {
  const auto at = std::ranges::min_element(by_idleness_, {}, &Entry::deadline);
  return at == by_idleness_.end() ? std::nullopt : std::optional(at->deadline);
}

std::vector<ConnectionId> Connections::expired(Instant now) const {
  std::vector<ConnectionId> ids;
  for (const auto& entry : by_idleness_) {
    if (entry.deadline <= now) ids.push_back(entry.id);
  }
  return ids;
}

std::vector<ConnectionId> Connections::all() const {
  std::vector<ConnectionId> ids;
  for (const auto& entry : by_idleness_) ids.push_back(entry.id);
  return ids;
}

}  // namespace tanist::rest

// SPDX-License-Identifier: Apache-2.0
// What a peer's REST answered in a race or a validation (contract ha 1, "Peer report").
// Values only; any thread.
#pragma once

#include <vector>

#include "core/tags.h"
#include "core/types.h"

namespace tanist {

struct PeerReport {
  MemberName name;
  bool reachable = false;  // answered with a body that has `xlog` (or `wal`)
  bool answered = false;   // any parsable answer, also of a node whose server is down
  bool is_primary = false;
  Lsn wal_position;  // 0 for a primary
  Timeline timeline;
  Tags tags;
  bool watchdog_failed = false;
  bool storage_failed = false;
  bool guard_missing = false;  // its operator requires the guard, and none runs
  // Of before it saw that nobody leads: it may have received more since. Only tanist says so.
  bool position_is_old = false;
  // It believes that it holds the lock, or tries to take it, though its server may be no primary
  // yet. Only tanist says so.
  bool holds_lock = false;
  // Its log goes along with the cluster's only this far, by its own history. Only tanist says so.
  std::optional<Lsn> left_at;
  std::string state;
  std::string role;

  static constexpr auto fields() {
    using P = PeerReport;
    return std::tuple{field("name", &P::name),
                      field("reachable", &P::reachable),
                      field("answered", &P::answered),
                      field("is_primary", &P::is_primary),
                      field("wal_position", &P::wal_position),
                      field("timeline", &P::timeline),
                      field("tags", &P::tags),
                      field("watchdog_failed", &P::watchdog_failed),
                      field("storage_failed", &P::storage_failed),
                      field("guard_missing", &P::guard_missing),
                      field("position_is_old", &P::position_is_old),
                      field("holds_lock", &P::holds_lock),
                      field("left_at", &P::left_at),
                      field("state", &P::state),
                      field("role", &P::role)};
  }
  friend bool operator==(const PeerReport&, const PeerReport&) = default;
};
static_assert(lists_all_fields<PeerReport>);

// From the JSON body of a peer's status page; `parsed` null when there was no usable answer.
PeerReport peer_report_from(const MemberName& name, const Tree& body);

// The answers of one round (safety 3.5). A round is read only when complete or when its time is up.
struct PeerRound {
  std::uint64_t number = 0;  // 0 = nobody was asked yet
  Instant asked_at;
  bool complete = false;  // everybody answered or failed
  std::vector<PeerReport> reports;

  static constexpr auto fields() {
    using P = PeerRound;
    return std::tuple{field("number", &P::number), field("asked_at", &P::asked_at),
                      field("complete", &P::complete), field("reports", &P::reports)};
  }
  friend bool operator==(const PeerRound&, const PeerRound&) = default;
};
static_assert(lists_all_fields<PeerRound>);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The values that a member writes into the store about itself, as Trees in the documented order
// (contract dcs 4.3 and 4.7). Pure; any thread.
#pragma once

#include "core/observation.h"

namespace tanist {

// Our version as other members compare it: plain, dotted, at least 4.1.0 (contract dcs 4.3).
inline constexpr std::string_view compatible_version = "4.1.4";

// All that `members/NAME` tells, to be compared at every step; the value is made when it is
// written. State and role are those of `memory`.
struct MemberFacts {
  struct Positions {
    Lsn xlog;
    Lsn replayed;
    Lsn received;
    friend bool operator==(const Positions&, const Positions&) = default;
  };
  std::shared_ptr<const NodeSettings> node;  // for its addresses
  Tree tags;
  ServerState state = ServerState::unknown;
  Role role = Role::uninitialized;
  bool checkpoint_pending = false;
  std::vector<PendingRestart> pending_restart;
  std::optional<Positions> positions;
  std::string_view replication_state;  // a literal; empty = none
  Timeline timeline;
  Tree scheduled_restart;
  bool paused = false;
  bool storage_failed = false;
  std::optional<GuardState> guard;  // absent = there is none
  std::string progress;
};
MemberFacts member_facts(const Observation& obs, const Memory& memory);

// A position alone is not worth an immediate write (safety 4).
bool same_but_for_positions(const MemberFacts& a, const MemberFacts& b);

// `members/NAME`.
Tree member_value(const MemberFacts& facts);
Tree member_value(const Observation& obs, const Memory& memory);

// `status` of a leader: its position and its slots; null when the position is unknown, and for a
// ttl at most while a primary waits until `/history` leads to its timeline (decision 0014).
Tree status_value(const Observation& obs);

// `status` as a leader leaves it when it gives the lock away: where its server ended, and the slots
// last known. The timeline is that position's own, and not the one of an earlier `status`, whose
// end
// `/history` tells of: everybody would have what this leader wrote since (seed 11102298).
Tree released_status_value(const Observation& obs, Lsn optime, Timeline timeline);

// Tags as published now: the configured ones, overridden while leaving synchronous duty.
Tree tags_value(const Observation& obs, const Memory& memory);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Who streams from whom, by the members' tags: whether WAL reaches a node by streaming all the way
// from the primary, and through whose slot. Loops of `replicatefrom` end (trap 92). Pure; any
// thread.
#pragma once

#include "core/observation.h"

namespace tanist {

// This node or a member, as far as the question goes.
struct Feeding {
  MemberName name;
  bool nostream = false;
  bool nofailover = false;
  MemberName replicatefrom;
};
Feeding feeding_of(const Observation& obs, const MemberName& name);

// False when `name` or somebody above it takes WAL from the archive only, or when its path never
// ends at the leader.
bool streams_from_primary(const Observation& obs, const MemberName& name);

// Whoever is fed directly by the leader on the way to `name`; itself where nothing lies between.
MemberName fed_by_leader(const Observation& obs, const MemberName& name);

// Does `name` take its WAL from this node, directly or through others?
bool cascades_from_us(const Observation& obs, const MemberName& name);

}  // namespace tanist

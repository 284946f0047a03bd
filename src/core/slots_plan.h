// SPDX-License-Identifier: Apache-2.0
// Which replication slots this node should have, and the changes that lead there (contract postgres
// 10.2-10.5). Logical slots of standbys: core/logical_slots. Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/draft.h"

namespace tanist {

struct WantedSlot {
  bool active = false;  // somebody is expected to use it here
  Lsn target;           // where an unused one is advanced to; 0 = not advanced
  bool permanent = false;
  bool logical = false;
  std::string plugin;
  std::string database;

  friend bool operator==(const WantedSlot&, const WantedSlot&) = default;
};

// By slot name: of members, of members that are away, and permanent ones.
std::map<std::string, WantedSlot> wanted_slots(const Observation& obs);

// The changes, in order: drop, create, advance. Of a standby without logical slots to be copied.
std::vector<SlotChange> slot_changes(const Observation& obs);

// Orders what is to be changed.
void keep_slots(Draft& draft);

// Tells once of members whose names become the same slot name; they share one slot (trap 92).
// `before`: the view that was told of last.
void warn_of_shared_slots(Draft& draft, const ClusterViewPtr& before);

// `/status.slots` and `/status.retain_slots` of a leader (contract postgres 10.5).
std::map<std::string, std::uint64_t> published_slots(const Observation& obs);
std::set<std::string> retained_slots(const Observation& obs);

}  // namespace tanist

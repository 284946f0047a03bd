// SPDX-License-Identifier: Apache-2.0
// Which replication slots this node should have, and the changes that lead there (contract postgres
// 10.2-10.3). Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/draft.h"

namespace tanist {

struct WantedSlot {
  bool active = false;  // somebody is expected to use it here
  Lsn target;           // where an unused one is advanced to; 0 = not advanced

  friend bool operator==(const WantedSlot&, const WantedSlot&) = default;
};

// Slots of members, by slot name.
std::map<std::string, WantedSlot> wanted_slots(const Observation& obs);

// The changes, in order: drop, create, advance.
std::vector<SlotChange> slot_changes(const Observation& obs);

// Orders what is to be changed.
void keep_slots(Draft& draft);

}  // namespace tanist

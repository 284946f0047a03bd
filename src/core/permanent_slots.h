// SPDX-License-Identifier: Apache-2.0
// Permanent slots and slots to be ignored, as the dynamic configuration names them (contract
// postgres 10.2 (c) and 10.7). Pure; any thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/server_facts.h"

namespace tanist {

struct PermanentSlot {
  bool logical = false;
  std::string plugin;
  std::string database;
  std::string cluster_type;  // of physical ones: empty, `primary` or `standby`

  friend bool operator==(const PermanentSlot&, const PermanentSlot&) = default;
};

// By slot name. Entries with an unusable name or value are left out.
std::map<std::string, PermanentSlot> permanent_slots_from(const Tree& slots);

// One sentence for each entry that is left out.
std::vector<std::string> permanent_slot_warnings(const Tree& slots);

// Does some matcher of the list agree with the slot in every field that it gives?
bool is_ignored_slot(const Tree& matchers, const SlotFacts& slot);

}  // namespace tanist

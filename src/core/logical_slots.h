// SPDX-License-Identifier: Apache-2.0
// Permanent logical slots on a standby (contract postgres 10.4): copied from the leader once, kept
// in step by advancing them, and not to be used before the primary provably keeps the catalog rows
// that they need. Pure; any thread.
#pragma once

#include <map>
#include <string>

#include "core/draft.h"

namespace tanist {

struct WantedSlot;

// Whether hot_standby_feedback has to be on: this node, or one that cascades from it, should have
// permanent logical slots.
bool needs_feedback(const Observation& obs);

// Begins the long action that copies what is missing; it restarts the standby.
void copy_missing_slots(Draft& draft, const std::map<std::string, WantedSlot>& wanted);

// After a copy or a restart: all of this node's permanent logical slots have to be proven anew.
void doubt_logical_slots(Draft& draft);

// Asks the leader about slots in doubt, and tells when one is safe.
void prove_copied_slots(Draft& draft);

// Before a promotion: tells which slots might be unsafe.
void warn_of_unready_slots(Draft& draft);

}  // namespace tanist

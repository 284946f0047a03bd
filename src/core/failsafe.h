// SPDX-License-Identifier: Apache-2.0
// DCS failsafe mode (contract ha 11, rest 14, under safety 3.4): a leader whose renewals are not
// answered goes on with the consent of every member, and a member that consented stays out of
// races. Consent extends a lock that is held; it never gives one. Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// `/failsafe` lists all members that publish an address, and this leader (contract ha 11.5).
// Requires: this node leads, the store answers.
void keep_failsafe_key(Draft& draft);

// Asks every member of every map that this reign wrote or tried to write, from the first unanswered
// renewal on. Does nothing where the mode is off or this node is in no such map. The loop moves the
// end of the lock when all have consented.
void ask_for_consent(Draft& draft);

// Why this node takes part in no race: it has given its consent, or may have given it before it
// was started. Requires: the cluster is unlocked.
std::optional<Why> keeps_out_of_races(Draft& draft);

// The member is one whom a leader without store asks, or there is no map. Whom it does not ask may
// not lead beside it.
bool in_failsafe_map(const Observation& obs, const MemberName& name);

// Consent is in force here: the own lock lives by it, or this node has given its own.
bool failsafe_is_active(const Observation& obs, const Memory& memory);

}  // namespace tanist

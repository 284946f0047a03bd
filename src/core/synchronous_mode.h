// SPDX-License-Identifier: Apache-2.0
// Synchronous and quorum mode at the leader: the order of steps between `/sync` and the server's
// synchronous_standby_names (contract ha 16 and 17 under core/quorum). One step a decision; the
// next one waits until the effect of the last was seen: the key in the view, the setting in a
// query. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "core/draft.h"

namespace tanist {

// A standby leader whom `/sync` does not name ends that key: it was written while the cluster wrote
// for itself, and its line of leaders ended when this node took over. Left in place it would bind
// the first race after the cluster is promoted (safety 3.6). True until that is done.
bool ends_foreign_sync_key(Draft& draft);

// One step towards what the mode asks for, or out of it when it was switched off.
// Requires: this node leads, its server is primary and answers.
void keep_synchronous(Draft& draft);

// Before a promotion: `/sync` names this node, and the setting to be promoted with is in
// `draft.next.sync` (contract ha 16.5, invariant 19). In quorum mode the key is rewritten too, on
// purpose unlike 17.4: until then the old leader could be elected without anybody's vote.
// Nothing: promote. Requires: the lock is held.
std::optional<Why> prepare_synchronous_promotion(Draft& draft);

// What a primary's files are to say of synchronous_standby_names; absent: the user's own value.
std::optional<std::string> names_for_primary(const Observation& obs, const Memory& memory);

// The same for a standby: nothing of its own while the mode is on.
std::optional<std::string> names_for_standby(const Observation& obs);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// How logs of different nodes compare. A position says nothing without the timeline that it lies
// on: what a server wrote after the others went on without it is no part of the cluster's log,
// however far it reaches. Timelines that are not known are not compared (contract ha 7.4).
// Pure; any thread.
#pragma once

#include "core/observation.h"

namespace tanist {

// How far a log that ends at `position` on `timeline` goes along with the cluster's own, by
// `/history`: not beyond the fork.
Lsn common_position(const Observation& obs, Timeline timeline, Lsn position);

// The same of this node's log, by its own history file too where that was read.
Lsn own_common_position(const Observation& obs);

// How far the log that `/status` speaks of goes along with this node's: what `/history` has left
// is no more, and who was the last to lead, on a newer timeline that does not come from that one,
// is not behind what was given up then. A newer timeline alone proves nothing: a promotion may end
// after its lock was lost (seed 10002651).
Lsn published_position(const Observation& obs);

// `/history` does not name the own timeline, so that only the own history file tells where it left
// the cluster's log, if it did, and that was not read yet.
bool own_history_is_wanted(const Observation& obs);

// The same of a peer, as it reported itself.
Lsn common_position(const Observation& obs, const PeerReport& report);

enum class Standing { behind, level, ahead };

// Where a peer's log stands beside this node's own. A newer timeline is ahead: it begins with a
// leader that was elected after ours. Who left the cluster's log, by its own history (a promotion
// that ended without the lock), is ahead of nobody by its timeline, nor by what it has beyond.
Standing standing_of(const Observation& obs, const PeerReport& peer);

}  // namespace tanist

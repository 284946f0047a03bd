// SPDX-License-Identifier: Apache-2.0
// Commands of transcripts that say how servers are: the own one, and what others answer.
// Test code only.
#pragma once

#include "words.h"
#include "world.h"

namespace tanist::scenarios {

// `server primary lsn=6000`
void set_server(World& world, const Words& words);
// `diverged yes`
void set_divergence(World& world, const Words& words);
// `peers a=primary c=5000/nofailover d=silent`
void set_peers(World& world, const Words& words);

}  // namespace tanist::scenarios

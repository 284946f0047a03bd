// SPDX-License-Identifier: Apache-2.0
// Rounds of questions to the peers: when answers may be read (safety 3.5), and asking anew.
// Pure; any thread.
#pragma once

#include <vector>

#include "core/draft.h"

namespace tanist {

// A peer is waited for this long (contract ha 3).
inline constexpr Duration peer_answer_limit = seconds(2);
// Answers older than this are not read.
inline constexpr Duration peer_answer_age_max = milliseconds(2500);

// The answers of round `round`, when they may be read now; else nullptr, and a new round to
// `peers` is ordered (its number goes into `round`) unless one is under way. Nobody to ask is an
// empty round at once.
const PeerRound* answers(Draft& draft, std::uint64_t& round, std::vector<PeerAddress> peers);

// The addresses of these members, without this node and those that publish none.
std::vector<PeerAddress> addresses_of(const Observation& obs,
                                      const std::map<MemberName, MemberView>& members);

}  // namespace tanist

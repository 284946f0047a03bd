// SPDX-License-Identifier: Apache-2.0
// Who could take over from this node, by the peers' own answers (contract ha 13.6). Used before
// giving the lock away, for a crashed or slow leader, and for requests. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/draft.h"

namespace tanist {

struct CandidateSearch {
  MemberName candidate;                  // empty = any
  bool exclude = false;                  // everybody but `candidate`
  bool manual_failover = false;          // no leader named: /sync does not restrict it
  std::optional<Lsn> received_at_least;  // else maximum_lag_on_failover counts
  bool streaming_from_us = false;        // only who follows our timeline now
  std::string action = "failover";       // for log lines
};

// The members that qualify by what the store says: not this node, not nofailover, with an
// api_url, fitting `search`, and in synchronous mode listed in /sync.
std::vector<MemberView> candidates(const Observation& obs, const CandidateSearch& search);

// Those of them that answered well. Nothing while the peers are being asked. `quiet`: no log
// lines (for polling).
std::optional<std::vector<MemberName>> good_candidates(Draft& draft, std::uint64_t& round,
                                                       const CandidateSearch& search,
                                                       bool quiet = false);

// Whether a failover can succeed with these: at least one, and enough for the quorum.
bool failover_possible(Draft& draft, const std::vector<MemberName>& good,
                       const CandidateSearch& search, bool quiet = false);

// Why this member's answer forbids it to lead; empty = nothing does.
std::string limitation(const PeerReport& report);

}  // namespace tanist

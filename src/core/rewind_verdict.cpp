// SPDX-License-Identifier: Apache-2.0
// The rewind verdict. Pure; any thread.
#include "core/rewind_verdict.h"

#include <algorithm>

#include "base/format.h"

namespace tanist {

namespace {

RewindVerdict unknown(std::string reason) { return {Divergence::unknown, std::move(reason)}; }

std::string positions(const DivergenceFacts& facts) {
  return format_text("Local timeline={} lsn={}, primary timeline={}", facts.local_timeline.value(),
                     to_text(facts.local_lsn), facts.leader_timeline.value());
}

// The same timeline: WAL beyond the leader's is another history under the same number (trap 53).
RewindVerdict on_same_timeline(const DivergenceFacts& facts) {
  const bool beyond = facts.leader_lsn != Lsn() && facts.local_lsn > facts.leader_lsn;
  if (!beyond) return {Divergence::none, positions(facts)};
  return {Divergence::diverged, format_text("{} lsn={}: local WAL runs beyond the primary's",
                                            positions(facts), to_text(facts.leader_lsn))};
}

bool standby_diverged(const DivergenceFacts& facts, Lsn fork) { return facts.local_lsn > fork; }

// A cleanly stopped primary wrote its shutdown checkpoint last: the leader must have forked exactly
// at that record's end, otherwise the record itself is a divergence.
bool primary_diverged(const DivergenceFacts& facts, Lsn fork) {
  return facts.local_lsn >= fork || facts.checkpoint_end != fork;
}

}  // namespace

RewindVerdict judge_divergence(const DivergenceFacts& facts) {
  if (!facts.error.empty()) return unknown(facts.error);
  if (!facts.local_known) return unknown("the local position is not known");
  if (!facts.leader_known) return unknown("the leader does not tell its position");
  if (facts.leader_in_recovery) {
    return unknown("Leader is still in_recovery and therefore can't be used for rewind");
  }
  if (facts.local_timeline > facts.leader_timeline) {
    return {Divergence::diverged, positions(facts) + ": the local timeline is newer"};
  }
  if (facts.local_timeline == facts.leader_timeline) return on_same_timeline(facts);
  const auto line =
      std::ranges::find(facts.leader_history, facts.local_timeline, &HistoryLine::timeline);
  if (line == facts.leader_history.end()) {
    return {Divergence::diverged,
            positions(facts) + ": the primary's history does not know the local timeline"};
  }
  const bool diverged = facts.local_is_standby ? standby_diverged(facts, line->switch_lsn)
                                               : primary_diverged(facts, line->switch_lsn);
  return {diverged ? Divergence::diverged : Divergence::none,
          format_text("{}, forked at {}", positions(facts), to_text(line->switch_lsn))};
}

}  // namespace tanist

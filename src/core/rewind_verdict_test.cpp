// SPDX-License-Identifier: Apache-2.0
// Whose WAL runs where no other node's does.
#include "core/rewind_verdict.h"

#include <gtest/gtest.h>

namespace tanist {
namespace {

// A former primary of timeline 1, stopped cleanly; the leader forked to 2 at the end of its
// shutdown checkpoint.
DivergenceFacts after_switchover() {
  DivergenceFacts facts;
  facts.local_known = facts.leader_known = true;
  facts.local_timeline = Timeline(1);
  facts.local_lsn = Lsn(0x5000);
  facts.checkpoint_end = Lsn(0x5078);
  facts.leader_timeline = Timeline(2);
  facts.leader_lsn = Lsn(0x9000);
  facts.leader_history = {{.timeline = Timeline(1), .switch_lsn = Lsn(0x5078)}};
  return facts;
}

Divergence judged(const DivergenceFacts& facts) { return judge_divergence(facts).divergence; }

// Trap 56: an ordinary switchover is no divergence.
TEST(RewindVerdict, LeaderThatForkedAtTheEndOfTheShutdownCheckpointHasEverything) {
  EXPECT_EQ(judged(after_switchover()), Divergence::none);
}

TEST(RewindVerdict, ShutdownCheckpointThatTheLeaderLacksIsADivergence) {
  auto facts = after_switchover();
  facts.leader_history[0].switch_lsn = Lsn(0x5000);
  EXPECT_EQ(judged(facts), Divergence::diverged);
  facts.leader_history[0].switch_lsn = Lsn(0x5100);  // something else followed there
  EXPECT_EQ(judged(facts), Divergence::diverged);
}

TEST(RewindVerdict, StandbyDivergedOnlyBeyondTheFork) {
  auto facts = after_switchover();
  facts.local_is_standby = true;
  facts.local_lsn = Lsn(0x5078);
  EXPECT_EQ(judged(facts), Divergence::none);
  facts.local_lsn = Lsn(0x5079);
  EXPECT_EQ(judged(facts), Divergence::diverged);
}

// Trap 53: two histories under one number.
TEST(RewindVerdict, WalBeyondTheLeadersOnItsTimelineIsAnotherHistory) {
  auto facts = after_switchover();
  facts.local_timeline = Timeline(2);
  facts.local_lsn = facts.leader_lsn;
  EXPECT_EQ(judged(facts), Divergence::none);
  facts.local_lsn = Lsn(0x9001);
  EXPECT_EQ(judged(facts), Divergence::diverged);
}

// Trap 58.
TEST(RewindVerdict, TimelineThatTheLeadersHistoryLacksIsADivergence) {
  auto facts = after_switchover();
  facts.leader_history.clear();
  EXPECT_EQ(judged(facts), Divergence::diverged);
  facts = after_switchover();
  facts.local_timeline = Timeline(3);
  EXPECT_EQ(judged(facts), Divergence::diverged);
}

// Trap 55: nothing is concluded from a leader that is not one yet.
TEST(RewindVerdict, WithoutCertaintyNothingIsKnown) {
  auto facts = after_switchover();
  facts.leader_in_recovery = true;
  EXPECT_EQ(judged(facts), Divergence::unknown);
  facts = after_switchover();
  facts.local_known = false;
  EXPECT_EQ(judged(facts), Divergence::unknown);
  facts = after_switchover();
  facts.error = "no answer";
  EXPECT_EQ(judged(facts), Divergence::unknown);
}

}  // namespace
}  // namespace tanist

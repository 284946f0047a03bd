// SPDX-License-Identifier: Apache-2.0
// The race for the lock while an operator asks for a switchover or failover.
#include "core/failover_request.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist::testing {
namespace {

// Seed 10958 of the simulator: the leader was cut off and went on alone by its own consent.
TEST(FailoverRequest, WhoIsNotInTheFailsafeMapTakesNoLockForAnOperatorEither) {
  Given given("b");
  given.requested("a", "b").unlocked(true);
  given.cluster().failsafe_mode = true;
  given.view().failsafe = FailsafeView{};
  given.view().failsafe->members[MemberName("a")] = "http://a.test:8008/patroni";
  EXPECT_EQ(find_task(decide(given.build()), Task::take_lock), nullptr);
  given.view().failsafe->members[MemberName("b")] = "http://b.test:8008/patroni";
  EXPECT_NE(find_task(decide(given.build()), Task::take_lock), nullptr);
}

TEST(FailoverRequest, NamedCandidateTakesAReleasedLock) {
  Given given("b");
  given.requested("a", "b").unlocked(true);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(FailoverRequest, CandidateWithoutThePublishedWalLeavesTheLock) {  // safety 3.1
  Given given("b");
  given.requested("a", "b").unlocked(true).optime(0x3000001);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

TEST(FailoverRequest, CandidateOfASwitchoverStaysWithinSyncInQuorumMode) {  // seed 10222
  Given given("b");
  given.sync_key("a", {}).requested("a", "b").unlocked(true);
  given.cluster().synchronous_mode = SynchronousMode::quorum;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

TEST(FailoverRequest, CandidateNeedsVotesWhenTheLockWasNotGivenAway) {
  Given given("b");
  given.sync_key("a", {"b", "c"}, 1).requested("a", "b").unlocked().silent("a").silent("c");
  given.cluster().synchronous_mode = SynchronousMode::quorum;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.obs().peers.reports.clear();
  given.silent("a").answers("c", 0x3000000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// It was released because the server did not start, and not to hand it over: seed 10305178.
TEST(FailoverRequest, CandidateNeedsVotesWhenTheLockWasNotHandedOver) {
  Given given("b");
  given.sync_key("a", {"b", "c"}, 1).optime(0x2000000).requested("a", "b").unlocked(true);
  given.silent("a").silent("c");
  given.cluster().synchronous_mode = SynchronousMode::quorum;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().status->revision = given.view().lost_leader->deleted_at;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// What it is told by the others is measured by `/history`: seed 10306176.
TEST(FailoverRequest, ASwitchoverBeginsWhenHistoryLeadsToTheLeader) {
  Given given("a");
  given.holds_lock().runs_as_primary().requested("a", "b");
  given.obs().local.server.query->timeline = Timeline(3);
  auto decision = decide(given.build());
  EXPECT_FALSE(decision.next.job);
  EXPECT_NE(find_task(decision, Task::read_history), nullptr);
  given.obs().local.history = {HistoryLine{Timeline(2), Lsn(0x2000000), "", "t", "a"}};
  given.obs().local.history_timeline = Timeline(3);
  EXPECT_NE(find_task(decide(given.build()), Task::write_history), nullptr);
  given.obs().ends[Task::write_history].at = at_ms(0);  // it failed, and is not waited for again
  EXPECT_EQ(find_task(decide(given.build()), Task::ask_peers) != nullptr ||
                decide(given.build()).next.job.has_value(),
            true);
}

TEST(FailoverRequest, NorDoesTheAgentsOwnEndGiveTheLockAwayBefore) {
  Given given("a");
  given.holds_lock().runs_as_primary();
  given.obs().local.server.query->timeline = Timeline(3);
  given.obs().shutdown_requested = true;
  auto decision = decide(given.build());
  EXPECT_EQ(find_server<StopServer>(decision), nullptr);
  EXPECT_NE(find_task(decision, Task::read_history), nullptr);
  given.memory() = decision.next;
  given.obs().local.history = {HistoryLine{Timeline(2), Lsn(0x2000000), "", "t", "a"}};
  given.obs().local.history_timeline = Timeline(3);
  decision = decide(given.build());
  EXPECT_EQ(find_server<StopServer>(decision), nullptr);
  EXPECT_NE(find_task(decision, Task::write_history), nullptr);
  given.memory() = decision.next;
  given.obs().ends[Task::write_history].at = at_ms(0);  // it failed, and is not waited for again
  EXPECT_NE(find_server<StopServer>(decide(given.build())), nullptr);
}

// What it tells is of before the last commit that the old leader acknowledged with its help.
TEST(FailoverRequest, VoteOfAPeerThatHasNotLookedSinceDoesNotCount) {
  Given given("b");
  given.sync_key("a", {"b", "c"}, 1).unlocked().silent("a").answers("c", 0x3000000);
  given.cluster().synchronous_mode = SynchronousMode::quorum;
  given.obs().peers.reports.back().position_is_old = true;
  given.obs().peers.asked_at = at_ms(-10);
  given.memory().unlocked_since = at_ms(-20);
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::race_asking_peers);
  EXPECT_EQ(decision.wake_at, at_ms(40));
  given.obs().peers.asked_at = at_ms(-50);
  EXPECT_NE(find_task(decide(given.build()), Task::ask_peers), nullptr);
  given.memory().unlocked_since = at_ms(-2000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.obs().peers.reports.back().position_is_old = false;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(FailoverRequest, OthersStepInForACandidateWithoutThePublishedWal) {  // seed 20304
  Given given("b");
  given.requested("a", "c").unlocked(true).optime(0x3000000);
  given.silent("a").answers("c", 0x2ffffff);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(FailoverRequest, ReservationForASwitchoverEndsAfterOneTtl) {  // seed 40172
  Given given("b");
  given.requested("a", "b").unlocked(true).optime(0x3000001).silent("a").silent("c");
  given.memory().unlocked_since = at_ms(-29'999);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.memory().unlocked_since = at_ms(-30'000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(FailoverRequest, OldLeaderReturnsWhenNobodyHasWhatItPublished) {
  Given given("a");
  given.requested("a", "").unlocked(true).runs_as_standby().optime(0x3000000);
  given.answers("b", 0x2ffffff).answers("c", 0x2ffffff);
  given.obs().lock = Lock{};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(FailoverRequest, OthersLeaveTheLockToAHealthyCandidate) {
  Given given("b");
  given.requested("a", "c").unlocked(true).silent("a").answers("c", 0x3000000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

TEST(FailoverRequest, OthersStepInForADeadCandidate) {
  Given given("b");
  given.requested("a", "c").unlocked(true).silent("a").silent("c");
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// Seed 20002 of the simulator.
TEST(FailoverRequest, CandidateThatIsNotInTheFailsafeMapIsNotWaitedFor) {
  Given given("b");
  given.requested("", "c").unlocked().silent("a").answers("c", 0x3000000);
  given.cluster().failsafe_mode = true;
  given.view().failsafe = FailsafeView{};
  for (const auto* name : {"a", "b", "c"}) {
    given.view().failsafe->members[MemberName(name)] = Given::api_of(name);
  }
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().failsafe->members.erase(MemberName("c"));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// Seed 4012130: the mode was turned on while nobody led.
TEST(FailoverRequest, ModeWithoutASyncKeyLeavesTheLockToNobody) {
  Given given("b");
  given.requested("", "c").unlocked().silent("a").silent("c");
  given.cluster().synchronous_mode = SynchronousMode::priority;
  given.sync_key("a", {"c"});
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().sync.reset();
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(FailoverRequest, OldLeaderReturnsOnlyWhenNobodyElseCan) {
  Given given("a");
  given.requested("a", "")
      .unlocked(true)
      .runs_as_standby()
      .answers("b", 0x3000000)
      .answers("c", 0x3000000);
  given.obs().lock = Lock{};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.obs().peers.reports.clear();
  given.silent("b").silent("c");
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

}  // namespace
}  // namespace tanist::testing

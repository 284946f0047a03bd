// SPDX-License-Identifier: Apache-2.0
// The race for the free lock, check by check.
#include "core/leader_race.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist::testing {
namespace {

// "b" in a cluster whose lock ran out; "c" answered at the same position, the old leader not at
// all.
Given racing() {
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x3000000);
  return given;
}

TEST(LeaderRace, HealthiestReplicaTakesTheLock) {
  auto given = racing();
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::race_taking_lock);
  EXPECT_NE(find_store<TakeLock>(decision, Task::take_lock), nullptr);
}

TEST(LeaderRace, LockIsTakenOnWhatWasSeen) {  // safety 1.2
  auto given = racing();
  const auto decision = decide(given.build());
  const auto* take = find_store<TakeLock>(decision, Task::take_lock);
  ASSERT_NE(take, nullptr);
  ASSERT_EQ(take->expect.size(), 4U);
  EXPECT_EQ(take->expect[0], (KeyCompare{StoreKey::status, Revision(50)}));
  EXPECT_EQ(take->expect[1], (KeyCompare{StoreKey::sync, Revision(0)}));
  EXPECT_EQ(take->expect[2], (KeyCompare{StoreKey::failover, Revision(0)}));
  EXPECT_EQ(take->expect[3], (KeyCompare{StoreKey::config, Revision(3)}));
}

TEST(LeaderRace, IdentityThatIsNotLastingComesWithTheLock) {  // safety 1.8
  auto given = racing();
  given.view().initialize->lease = LeaseId(77);
  const auto decision = decide(given.build());
  const auto* take = find_store<TakeLock>(decision, Task::take_lock);
  ASSERT_NE(take, nullptr);
  EXPECT_EQ(take->identity, given.view().initialize->system_id);
  EXPECT_EQ(take->expect.back(), (KeyCompare{StoreKey::initialize, Revision(2)}));
}

TEST(LeaderRace, LastingIdentityIsNotWrittenAgain) {
  auto given = racing();
  const auto decision = decide(given.build());
  EXPECT_FALSE(find_store<TakeLock>(decision, Task::take_lock)->identity);
}

TEST(LeaderRace, OwnKeyComesWithTheLock) {  // decision 0004
  auto given = racing();
  const auto decision = decide(given.build());
  const auto* take = find_store<TakeLock>(decision, Task::take_lock);
  ASSERT_NE(take, nullptr);
  ASSERT_TRUE(take->member);
  EXPECT_NE(take->member->find("\"role\":\"replica\""), std::string::npos) << *take->member;
}

// Each would leave the lock to the other for ever: seed 50053.
TEST(LeaderRace, PeerOutsideTheFailsafeMapIsNoRival) {
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x4000000);
  given.cluster().failsafe_mode = true;
  given.view().failsafe = FailsafeView{
      {{MemberName("a"), Given::api_of("a")}, {MemberName("b"), Given::api_of("b")}}, Revision(40)};
  EXPECT_NE(find_store<TakeLock>(decide(given.build()), Task::take_lock), nullptr);
  given.view().failsafe->members[MemberName("c")] = Given::api_of("c");
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

TEST(LeaderRace, PeerOutsideTheFailsafeMapCountsWhereSyncBinds) {
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x4000000).sync_key("a", {"b", "c"}, 1);
  given.cluster().failsafe_mode = true;
  given.cluster().synchronous_mode = SynchronousMode::quorum;
  given.view().failsafe = FailsafeView{
      {{MemberName("a"), Given::api_of("a")}, {MemberName("b"), Given::api_of("b")}}, Revision(40)};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

// Its log would count if it had more: seed 10303854.
TEST(LeaderRace, NobodyYieldsToAPeerOutsideTheFailsafeMap) {
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x3000000).sync_key("a", {"b", "c"});
  given.obs().peers.reports.back().tags.failover_priority = 2;
  given.cluster().failsafe_mode = true;
  given.cluster().synchronous_mode = SynchronousMode::priority;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().failsafe = FailsafeView{
      {{MemberName("a"), Given::api_of("a")}, {MemberName("b"), Given::api_of("b")}}, Revision(40)};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// Failsafe mode was off while it led, so that the map is an older one: seed 9900567.
TEST(LeaderRace, WhoLedLastBySyncNeedsNoFailsafeMap) {
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x2000000).sync_key("a", {"b"});
  given.cluster().failsafe_mode = true;
  given.cluster().synchronous_mode = SynchronousMode::priority;
  given.view().failsafe = FailsafeView{{{MemberName("c"), Given::api_of("c")}}, Revision(40)};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.sync_key("b", {});
  EXPECT_NE(find_store<TakeLock>(decide(given.build()), Task::take_lock), nullptr);
}

// A voter's position counts when the former leader gets nothing confirmed by it any more: seed
// 9903328.
TEST(LeaderRace, VoterLeavesTheFormerLeader) {
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x2000000).sync_key("a", {"b", "c"}, 1);
  given.cluster().synchronous_mode = SynchronousMode::quorum;
  const auto compares = [&] {
    return find_task(decide(given.build()), Task::compare_goal) != nullptr;
  };
  EXPECT_TRUE(compares());
  given.obs().local.comparison =
      GoalComparison{ServerGoal{.standby = true}, GoalDifference::none, at_ms(-10)};
  given.obs().local.server.observed_at = at_ms(-5);
  given.obs().cycle_began = at_ms(-20);
  EXPECT_FALSE(compares());
  given.obs().local.comparison->at = at_ms(-1);
  EXPECT_NE(find_task(decide(given.build()), Task::observe), nullptr) << "it looks once more";
}

// Reading back, it would take the new lock for its own and free it: seed 50285.
TEST(LeaderRace, AwaitsTheEndOfAnEarlierAttemptToTakeTheLockBack) {
  auto given = racing();
  given.obs().in_flight.insert(Task::retake_lock);
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::race_taking_lock);
  EXPECT_EQ(find_store<TakeLock>(decision, Task::take_lock), nullptr);
}

TEST(LeaderRace, PeersAreAskedFirst) {
  Given given("b");
  given.unlocked();
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::race_asking_peers);
  EXPECT_NE(find_task(decision, Task::ask_peers), nullptr);
}

TEST(LeaderRace, OldAnswersAreNotRead) {  // safety 3.5
  auto given = racing();
  given.obs().peers.asked_at = at_ms(-2501);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_asking_peers);
}

TEST(LeaderRace, AnswersFromBeforeAChangeOfSyncAreNotRead) {  // safety 3.5
  auto given = racing();
  auto observation = given.build();
  given.view().sync = SyncView{MemberName("a"), {MemberName("b")}, 0, Revision(70)};
  observation.store.view = std::make_shared<const ClusterView>(given.view());
  EXPECT_EQ(decide(observation).why.reason, Reason::race_asking_peers);
}

TEST(LeaderRace, IncompleteRoundIsWaitedFor) {
  auto given = racing();
  given.obs().peers.complete = false;
  given.obs().in_flight.insert(Task::ask_peers);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_asking_peers);
}

TEST(LeaderRace, PeerThatIsAheadGoesFirst) {
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x3000001);
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::race_not_healthiest);
  EXPECT_TRUE(logged(decision, "Wal position of c is ahead of my wal position"));
}

TEST(LeaderRace, LivingPrimaryVetoes) {  // trap 17
  Given given("b");
  given.unlocked().answers("a", 0, true).answers("c", 0x3000000);
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::race_not_healthiest);
  EXPECT_TRUE(logged(decision, "Primary (a) is still alive"));
}

TEST(LeaderRace, TooLargeLagForbids) {
  Given given("b");
  given.unlocked().silent("a").silent("c").optime(0x3000000 + 1048577);
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::race_not_healthiest);
  EXPECT_TRUE(logged(decision, "My wal position exceeds maximum replication lag"));
  given.optime(0x3000000 + 1048576);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// Seed 10999 of the simulator: `/status` was of the time before the cluster was demoted.
TEST(LeaderRace, LagIsNotLookedAtInAStandbyCluster) {
  auto given = racing();
  given.optime(0x3000000 + 1048577);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.cluster().standby_cluster = StandbyCluster{};
  given.cluster().standby_cluster->host = "remote";
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, OlderTimelineForbidsWhenChecked) {
  auto given = racing();
  given.view().history =
      HistoryView{{HistoryLine{Timeline(1), Lsn(0x3000000), "r", "", ""}}, {}, Revision(40)};
  given.cluster().check_timeline = true;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.cluster().check_timeline = false;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, ShortLeaseDoesNotWaitLongForSilentPeers) {
  auto given = racing();
  given.obs().peers = {};
  const auto limit = [&] {
    const auto decision = decide(given.build());
    const auto* asked = find_task(decision, Task::ask_peers);
    return asked != nullptr ? asked->until - given.obs().now : Duration(0);
  };
  EXPECT_EQ(limit(), seconds(2));
  given.cluster().timing.ttl = seconds(20);  // Patroni's smallest
  EXPECT_EQ(limit(), seconds(2));
  given.cluster().timing.ttl = seconds(3);
  EXPECT_EQ(limit(), milliseconds(750));
}

TEST(LeaderRace, NofailoverNeverRaces) {
  auto given = racing();
  given.node().tags.failover_priority = 0;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_allowed);
}

TEST(LeaderRace, HigherPriorityGoesFirstAtEqualPositions) {
  Given given("b");
  PeerReport report;
  report.name = MemberName("c");
  report.reachable = report.answered = true;
  report.wal_position = Lsn(0x3000000);
  report.tags.failover_priority = 2;
  given.unlocked().silent("a").answers(report);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.node().tags.failover_priority = 2;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, PriorityOfTheFormerLeaderDoesNotCount) {  // trap 26
  Given given("b");
  PeerReport report;
  report.name = MemberName("a");
  report.reachable = report.answered = true;
  report.wal_position = Lsn(0x3000000);
  report.tags.failover_priority = 5;
  given.unlocked().answers(report).silent("c");
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, OutsiderOfSynchronousModeStaysOut) {  // trap 14
  auto given = racing();
  given.cluster().synchronous_mode = SynchronousMode::priority;
  given.view().sync = SyncView{MemberName("a"), {MemberName("c")}, 0, Revision(70)};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().sync->standbys = {MemberName("B")};  // names compare without case
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, SynchronousStandbyIgnoresTheFormerLeaderBeingAhead) {  // trap 21
  Given given("b");
  given.cluster().synchronous_mode = SynchronousMode::priority;
  given.view().sync = SyncView{MemberName("a"), {MemberName("b")}, 0, Revision(70)};
  given.unlocked().answers("a", 0x4000000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, QuorumNeedsVotes) {
  Given given("b");
  given.cluster().synchronous_mode = SynchronousMode::quorum;
  given.view().sync = SyncView{MemberName("a"), {MemberName("b"), MemberName("c")}, 1, Revision(7)};
  given.unlocked().silent("a").silent("c");
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.obs().peers.reports.clear();
  given.silent("a").answers("c", 0x2000000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, RequiredGuardThatIsAbsentForbidsANewReign) {
  auto given = racing();
  given.node().guard = GuardMode::required;
  given.obs().local.guard = GuardState::absent;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

TEST(LeaderRace, StandbysDoNotRaceInPause) {
  auto given = racing();
  given.cluster().pause = true;
  EXPECT_EQ(find_task(decide(given.build()), Task::take_lock), nullptr);
}

TEST(LeaderRace, LoserOfPrePromoteSitsOutOneTtl) {
  auto given = racing();
  given.memory().pre_promote_failed_at = at_ms(-29'999);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.memory().pre_promote_failed_at = at_ms(-30'000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// ---- timelines ----

PeerReport on_timeline(std::uint32_t timeline, std::uint64_t lsn) {
  PeerReport report;
  report.name = MemberName("c");
  report.reachable = report.answered = true;
  report.wal_position = Lsn(lsn);
  report.timeline = Timeline(timeline);
  return report;
}

Given racing_against(const PeerReport& peer) {
  Given given("b");
  given.unlocked().silent("a").answers(peer);
  given.obs().local.server.query->received_timeline = Timeline(2);
  return given;
}

TEST(LeaderRace, PeerOnANewerTimelineIsAheadWhateverItsPosition) {
  auto given = racing_against(on_timeline(3, 0x2f00000));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

TEST(LeaderRace, PeerOnAForkThatWasLeftIsNotAhead) {
  auto given = racing_against(on_timeline(1, 0x4000000));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, WalBeyondAForkCountsForNothing) {
  auto given = racing_against(on_timeline(2, 0x3000000));
  given.optime(0x3000000).cluster().lag_bytes_max_on_failover = 0x1000;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(2), Lsn(0x2fff000), "", "", ""}};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
  given.view().history->lines[0].switch_lsn = Lsn(0x2ffefff);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

TEST(LeaderRace, TimelineThatTheLastLeaderDidNotFollowCountsUpToTheForkBeforeIt) {  // seed 1678
  Given given("b");
  given.member("a", true).timeline = Timeline(3);
  given.unlocked().silent("a").answers(on_timeline(2, 0x3000000));
  given.obs().local.server.query->received_timeline = Timeline(2);
  given.optime(0x3000000).cluster().lag_bytes_max_on_failover = 0x1000;
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(1), Lsn(0x2f00000), "", "t", "a"}};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().history->lines[0].new_leader = "c";  // written before a led
  given.obs().local.history = given.view().history->lines;
  given.obs().local.history_timeline = Timeline(2);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// Two promotions from one point: the line is the same, and nobody here saw the second leader.
TEST(LeaderRace, TimelineThatStatusIsBeyondWasLeftOut) {  // seed 9203737
  auto given = racing_against(on_timeline(2, 0x3000000));
  given.optime(0x3000000).cluster().lag_bytes_max_on_failover = 0x1000;
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(1), Lsn(0x2f00000), "", "t", "c"}};
  given.obs().local.history = given.view().history->lines;
  given.obs().local.history_timeline = Timeline(2);
  given.view().status->timeline = Timeline(2);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
  given.view().status->timeline = Timeline(3);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().history->lines[0].switch_lsn = Lsn(0x2fff000);
  given.obs().local.history = given.view().history->lines;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// An operator's failover left that log, and its new leader died before it published anything.
TEST(LeaderRace, WhatWasGivenUpByOurOwnPromotionIsNotMissed) {  // seed 9302343
  auto given = racing_against(on_timeline(2, 0x2f01000));
  given.optime(0x3000000).cluster().lag_bytes_max_on_failover = 0x1000;
  given.runs_as_standby(0x2f02000).obs().local.server.query->received_timeline = Timeline(3);
  given.view().status->timeline = Timeline(2);
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(1), Lsn(0x2f00000), "", "t", "c"}};
  given.obs().local.history = given.view().history->lines;
  given.obs().local.history_timeline = Timeline(3);
  // A promotion may end after its lock was lost, and then it gives up nothing (seed 10002651).
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().lost_leader->leader.name = MemberName("b");
  given.view().lost_leader->leader.create_revision = given.view().status->revision;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
  given.view().status->revision = Revision(given.view().status->revision.value() + 1);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().status->revision = given.view().lost_leader->leader.create_revision;
  given.obs().local.history.push_back({Timeline(2), Lsn(0x2f02000), "", "t", ""});
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
}

// It took part in a promotion that ended without the lock: seed 9906810.
TEST(LeaderRace, PeerThatLeftTheClustersLogIsAheadOnlyUpToThere) {
  auto report = on_timeline(5, 0x4000000);
  EXPECT_EQ(decide(racing_against(report).build()).why.reason, Reason::race_not_healthiest);
  report.left_at = Lsn(0x2000000);
  EXPECT_EQ(decide(racing_against(report).build()).why.reason, Reason::race_taking_lock);
}

// The other way round: who ended a promotion without the lock is ahead of nobody by its timeline.
TEST(LeaderRace, WhoLeftTheClustersLogYieldsToWhoFollowedIt) {
  auto given = racing_against(on_timeline(4, 0x2f01000));
  given.optime(0x2f00000).runs_as_standby(0x2f80000);
  given.obs().local.server.query->received_timeline = Timeline(5);
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(3), Lsn(0x2f00000), "", "t", "c"}};
  given.obs().local.history = {HistoryLine{Timeline(3), Lsn(0x2f00100), "", "t", ""}};
  given.obs().local.history_timeline = Timeline(5);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.obs().local.history = {HistoryLine{Timeline(3), Lsn(0x2f00000), "", "t", ""},
                               HistoryLine{Timeline(4), Lsn(0x2f01000), "", "t", ""}};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock) << "it comes from there";
}

// The same, when it died after it had written `/history`, and before it published a position.
TEST(LeaderRace, WhatHistoryGaveUpIsNotMissed) {  // seed 9802179
  auto given = racing_against(on_timeline(1, 0x2f00000));
  given.optime(0x3000000).cluster().lag_bytes_max_on_failover = 0x1000;
  given.runs_as_standby(0x2f00000).obs().local.server.query->received_timeline = Timeline(2);
  given.obs().local.history = {HistoryLine{Timeline(1), Lsn(0x2f00000), "", "t", ""}};
  given.obs().local.history_timeline = Timeline(2);
  given.view().status->timeline = Timeline(1);
  given.view().history = HistoryView{};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.view().history->lines = given.obs().local.history;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// Its leader ended before it had written `/history`.
TEST(LeaderRace, StandbyThatAnExaminedLeaderLeftCountsUpToTheFork) {  // seed 8003414
  Given given("b");
  given.unlocked().silent("a").silent("c");
  given.optime(0x3000000).cluster().lag_bytes_max_on_failover = 0x1000;
  DivergenceFacts facts;
  facts.local_timeline = Timeline(1);
  facts.leader_timeline = Timeline(2);
  facts.leader_history = {HistoryLine{Timeline(1), Lsn(0x2ffefff), "", "", ""}};
  auto& found = given.obs().local.divergence;
  found = DivergenceFinding{MemberName("a"), facts, at_ms(-1000)};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  found->facts.leader_history[0].switch_lsn = Lsn(0x2fff000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
  found->facts.leader_history[0].switch_lsn = Lsn(0x2ffefff);
  found->facts.local_timeline = Timeline(3);  // the data were rewound since
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, AnswersOfBeforeAnotherLeaderCameAndWentAreVoid) {  // seed 9106650
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x3000000);
  auto obs = given.build();
  EXPECT_EQ(decide(obs).why.reason, Reason::race_taking_lock);
  auto later = *obs.store.view;
  later.lost_leader->deleted_at = Revision(140);
  obs.store.view = std::make_shared<const ClusterView>(later);
  EXPECT_EQ(decide(obs).why.reason, Reason::race_asking_peers);
}

// Agents that have just started have seen no leader: two timelines began from the same one, and the
// own number is the higher of those that `/history` does not name.
TEST(LeaderRace, OwnHistoryFileTellsOfAForkThatTheKeyDoesNotName) {
  auto given = racing_against(on_timeline(3, 0x3000000));
  given.optime(0x3000000).cluster().lag_bytes_max_on_failover = 0x1000;
  given.obs().local.server.query->received_timeline = Timeline(3);
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(2), Lsn(0x2f00000), "", "t", "c"}};
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::race_asking_peers);
  EXPECT_NE(find_task(decision, Task::read_history), nullptr);
  auto& local = given.obs().local;
  local.history = {HistoryLine{Timeline(2), Lsn(0x2f80000), "", "t", ""}};
  local.history_timeline = Timeline(3);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  local.history[0].switch_lsn = Lsn(0x2f00000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

// Two timelines began at one position, and the cluster went on with the other one.
TEST(LeaderRace, OwnTimelineThatTheClusterWentOnWithoutCountsUpToItsBeginning) {  // seed 9602966
  auto given = racing_against(on_timeline(3, 0x2ffffff));
  given.optime(0x3000000).cluster().lag_bytes_max_on_failover = 0x1000;
  given.obs().local.server.query->received_timeline = Timeline(3);
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(1), Lsn(0x2ffefff), "", "t", "a"},
                                 HistoryLine{Timeline(2), Lsn(0x2fffff0), "", "t", "a"}};
  given.obs().local.history = {HistoryLine{Timeline(1), Lsn(0x2ffefff), "", "t", ""}};
  given.obs().local.history_timeline = Timeline(3);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_not_healthiest);
  given.obs().local.history.push_back({Timeline(2), Lsn(0x2fffff0), "", "t", ""});
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

TEST(LeaderRace, OwnHistoryFileThatCannotBeReadIsNotWaitedFor) {
  auto given = racing_against(on_timeline(3, 0x3000000));
  given.obs().local.server.query->received_timeline = Timeline(3);
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(2), Lsn(0x2f00000), "", "t", "c"}};
  given.obs().ends[Task::read_history] = {.ok = false, .at = at_ms(-100)};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::race_taking_lock);
}

}  // namespace
}  // namespace tanist::testing

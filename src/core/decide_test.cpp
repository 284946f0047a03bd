// SPDX-License-Identifier: Apache-2.0
// The order of decisions, one sentence a test.
#include "core/decide.h"

#include <gtest/gtest.h>

#include "core/start_job.h"
#include "tests/support/given.h"

namespace tanist::testing {
namespace {

TEST(Decide, LeaderWithLockHasNothingToDo) {
  const auto decision = decide(Given("a").build());
  EXPECT_EQ(decision.why.reason, Reason::leader_steady);
  EXPECT_EQ(find_task(decision, Task::server), nullptr);
}

TEST(Decide, StaleFactsAreObservedFirst) {
  Given given("a");
  given.obs().cycle_began = at_ms(1);
  given.obs().now = at_ms(1);
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::observing);
  EXPECT_NE(find_server<ObserveServer>(decision, Task::observe), nullptr);
}

TEST(Decide, FactsFromBeforeTheLockWasLostAreNoBaseForARace) {  // seed 1678
  Given given("b");
  given.unlocked().silent("a").silent("c");
  given.obs().local.server.observed_at = at_ms(-1);
  given.obs().cycle_began = at_ms(-10);
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::observing);
  const auto* observe = find_server<ObserveServer>(decision, Task::observe);
  ASSERT_NE(observe, nullptr);
  EXPECT_TRUE(observe->local_timeline);
}

TEST(Decide, AgentThatLeavesABootstrapStopsItsServerFirst) {  // seed 10280
  Given given("a");
  given.unlocked().obs().lock = Lock{};
  given.memory().bootstrapping = true;
  given.memory().job = make_job(JobKind::abandon_bootstrap, "bootstrap");
  given.obs().shutdown_requested = true;
  const auto decision = decide(given.build());
  EXPECT_NE(find_server<StopServer>(decision), nullptr);
  EXPECT_EQ(find_task(decision, Task::write_initialize), nullptr);
  EXPECT_TRUE(decision.next.job);
}

TEST(Decide, IdentityOfAnAbandonedBootstrapEndsWithItsLease) {  // seed 1648
  Given given("a");
  given.view().initialize->lease = LeaseId(77);
  const auto decision = decide(given.build());
  const auto* commit = find_store<Commit>(decision, Task::write_initialize);
  ASSERT_NE(commit, nullptr) << "the leader makes it lasting";
  EXPECT_FALSE(commit->writes[0].with_lease);
}

TEST(Decide, ReplicaFollowsLeader) {
  Given given("b");
  given.follows_right_upstream();
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::following_leader);
  EXPECT_EQ(find_task(decision, Task::server), nullptr);
}

// Else it would tell a position of before the leader's last record until its next regular cycle,
// and a switchover would wait for that.
TEST(Decide, ReplicaLooksOftenWhileTheLeaderStops) {
  Given given("b");
  given.follows_right_upstream();
  EXPECT_GT(decide(given.build()).wake_at, at_ms(100));
  for (const auto state : {ServerState::stopping, ServerState::stopped}) {
    given.view().members[MemberName("a")].state = state;
    EXPECT_LE(decide(given.build()).wake_at, at_ms(50));
  }
  given.cluster().pause = true;
  EXPECT_GT(decide(given.build()).wake_at, at_ms(100));
}

TEST(Decide, ReplicaWithOtherUpstreamReloads) {
  Given given("b");
  given.follows_right_upstream();
  given.obs().local.comparison->difference = GoalDifference::reload;
  EXPECT_NE(find_server<ReloadServer>(decide(given.build())), nullptr);
}

TEST(Decide, ReplicaRestartsWhereReloadDoesNotSuffice) {
  Given given("b");
  given.follows_right_upstream();
  given.obs().local.comparison->difference = GoalDifference::restart;
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::changing_upstream);
  EXPECT_NE(find_server<StopServer>(decision), nullptr);
}

// ---- fencing ----

TEST(Decide, PrimaryThatLostItsLockIsStoppedAtOnce) {
  const auto decision = decide(Given("a").lost_lock().build());
  EXPECT_EQ(decision.why.reason, Reason::leader_lost_lock);
  EXPECT_NE(find_server<FenceServer>(decision, Task::fence), nullptr);
}

TEST(Decide, PrimaryIsStoppedBeforeItsLeaseEnds) {
  Given given("a");
  // F + 500 ms before the end of the lease: safety 2.3 with ttl 30.
  given.holds_lock(at_ms(0) + milliseconds(500 + 30 + 500));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_deadline_near);
  given.holds_lock(at_ms(0) + milliseconds(500 + 30 + 500 + 1));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_steady);
}

TEST(Decide, PrimaryWhoseLockIsHeldByAnotherIsStopped) {
  Given given("a");
  given.leader("b").obs().lock.reign.reset();
  given.obs().lock.until = at_ms(-5000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::demoting_without_lock);
}

TEST(Decide, PrimaryThatDoesNotAnswerIsStillFenced) {
  Given given("a");
  given.lost_lock().obs().local.server.query.reset();
  EXPECT_NE(find_server<FenceServer>(decide(given.build()), Task::fence), nullptr);
}

TEST(Decide, NothingIsFencedInPause) {
  Given given("a");
  given.leader("b").lost_lock().cluster().pause = true;
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::primary_without_lock_in_pause);
  EXPECT_EQ(find_task(decision, Task::fence), nullptr);
}

TEST(Decide, ServerPastTheSafePointOfItsStopIsLeftAlone) {
  Given given("a");
  given.lost_lock().obs().local.stop_progress = StopProgress{.safe_point = true};
  EXPECT_EQ(find_task(decide(given.build()), Task::fence), nullptr);
}

TEST(Decide, RunningPrimaryOfAnotherAgentIsNotAdoptedOutsidePause) {
  Given given("a");
  given.unlocked().obs().lock = Lock{};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::demoting_without_lock);
}

TEST(Decide, UnmanagedPrimaryIsTakenOverRunning) {
  Given given("a");
  given.unlocked().obs().lock = Lock{};
  given.view() = ClusterView{};
  given.view().revision = Revision(1);
  given.memory().callbacks_fired = false;
  const auto decision = decide(given.build());
  EXPECT_EQ(find_task(decision, Task::fence), nullptr);
  const auto* take = find_store<TakeLock>(decision, Task::take_lock);
  ASSERT_NE(take, nullptr);
  EXPECT_EQ(take->identity, given.obs().local.server.control->system_id);
  EXPECT_EQ(find_store<Commit>(decision, Task::write_initialize), nullptr) << "the lock brings it";
}

TEST(Decide, UnmanagedPrimaryIsNotFencedWhenItsClaimIsSeenBeforeItsLock) {
  Given given("a");
  const auto claim = given.view().initialize;
  given.unlocked().obs().lock = Lock{};
  given.view().initialize = claim;
  given.memory().callbacks_fired = false;
  given.obs().in_flight = {Task::take_lock};
  EXPECT_EQ(find_task(decide(given.build()), Task::fence), nullptr);
  given.view().leader = LeaderView{.name = MemberName("a")};
  EXPECT_EQ(find_task(decide(given.build()), Task::fence), nullptr) << "the lock is its own";
  given.view().leader->name = MemberName("b");
  EXPECT_NE(find_task(decide(given.build()), Task::fence), nullptr) << "the lock is another's";
  given.view().leader.reset();
  given.obs().in_flight.clear();
  EXPECT_NE(find_task(decide(given.build()), Task::fence), nullptr) << "the attempt failed";
  given.obs().in_flight = {Task::take_lock};
  given.view().initialize->system_id = SystemId("7999999999999999999");
  EXPECT_NE(find_task(decide(given.build()), Task::fence), nullptr) << "somebody else's claim";
}

// Trap 36.
TEST(Decide, DemotionUnderWayIsNotBegunAgain) {
  Given given("a");
  given.lost_lock();
  EXPECT_NE(find_task(decide(given.build()), Task::fence), nullptr);
  given.obs().in_flight = {Task::fence};
  EXPECT_EQ(find_task(decide(given.build()), Task::fence), nullptr);
}

// ---- store outage ----

TEST(Decide, StandbyBearsAnUnreachableStore) {
  Given given("b");
  given.store_silent_since(at_ms(-5000));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::store_unreachable);
}

TEST(Decide, LeaderWithProvenLeaseGoesOnWithoutWatch) {
  Given given("a");
  given.store_silent_since(at_ms(-5000));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_steady);
}

TEST(Decide, LeaderStopsInGoodOrderWhileItsLeaseStillLasts) {
  Given given("a");
  given.obs().lock.unanswered = true;
  // 7.5 s (a quarter of the ttl) before the immediate stop.
  given.holds_lock(at_ms(0) + milliseconds(1030 + 7500));
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::demoting_store_unreachable);
  const auto* stop = find_server<StopServer>(decision);
  ASSERT_NE(stop, nullptr);
  EXPECT_EQ(stop->mode, StopMode::fast);
  given.holds_lock(at_ms(0) + milliseconds(1030 + 7501));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_steady);
}

// ---- crash of the server ----

TEST(Decide, CrashedPrimaryWithLockStartsInPlace) {  // trap 52
  const auto decision = decide(Given("a").crashed().build());
  EXPECT_EQ(decision.why.reason, Reason::starting_primary_after_failure);
  const auto* start = find_server<StartServer>(decision);
  ASSERT_NE(start, nullptr);
  EXPECT_FALSE(start->goal.standby);
}

TEST(Decide, CrashedStandbyStartsAsStandby) {
  Given given("b");
  given.crashed(ControlState::shut_down_in_recovery).node().use_pg_rewind = false;
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::starting_secondary);
  const auto* start = find_server<StartServer>(decision);
  ASSERT_NE(start, nullptr);
  EXPECT_TRUE(start->goal.standby);
  ASSERT_TRUE(start->goal.upstream);
  EXPECT_EQ(start->goal.upstream->host, "a.test");
  EXPECT_EQ(start->goal.upstream->slot, "b");
}

TEST(Decide, FormerPrimaryIsRecoveredBeforeItIsCompared) {
  Given given("b");
  given.runs_as_primary().crashed().memory().role = Role::demoted;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::recovering_single_user);
}

// Else the launcher would refuse it after the guard has fired.
TEST(Decide, SingleUserRecoveryLiftsTheGuardsLatch) {
  Given given("b");
  given.runs_as_primary().crashed().memory().role = Role::demoted;
  const auto decision = decide(given.build());
  EXPECT_TRUE(std::ranges::any_of(decision.actions, [](const Action& action) {
    const auto* order = std::get_if<GuardOrder>(&action);
    return order != nullptr && order->what == GuardOrder::What::announce_standby;
  }));
}

TEST(Decide, FormerPrimaryThatStartsAsStandbyIsNotFenced) {
  Given given("b");
  given.crashed(ControlState::in_archive_recovery).memory().role = Role::primary;
  given.node().use_pg_rewind = false;
  EXPECT_EQ(decide(given.build()).next.role, Role::demoted);
}

TEST(Decide, StandbyThatDoesNotStreamIsComparedWithTheLeader) {
  Given given("b");
  given.follows_right_upstream().node().use_pg_rewind = true;
  given.memory().rewind = RewindState::not_need;
  given.obs().local.server.query->receiver_status.clear();
  EXPECT_EQ(decide(given.build()).why.reason, Reason::examining_divergence);
}

TEST(Decide, SlotsAreNotChangedAgainBeforeTheyWereSeen) {
  Given given("a");
  EXPECT_NE(find_server<ChangeSlots>(decide(given.build()), Task::change_slots), nullptr);
  given.obs().ends[Task::change_slots] = {.ok = true, .at = given.obs().now};
  EXPECT_EQ(find_server<ChangeSlots>(decide(given.build()), Task::change_slots), nullptr);
}

TEST(Decide, NothingIsWokenForTheBeginningOfAnOutage) {
  Given given("b");
  given.store_silent_since(at_ms(-5'000));
  EXPECT_GT(decide(given.build()).wake_at, at_ms(0));
}

TEST(Decide, NoSingleUserRecoveryBesideABackupLabel) {  // trap 42
  Given given("b");
  given.crashed().obs().local.server.backup_label = true;
  EXPECT_NE(decide(given.build()).why.reason, Reason::recovering_single_user);
}

TEST(Decide, StoppedFormerPrimaryIsComparedWithTheLeaderFirst) {
  Given given("b");
  given.crashed(ControlState::shut_down).memory().role = Role::demoted;
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::examining_divergence);
  EXPECT_NE(find_server<ExamineDivergence>(decision, Task::examine_divergence), nullptr);
}

TEST(Decide, HalfRewoundDataIsNeverStarted) {  // trap 54
  Given given("b");
  given.crashed(ControlState::shut_down).node().use_pg_rewind = false;
  given.obs().local.server.rewind_interrupted = true;
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::start_failed);
  EXPECT_EQ(find_task(decision, Task::server), nullptr);
}

TEST(Decide, NothingIsStartedInPause) {  // trap 96
  Given given("b");
  given.crashed().cluster().pause = true;
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::not_running_in_pause);
  EXPECT_EQ(find_task(decision, Task::server), nullptr);
}

// ---- identity ----

TEST(Decide, DataOfAnotherClusterEndsTheAgent) {
  Given given("b");
  given.obs().local.server.control->system_id = SystemId("7000000000000000009");
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::system_id_mismatch);
  EXPECT_EQ(decision.next.exit_code, 1);
}

TEST(Decide, ForeignFilesInTheDataDirectoryAreLeftAlone) {  // trap 102
  Given given("b");
  given.empty_data().obs().local.server.data = DataDirectory::foreign;
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::data_foreign);
  EXPECT_EQ(find_task(decision, Task::server), nullptr);
}

TEST(Decide, LockInOurNameThatNobodyConfirmedIsReleased) {  // safety 1.3
  Given given("b");
  given.leader("b");
  const auto decision = decide(given.build());
  EXPECT_NE(find_store<ReleaseStrayLock>(decision, Task::release_stray_lock), nullptr);
}

// Whose key it is shows only its lease's end (safety 5.3: never a release after giving up).
TEST(Decide, LockThatWasGivenUpIsLeftToItsLease) {
  Given given("b");
  given.leader("b");
  given.obs().lock.given_up = given.view().leader->create_revision;
  EXPECT_EQ(find_task(decide(given.build()), Task::release_stray_lock), nullptr);
  given.obs().lock.given_up = Revision(1);  // an earlier one
  EXPECT_NE(find_task(decide(given.build()), Task::release_stray_lock), nullptr);
}

// The key hangs on our own living lease, or on that of the agent before: it must not stay for ever.
TEST(Decide, InPauseAPrimaryGivesUpALockThatItDoesNotHold) {  // found by tests/faults
  Given given("a");
  given.lost_lock().cluster().pause = true;
  given.obs().lock.lost = false;
  const auto decision = decide(given.build());
  EXPECT_NE(find_store<ReleaseStrayLock>(decision, Task::release_stray_lock), nullptr);
  given.unlocked();
  EXPECT_NE(find_task(decide(given.build()), Task::take_lock), nullptr);
}

TEST(Decide, InPauseAStandbyLeavesALockInItsNameAlone) {
  Given given("b");
  given.leader("b").cluster().pause = true;
  EXPECT_EQ(find_task(decide(given.build()), Task::release_stray_lock), nullptr);
}

TEST(Decide, NamesakeThatAnswersEndsTheAgent) {  // trap 1
  Given given("b");
  given.memory().namesake_checked = false;
  EXPECT_NE(find_task(decide(given.build()), Task::probe_namesake), nullptr);
  given.obs().ends[Task::probe_namesake] = TaskEnd{.ok = true, .at = at_ms(0)};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::name_clash);
  given.obs().ends[Task::probe_namesake] = TaskEnd{.ok = false, .at = at_ms(0)};
  EXPECT_NE(decide(given.build()).why.reason, Reason::name_clash);
}

// ---- empty node ----

TEST(Decide, EmptyNodeClaimsAnEmptyCluster) {
  Given given("b");
  given.empty_data().view() = ClusterView{};
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::bootstrap_claiming);
  const auto* commit = find_store<Commit>(decision, Task::claim_initialize);
  ASSERT_NE(commit, nullptr);
  EXPECT_TRUE(commit->writes[0].with_lease);  // trap 105
  EXPECT_EQ(commit->expect[0].revision, Revision(0));
}

TEST(Decide, EmptyNodeMakesNoOtherClusterOfOneThatItKnows) {  // trap 5
  Given given("b");
  given.memory().locked_view = std::make_shared<const ClusterView>(given.view());
  given.empty_data().view() = ClusterView{};
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::waiting_for_leader);
  EXPECT_EQ(find_task(decision, Task::claim_initialize), nullptr);
}

TEST(Decide, ClaimedClusterIsBootstrapped) {
  Given given("b");
  given.empty_data().view() = ClusterView{};
  given.view().initialize = InitializeView{SystemId(""), Revision(5), Given::lease_of("b")};
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::bootstrap_started);
  EXPECT_NE(find_server<InitializeData>(decision), nullptr);
}

TEST(Decide, ClaimOfAnotherIsWaitedFor) {
  Given given("b");
  given.empty_data().view() = ClusterView{};
  given.view().initialize = InitializeView{SystemId(""), Revision(5), Given::lease_of("c")};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::waiting_for_leader);
}

TEST(Decide, EmptyNodeCopiesTheLeader) {
  const auto decision = decide(Given("b").empty_data().build());
  EXPECT_EQ(decision.why.reason, Reason::cloning_from_leader);
  const auto* clone = find_server<CloneData>(decision);
  ASSERT_NE(clone, nullptr);
  EXPECT_EQ(clone->source->host, "a.test");
}

TEST(Decide, EmptyNodePrefersAMemberTaggedClonefrom) {
  Given given("b");
  given.empty_data().view().members[MemberName("c")].tags.clonefrom = true;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::cloning_from_replica);
}

// As while consent stands for the lease: seed 700332 of the simulator cleared it at every step.
TEST(Decide, RequestWhoseClearingWasRefusedIsClearedAgainLater) {
  Given given("a");
  given.requested("c", "b");
  EXPECT_NE(find_task(decide(given.build()), Task::clear_failover), nullptr);
  auto& end = given.obs().ends[Task::clear_failover];
  end = TaskEnd{.ok = false, .verdict = StoreVerdict::refused, .error = {}, .at = at_ms(0)};
  const auto decision = decide(given.build());
  EXPECT_EQ(find_task(decision, Task::clear_failover), nullptr);
  EXPECT_LE(decision.wake_at, at_ms(1000));
  end.at = at_ms(-1000);
  EXPECT_NE(find_task(decide(given.build()), Task::clear_failover), nullptr);
}

TEST(Decide, EmptyNodeDoesNothingInPause) {  // trap 99
  Given given("b");
  given.empty_data().cluster().pause = true;
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::empty_in_pause);
  EXPECT_EQ(find_task(decision, Task::server), nullptr);
}

}  // namespace

}  // namespace tanist::testing

// SPDX-License-Identifier: Apache-2.0
// Synchronous and quorum mode at the leader, one sentence a test; the machine's own rules are tried
// in quorum_test.
#include "core/synchronous_mode.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist::testing {
namespace {

Given leader_in(SynchronousMode mode) {
  Given given("a");
  given.cluster().synchronous_mode = mode;
  given.sync_key("a", {});
  return given;
}

// The leader has known the present setting for a while, and these members hold everything.
Given& proven(Given& given, const std::vector<std::string>& ready) {
  auto& proof = given.memory().sync;
  proof.effective = given.obs().local.server.query->synchronous_standby_names;
  proof.ordered = proof.effective;
  proof.effective_at = at_ms(-10'000);
  proof.since = Lsn(0x2000000);
  for (const auto& name : ready) proof.ready.emplace_back(name);
  return given;
}

std::string written(const Decision& decision) {
  const auto* commit = find_store<Commit>(decision, Task::write_sync);
  return commit == nullptr ? "nothing" : commit->writes[0].value.value_or("deleted");
}

std::string assigned(const Decision& decision) {
  const auto* reload = find_server<ReloadServer>(decision);
  return reload == nullptr ? "nothing"
                           : reload->goal.synchronous_standby_names.value_or("the user's");
}

TEST(SynchronousMode, LeaderWritesTheKeyFirst) {
  Given given("a");
  given.cluster().synchronous_mode = SynchronousMode::priority;
  given.streams("b", "async");
  const auto decision = decide(given.build());
  EXPECT_EQ(written(decision), R"({"leader":"a","quorum":0,"sync_standby":null})");
  EXPECT_EQ(find_store<Commit>(decision, Task::write_sync)->expect[0].revision, Revision(0));
  EXPECT_EQ(find_store<Commit>(decision, Task::write_sync)->reign, given.obs().lock.reign);
  EXPECT_EQ(assigned(decision), "nothing");
  EXPECT_TRUE(logged(decision, "Enabled synchronous replication"));
}

// Trap 68.
TEST(SynchronousMode, StandbyIsAssignedToTheServerBeforeItIsPublished) {
  auto given = leader_in(SynchronousMode::priority);
  given.streams("b", "async");
  const auto decision = decide(given.build());
  EXPECT_EQ(assigned(decision), "b");
  EXPECT_EQ(written(decision), "nothing");
  EXPECT_EQ(decision.next.sync.ordered, "b");
}

// Trap 69.
TEST(SynchronousMode, StandbyThatWasJustAssignedIsNotPublishedYet) {
  auto given = leader_in(SynchronousMode::priority);
  given.waits_for("b").streams("b", "sync");
  EXPECT_EQ(written(decide(given.build())), "nothing");
}

TEST(SynchronousMode, StandbyBehindTheTurnOfTheSettingIsNotPublished) {
  auto given = leader_in(SynchronousMode::priority);
  given.waits_for("b").streams("b", "sync", 0x1FFFFFF);
  EXPECT_EQ(written(decide(proven(given, {}).build())), "nothing");
  given.streams("b", "sync", 0x2000000);
  EXPECT_EQ(written(decide(given.build())), R"({"leader":"a","quorum":0,"sync_standby":"b"})");
}

TEST(SynchronousMode, SenderThatHasNotReadTheSettingHoldsPublicationBack) {
  auto given = leader_in(SynchronousMode::priority);
  given.waits_for("b").streams("b", "sync").streams("c", "sync");
  proven(given, {});
  given.memory().sync.since = Lsn();
  EXPECT_EQ(written(decide(given.build())), "nothing");
  given.streams("c", "async");
  EXPECT_EQ(written(decide(given.build())), R"({"leader":"a","quorum":0,"sync_standby":"b"})");
}

// Traps 68 and 78.
TEST(SynchronousMode, LostStandbyIsUnpublishedBeforeTheServerStopsWaiting) {
  auto given = leader_in(SynchronousMode::priority);
  given.sync_key("a", {"b"}).waits_for("b").streams("c", "async");
  const auto decision = decide(proven(given, {"b"}).build());
  EXPECT_EQ(written(decision), R"({"leader":"a","quorum":0,"sync_standby":null})");
  EXPECT_EQ(assigned(decision), "nothing");
}

TEST(SynchronousMode, SteadyStateHasNothingToDo) {
  auto given = leader_in(SynchronousMode::priority);
  given.sync_key("a", {"b"}).waits_for("b").streams("b", "sync").streams("c", "async");
  const auto decision = decide(proven(given, {"b"}).build());
  EXPECT_EQ(written(decision), "nothing");
  EXPECT_EQ(assigned(decision), "nothing");
  EXPECT_EQ(decision.why.reason, Reason::leader_steady);
}

TEST(SynchronousMode, PreferenceIsPriorityThenStateThenPosition) {
  auto given = leader_in(SynchronousMode::priority);
  given.streams("b", "async", 0x3000000).streams("c", "async", 0x3000001);
  EXPECT_EQ(assigned(decide(given.build())), "c");
  given.streams("b", "potential", 0x3000000);
  EXPECT_EQ(assigned(decide(given.build())), "b");
  given.view().members[MemberName("c")].tags.sync_priority = 5;
  EXPECT_EQ(assigned(decide(given.build())), "c");
  given.view().members[MemberName("c")].tags.sync_priority = 0;
  EXPECT_EQ(assigned(decide(given.build())), "b");
}

// Trap 77.
TEST(SynchronousMode, MemberThatCannotLeadComesLast) {
  auto given = leader_in(SynchronousMode::priority);
  given.streams("b", "async").streams("c", "async", 0x3000001);
  given.view().members[MemberName("c")].tags.failover_priority = 0;
  EXPECT_EQ(assigned(decide(given.build())), "b");
}

TEST(SynchronousMode, CascadingMemberIsNoSynchronousStandby) {
  auto given = leader_in(SynchronousMode::priority);
  given.streams("b", "async").streams("c", "async", 0x3000001);
  given.view().members[MemberName("c")].tags.replicatefrom = MemberName("b");
  EXPECT_EQ(assigned(decide(given.build())), "b");
}

TEST(SynchronousMode, LaggingStandbyIsSkipped) {
  auto given = leader_in(SynchronousMode::priority);
  given.cluster().lag_bytes_max_on_syncnode = 0x100;
  given.view().members[MemberName("b")].tags.sync_priority = 9;
  given.streams("b", "async", 0x2FFFE00).streams("c", "async", 0x3000000);
  EXPECT_EQ(assigned(decide(given.build())), "c");
}

TEST(SynchronousMode, WithoutStandbysCommitsGoOnUnreplicated) {
  auto given = leader_in(SynchronousMode::priority);
  given.waits_for("b");
  EXPECT_EQ(assigned(decide(proven(given, {"b"}).build())), "");
}

TEST(SynchronousMode, StrictModeNeverLetsCommitsPassAlone) {
  auto given = leader_in(SynchronousMode::priority);
  given.cluster().synchronous_mode_strict = true;
  const auto decision = decide(given.build());
  EXPECT_EQ(assigned(decision), "__patroni_strict_sync_replica_placeholder__");
  EXPECT_TRUE(logged(decision, "synchronous_mode_strict is requested. Commits will be delayed."));
}

// Trap 76.
TEST(SynchronousMode, StrictModeGoesOnWaitingForThePublishedStandby) {
  auto given = leader_in(SynchronousMode::priority);
  given.cluster().synchronous_mode_strict = true;
  given.sync_key("a", {"b"}).waits_for("b");
  const auto decision = decide(proven(given, {"b"}).build());
  EXPECT_EQ(written(decision), "nothing");
  EXPECT_EQ(assigned(decision), "nothing");
  EXPECT_TRUE(logged(decision, "Continue using old value of synchronous_standby_names=\"b\". "));
}

TEST(SynchronousMode, QuorumModeWaitsForAnyOfAll) {
  auto given = leader_in(SynchronousMode::quorum);
  given.streams("b", "async").streams("c", "async");
  EXPECT_EQ(assigned(decide(given.build())), "ANY 1 (b,c)");
  given.waits_for("ANY 1 (b,c)").streams("b", "quorum").streams("c", "quorum");
  const auto decision = decide(proven(given, {"b"}).build());
  EXPECT_EQ(written(decision), R"({"leader":"a","quorum":1,"sync_standby":"b,c"})");
  EXPECT_TRUE(logged(decision, "Setting leader to a, quorum to 1 of 2 (b, c)"));
}

TEST(SynchronousMode, ModeSwitchedOffDeletesTheKeyBeforeTheSettingGoes) {
  auto given = leader_in(SynchronousMode::off);
  given.sync_key("a", {"b"}).waits_for("b").streams("b", "sync");
  auto decision = decide(given.build());
  EXPECT_EQ(written(decision), "deleted");
  EXPECT_EQ(assigned(decision), "nothing");
  given.view().sync.reset();
  given.memory() = decision.next;
  decision = decide(given.build());
  EXPECT_EQ(assigned(decision), "the user's");
}

// ---- certainty about the key ----

Given& write_ended(Given& given, StoreVerdict verdict, std::int64_t revision = 0) {
  given.memory().sync.expected = Revision(70);
  given.obs().ends[Task::write_sync] = {.ok = verdict == StoreVerdict::done,
                                        .verdict = verdict,
                                        .error = {},
                                        .at = at_ms(-100),
                                        .revision = Revision(revision)};
  return given;
}

TEST(SynchronousMode, NothingIsChangedBeforeTheViewShowsTheLastWrite) {
  auto given = leader_in(SynchronousMode::priority);
  given.streams("b", "async");
  EXPECT_EQ(assigned(decide(write_ended(given, StoreVerdict::done, 101).build())), "nothing");
  given.view().revision = Revision(101);
  EXPECT_EQ(assigned(decide(given.build())), "b");
}

TEST(SynchronousMode, RefusedWriteIsReadAnew) {
  auto given = leader_in(SynchronousMode::priority);
  given.streams("b", "async");
  const auto decision = decide(write_ended(given, StoreVerdict::refused).build());
  EXPECT_EQ(assigned(decision), "nothing");
  EXPECT_NE(find_task(decision, Task::read_cluster), nullptr);
}

TEST(SynchronousMode, UnknownWriteIsMadeImpossibleBeforeAnythingElse) {
  auto given = leader_in(SynchronousMode::priority);
  given.sync_key("a", {"b"}).waits_for("b").streams("c", "async");
  proven(given, {"b"});
  write_ended(given, StoreVerdict::unknown);
  EXPECT_EQ(written(decide(given.build())), "nothing");
  given.obs().ends[Task::write_sync].at = at_ms(-1000);
  const auto decision = decide(given.build());
  EXPECT_EQ(written(decision), R"({"leader":"a","quorum":0,"sync_standby":"b"})");
  EXPECT_EQ(assigned(decision), "nothing");
}

TEST(SynchronousMode, FactsFromBeforeTheLastReloadProveNothing) {
  auto given = leader_in(SynchronousMode::priority);
  given.waits_for("b").streams("b", "sync");
  proven(given, {"b"});
  given.obs().ends[Task::server].at = at_ms(1);
  EXPECT_EQ(written(decide(given.build())), "nothing");
}

TEST(SynchronousMode, SettingThatWasChangedByAStrangerEmptiesTheKey) {
  auto given = leader_in(SynchronousMode::priority);
  given.sync_key("a", {"b"}).waits_for("b").streams("b", "sync");
  proven(given, {"b"}).waits_for("");
  EXPECT_EQ(written(decide(given.build())), R"({"leader":"a","quorum":0,"sync_standby":null})");
}

// ---- promotion ----

Given won_by_b(SynchronousMode mode) {
  Given given("b");
  given.cluster().synchronous_mode = mode;
  given.leader("b").holds_lock();
  return given;
}

const PromoteServer* promotes(const Decision& decision) {
  return find_server<PromoteServer>(decision);
}

TEST(SynchronousMode, PromotionWaitsUntilTheKeyNamesTheNewLeader) {
  auto given = won_by_b(SynchronousMode::priority);
  given.sync_key("a", {"b"});
  auto decision = decide(given.build());
  EXPECT_EQ(written(decision), R"({"leader":"b","quorum":0,"sync_standby":null})");
  EXPECT_EQ(promotes(decision), nullptr);
  given.sync_key("b", {});
  decision = decide(given.build());
  ASSERT_NE(promotes(decision), nullptr);
  EXPECT_EQ(promotes(decision)->goal.synchronous_standby_names, "");
}

TEST(SynchronousMode, StrictPromotionWaitsForTheOldLeader) {
  auto given = won_by_b(SynchronousMode::priority);
  given.cluster().synchronous_mode_strict = true;
  given.sync_key("a", {"b"});
  EXPECT_EQ(written(decide(given.build())), R"({"leader":"b","quorum":0,"sync_standby":"a"})");
  given.sync_key("b", {"a"});
  EXPECT_EQ(promotes(decide(given.build()))->goal.synchronous_standby_names, "a");
}

TEST(SynchronousMode, PromotionInQuorumModeKeepsTheSetOfVoters) {
  auto given = won_by_b(SynchronousMode::quorum);
  given.sync_key("a", {"b", "c"}, 1);
  EXPECT_EQ(written(decide(given.build())), R"({"leader":"b","quorum":1,"sync_standby":"a,c"})");
  given.sync_key("b", {"a", "c"}, 1);
  EXPECT_EQ(promotes(decide(given.build()))->goal.synchronous_standby_names, "ANY 1 (a,c)");
}

TEST(SynchronousMode, PromotionIsPostponedWhenTheKeyWasChangedByAnother) {
  auto given = won_by_b(SynchronousMode::priority);
  given.sync_key("a", {"b"});
  const auto decision = decide(write_ended(given, StoreVerdict::refused).build());
  EXPECT_EQ(decision.why.reason, Reason::leader_awaits_sync_key);
  EXPECT_EQ(promotes(decision), nullptr);
}

// Of an etcd that has lost its data since: the present one is far from that revision.
TEST(SynchronousMode, WhatAnEarlierReignWroteIsNotAwaited) {
  auto given = won_by_b(SynchronousMode::priority);
  given.sync_key("b", {});
  auto& end = write_ended(given, StoreVerdict::done).obs().ends[Task::write_sync];
  end.revision = Revision(100'000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_awaits_sync_key);
  end.at = given.obs().lock.taken_at - milliseconds(1);
  const auto decision = decide(given.build());
  EXPECT_NE(promotes(decision), nullptr);
}

TEST(SynchronousMode, CrashedPrimaryStartsWithTheSettingThatItHad) {
  Given given("a");
  given.cluster().synchronous_mode = SynchronousMode::priority;
  given.sync_key("a", {"b"}).crashed();
  given.memory().sync.ordered = "b";
  for (int i = 0; i < 2; ++i) {
    const auto decision = decide(given.build());
    const auto* start = find_server<StartServer>(decision);
    ASSERT_NE(start, nullptr);
    EXPECT_EQ(start->goal.synchronous_standby_names, "b");
    given.memory().sync.ordered.reset();
  }
}

// ---- release from duty ----

TEST(SynchronousMode, StandbyAsksForReleaseBeforeItStops) {
  Given given("b");
  given.cluster().synchronous_mode = SynchronousMode::priority;
  given.sync_key("a", {"b"});
  given.obs().shutdown_requested = true;
  auto decision = decide(given.build());
  EXPECT_EQ(find_server<StopServer>(decision), nullptr);
  const auto* put = find_store<PutMember>(decision, Task::put_member);
  ASSERT_NE(put, nullptr);
  EXPECT_NE(put->value.find(R"("nosync":true,"sync_priority":0)"), std::string::npos);
  given.memory() = decision.next;
  given.sync_key("a", {});
  decision = decide(given.build());
  EXPECT_NE(find_server<StopServer>(decision), nullptr);
}

TEST(SynchronousMode, ReleaseIsNotAwaitedForEver) {
  Given given("b");
  given.cluster().synchronous_mode = SynchronousMode::priority;
  given.sync_key("a", {"b"});
  given.obs().shutdown_requested = true;
  given.memory() = decide(given.build()).next;
  given.obs().now = at_ms(20'000);
  given.obs().cycle_began = at_ms(20'000);
  given.obs().local.server.observed_at = at_ms(20'000);
  EXPECT_NE(find_server<StopServer>(decide(given.build())), nullptr);
}

}  // namespace
}  // namespace tanist::testing

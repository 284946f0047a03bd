// SPDX-License-Identifier: Apache-2.0
// What a winner of the lock waits for before it is promoted (safety 1.7).
#include "core/promotion_evidence.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist::testing {
namespace {

Given won() {
  Given given("b");
  given.unlocked();
  given.memory().took_after = given.view().lost_leader;
  given.leader("b").holds_lock();
  given.obs().lock.taken_at = at_ms(0);
  return given;
}

// Seed 10852 of the simulator: each answer was followed by the next question.
TEST(Promotion, LeaseIsNotAskedForAtEachStep) {
  auto given = won();
  auto& end = given.obs().ends[Task::ask_lease];
  end = TaskEnd{.ok = false, .error = {}, .at = at_ms(0)};
  EXPECT_EQ(find_task(decide(given.build()), Task::ask_lease), nullptr);
  given.obs().lock.taken_at = at_ms(1);  // that one was for another lock
  EXPECT_NE(find_task(decide(given.build()), Task::ask_lease), nullptr);
  given.obs().lock.taken_at = at_ms(-250);
  end.at = at_ms(-250);
  EXPECT_NE(find_task(decide(given.build()), Task::ask_lease), nullptr);
}

TEST(Promotion, VanishedLockIsNoEvidenceThatTheOldServerStopped) {  // safety 1.7
  auto given = won();
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::leader_awaits_evidence);
  EXPECT_NE(find_store<AskLease>(decision, Task::ask_lease), nullptr);
}

// Else a leader that stopped because the store is silent is promoted again, and stops again.
TEST(Promotion, WaitsForAnUnansweredRenewalUnlessAllConsent) {
  auto given = won();
  given.memory().gone_lease = Given::lease_of("a");
  given.obs().lock.unanswered = true;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::store_unreachable);
  given.obs().lock.by_failsafe = true;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, GoneLeaseIsEvidence) {
  auto given = won();
  given.memory().gone_lease = Given::lease_of("a");
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

// A store that lost its data knows no lease.
TEST(Promotion, LeaseOfAStoreThatIsNoMoreIsNoEvidence) {
  auto given = won();
  given.memory().took_after->leader.lease = LeaseId(0);
  given.memory().gone_lease = LeaseId(0);
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.why.reason, Reason::leader_awaits_evidence);
  EXPECT_EQ(find_task(decision, Task::ask_lease), nullptr);
  given.obs().lock.taken_at = at_ms(-30'000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, RevisionOfAnEarlierStoreIsNotThisReign) {
  auto given = won();
  given.memory().promoted_reign = Revision(10);
  given.obs().lock.reign.reset();
  EXPECT_EQ(decide(given.build()).next.promoted_reign, Revision(0));
}

TEST(Promotion, MarkedReleaseIsEvidence) {
  auto given = won();
  given.memory().took_after->released = true;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, OldLeaderThatDeniesIsEvidence) {
  auto given = won();
  PeerReport report;
  report.name = MemberName("a");
  report.answered = true;
  given.answers(report);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, DenialOfBeforeItTookTheLockIsNone) {  // seed 9106650
  auto given = won();
  given.answers("a", 0x3000000);
  auto obs = given.build();
  const auto asked_in = [&](std::int64_t revision) {
    auto memory = *obs.memory;
    memory.round_basis.leader = Revision(revision);
    obs.memory = std::make_shared<const Memory>(std::move(memory));
    return decide(obs).why.reason;
  };
  EXPECT_EQ(asked_in(119), Reason::leader_awaits_evidence);
  EXPECT_EQ(asked_in(120), Reason::leader_promoting_after_race);  // for the race, after its end
  given.memory().took_after->after_gap = true;
  given.answers("c", 0x3000000);
  obs = given.build();
  EXPECT_EQ(asked_in(120), Reason::leader_awaits_evidence);
  EXPECT_EQ(asked_in(10), Reason::leader_promoting_after_race);  // in our reign
}

// It has the lock by its own clock, and waits for evidence itself.
TEST(Promotion, WhoHoldsTheLockDeniesNothing) {  // seed 9300533
  auto given = won();
  PeerReport report;
  report.name = MemberName("a");
  report.answered = report.holds_lock = true;
  given.answers(report);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_awaits_evidence);
}

TEST(Promotion, OldLeaderThatSaysPrimaryIsNot) {
  auto given = won();
  given.answers("a", 0, true);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_awaits_evidence);
}

TEST(Promotion, OldTtlIsEvidence) {
  auto given = won();
  given.obs().lock.taken_at = at_ms(-30'000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, AfterAPatroniLeaderTheContractHolds) {
  auto given = won();
  given.memory().took_after->was_tanist = false;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

// Who was started after the lock had gone saw nobody hold it (seed 40313).
Given won_without_having_seen_anybody() {
  auto given = won();
  given.memory().took_after.reset();
  given.member("a", true);
  return given;
}

TEST(Promotion, WithoutAViewOfTheLastHolderEveryMemberIsSuspected) {
  auto given = won_without_having_seen_anybody();
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_awaits_evidence);
  given.answers("a", 0x3000000).silent("c");
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_awaits_evidence);
}

TEST(Promotion, DenialsOfAllMembersAreEvidence) {
  auto given = won_without_having_seen_anybody();
  given.answers("a", 0x3000000).answers("c", 0x3000000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, WhoHasNoKeyIsNotSuspected) {
  auto given = won_without_having_seen_anybody();
  given.without_member("a").without_member("c");
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

// Whoever met data and a store that knew nothing cannot tell a new cluster from a store without its
// data, in which the leader has no key yet.
TEST(Promotion, InAStoreThatKnewNothingOnlyTimeIsEvidence) {
  auto given = won_without_having_seen_anybody();
  given.without_member("a").without_member("c");
  given.obs().ends[Task::write_initialize] = TaskEnd{.ok = true, .error = {}, .at = at_ms(0)};
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_awaits_evidence);
  given.obs().lock.taken_at = at_ms(-30'000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, AGoneLeaseProvesNothingWhenEventsWereMissed) {
  auto given = won();
  given.memory().gone_lease = Given::lease_of("a");
  given.memory().took_after->after_gap = true;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_awaits_evidence);
  given.answers("c", 0x3000000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, WhoHadTheLockBeforeAGapMayHaveTakenAnother) {  // seed 4005264
  auto given = won();
  given.memory().gone_lease = Given::lease_of("a");
  given.memory().took_after->after_gap = true;
  given.member("a", true);
  given.answers("c", 0x3000000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_awaits_evidence);
  given.answers("a", 0x3000000);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_after_race);
}

TEST(Promotion, ServerOfThisVeryReignIsNobodyElses) {
  auto given = won();
  given.memory().promoted_reign = Revision(10);
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_promoting_with_lock);
}

TEST(Promotion, LockIsCheckedAgainAfterPrePromote) {  // trap 16
  auto given = won();
  given.memory().promoted_reign = Revision(10);
  Job job;
  job.kind = JobKind::promote;
  job.label = "promote";
  job.step = 1;
  given.memory().job = job;
  given.holds_lock(at_ms(0) + milliseconds(1030));
  const auto decision = decide(given.build());
  EXPECT_EQ(find_task(decision, Task::server), nullptr);
  EXPECT_FALSE(decision.next.job);
}

}  // namespace
}  // namespace tanist::testing

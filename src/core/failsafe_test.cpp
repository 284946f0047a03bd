// SPDX-License-Identifier: Apache-2.0
// Failsafe mode, one sentence a test (safety 3.4; trap 9).
#include "core/failsafe.h"

#include <gtest/gtest.h>

#include "core/status_document.h"
#include "tests/support/given.h"

namespace tanist::testing {
namespace {

std::map<MemberName, std::string> map_of(const std::vector<std::string>& names) {
  std::map<MemberName, std::string> members;
  for (const auto& name : names) members[MemberName(name)] = Given::api_of(name);
  return members;
}

// A leader whose renewal is not answered, in the middle of its lease.
Given silent_store_at_leader(const std::vector<std::string>& asked = {"a", "b", "c"}) {
  Given given("a");
  given.cluster().failsafe_mode = true;
  given.store_silent_since(at_ms(-3000)).holds_lock(at_ms(20'000));
  given.obs().lock.unanswered = true;
  given.obs().lock.failsafe_asked_at = at_ms(-60'000);
  given.memory().failsafe_members = map_of(asked);
  given.memory().failsafe_reign = Revision(10);
  return given;
}

const AskFailsafe* asks(const Decision& decision) {
  const auto* started = find_task(decision, Task::ask_failsafe);
  if (started == nullptr) return nullptr;
  const auto* agent = std::get_if<AgentAction>(&started->body);
  return agent != nullptr ? std::get_if<AskFailsafe>(agent) : nullptr;
}

TEST(Failsafe, LeaderWritesTheMapOfAllMembers) {
  Given given("a");
  given.cluster().failsafe_mode = true;
  const auto decision = decide(given.build());
  const auto* commit = find_store<Commit>(decision, Task::write_failsafe);
  ASSERT_NE(commit, nullptr);
  EXPECT_EQ(commit->writes[0].value,
            R"({"a":"http://a.test:8008/patroni","b":"http://b.test:8008/patroni",)"
            R"("c":"http://c.test:8008/patroni"})");
  EXPECT_EQ(commit->reign, given.obs().lock.reign);
}

TEST(Failsafe, MapThatIsRightIsNotWrittenAgain) {
  Given given("a");
  given.cluster().failsafe_mode = true;
  given.view().failsafe = FailsafeView{map_of({"a", "b", "c"}), Revision(40)};
  EXPECT_EQ(find_task(decide(given.build()), Task::write_failsafe), nullptr);
}

// While consent stands for the lease the store refuses all that names this reign: seed 70361.
TEST(Failsafe, MapWhoseWriteWasRefusedIsNotWrittenAgainAtOnce) {
  Given given("a");
  given.cluster().failsafe_mode = true;
  given.obs().ends[Task::write_failsafe] = {
      .ok = false, .verdict = StoreVerdict::refused, .error = {}, .at = at_ms(-900)};
  const auto decision = decide(given.build());
  EXPECT_EQ(find_task(decision, Task::write_failsafe), nullptr);
  EXPECT_LE(decision.wake_at, at_ms(100));
  given.obs().ends[Task::write_failsafe].at = at_ms(-1000);
  EXPECT_NE(find_task(decide(given.build()), Task::write_failsafe), nullptr);
}

TEST(Failsafe, MembersOfEveryMapOfTheReignAreRemembered) {
  Given given("a");
  given.cluster().failsafe_mode = true;
  given.view().failsafe = FailsafeView{map_of({"a", "old"}), Revision(40)};
  const auto decision = decide(given.build());
  EXPECT_EQ(decision.next.failsafe_members, map_of({"a", "b", "c", "old"}));
}

TEST(Failsafe, AllOthersAreAskedAtTheFirstUnansweredRenewal) {
  auto given = silent_store_at_leader();
  const auto decision = decide(given.build());
  const auto* ask = asks(decision);
  ASSERT_NE(ask, nullptr);
  ASSERT_EQ(ask->peers.size(), 2U);
  EXPECT_EQ(ask->peers[0].member, MemberName("b"));
  EXPECT_NE(ask->body.find(R"("name":"a")"), std::string::npos);
  EXPECT_NE(ask->body.find(R"("ttl":30)"), std::string::npos);
}

TEST(Failsafe, NobodyIsAskedWhileTheModeIsOffOrThisNodeIsInNoMap) {
  auto given = silent_store_at_leader();
  given.cluster().failsafe_mode = false;
  EXPECT_EQ(asks(decide(given.build())), nullptr);
  EXPECT_EQ(asks(decide(silent_store_at_leader({"b", "c"}).build())), nullptr);
}

TEST(Failsafe, MapsOfAnEarlierReignDoNotCount) {
  auto given = silent_store_at_leader();
  given.memory().failsafe_reign = Revision(9);
  EXPECT_EQ(asks(decide(given.build())), nullptr);
}

TEST(Failsafe, LeaderGoesOnByConsentAndSaysSo) {
  auto given = silent_store_at_leader();
  given.obs().lock.by_failsafe = true;
  const auto observation = given.build();
  const auto decision = decide(observation);
  EXPECT_EQ(decision.why.reason, Reason::leader_by_failsafe);
  EXPECT_EQ(status_line(decision.why, observation).text,
            "continue to run as a leader because failsafe mode is enabled and all members are "
            "accessible");
  EXPECT_TRUE(make_status(observation, decision.next).failsafe_active);
}

TEST(Failsafe, WithoutConsentThePrimaryStopsInGoodOrder) {
  auto given = silent_store_at_leader();
  given.holds_lock(at_ms(7000));
  EXPECT_EQ(decide(given.build()).why.reason, Reason::demoting_store_unreachable);
}

// ---- the member that is asked ----

ApiReply reply_to_call(Given& given, Tree body) {
  PendingRequest pending;
  pending.request.endpoint = ApiEndpoint::failsafe;
  pending.request.body = std::move(body);
  given.memory().requests = {pending};
  const auto decision = decide(given.build());
  given.memory() = decision.next;
  for (const auto& action : decision.actions) {
    if (const auto* reply = std::get_if<ApiReply>(&action)) return *reply;
  }
  return {};
}

Tree call(int ttl = 0) {
  Tree body = Tree::map({{"name", "a"}, {"conn_url", "postgres://a"}, {"api_url", "http://a"}});
  if (ttl > 0) body.set("ttl", ttl);
  return body;
}

Given asked_replica() {
  Given given("b");
  given.cluster().failsafe_mode = true;
  return given;
}

TEST(Failsafe, ReplicaConsentsAndTellsItsPosition) {
  auto given = asked_replica();
  const auto reply = reply_to_call(given, call());
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "Accepted");
  EXPECT_EQ(reply.lsn, std::to_string(0x3000000));
}

TEST(Failsafe, ConsentIsRefusedWhereItWouldBeALie) {
  Given off("b");
  EXPECT_EQ(reply_to_call(off, call()).status, 502);
  auto leader = Given("a");
  leader.cluster().failsafe_mode = true;
  EXPECT_EQ(reply_to_call(leader, call()).body, "Running as a leader");
  auto taking = asked_replica();
  taking.obs().in_flight.insert(Task::take_lock);
  EXPECT_EQ(reply_to_call(taking, call()).status, 500);
  auto unsure = asked_replica();
  unsure.obs().ends[Task::take_lock] = {.ok = false,
                                        .verdict = StoreVerdict::unknown,
                                        .error = {},
                                        .at = at_ms(-29'000),
                                        .revision = {}};
  EXPECT_EQ(reply_to_call(unsure, call()).status, 500);
  auto nameless = asked_replica();
  EXPECT_EQ(reply_to_call(nameless, Tree::map({{"conn_url", "x"}})).status, 400);
}

// Who has handed over lately refused its successor, which then stopped for want of consent.
TEST(Failsafe, WhoHasHandedOverConsentsToItsSuccessor) {
  const auto reply_after = [](StoreVerdict verdict, std::int64_t taken_at_revision) {
    auto given = asked_replica();
    given.obs().ends[Task::take_lock] = {.ok = verdict == StoreVerdict::done,
                                         .verdict = verdict,
                                         .error = {},
                                         .at = at_ms(-5'000),
                                         .revision = Revision(taken_at_revision)};
    return reply_to_call(given, call()).status;
  };
  const auto successors = Given("b").view().leader->create_revision.value();
  EXPECT_EQ(reply_after(StoreVerdict::done, successors - 1), 200);
  EXPECT_EQ(reply_after(StoreVerdict::done, successors + 1), 500) << "our lock is the later one";
  EXPECT_EQ(reply_after(StoreVerdict::unknown, successors - 1), 500) << "it may come yet";
  EXPECT_EQ(reply_after(StoreVerdict::done, 0), 500);
}

Reason reason_at(Given& given, std::int64_t ms) {
  given.obs().now = at_ms(ms);
  given.obs().cycle_began = at_ms(ms);
  given.obs().local.server.observed_at = at_ms(ms);
  return decide(given.build()).why.reason;
}

TEST(Failsafe, WhoConsentedStaysOutOfRacesForTheLongestTtl) {
  auto given = asked_replica();
  reply_to_call(given, call(60));
  reply_to_call(given, call(20));
  given.unlocked();
  EXPECT_EQ(reason_at(given, 59'999), Reason::following_failsafe_caller);
  EXPECT_EQ(reason_at(given, 60'000), Reason::race_asking_peers);
}

TEST(Failsafe, FreshlyStartedMemberStaysOutUntilItCannotHaveConsented) {
  auto given = asked_replica();
  given.unlocked();
  given.memory().locked_view.reset();
  given.memory().first_view_at = at_ms(0);
  EXPECT_EQ(reason_at(given, 29'999), Reason::awaiting_failsafe_caller);
  given.memory().locked_view.reset();
  EXPECT_EQ(reason_at(given, 30'000), Reason::race_asking_peers);
}

// Its consent of before the start may outlast the lock: seed 9002512.
TEST(Failsafe, FreshlyStartedMemberStaysOutThoughItSawTheLock) {
  auto given = asked_replica();
  given.unlocked();
  given.memory().first_view_at = at_ms(0);
  EXPECT_EQ(reason_at(given, 29'999), Reason::awaiting_failsafe_caller);
  EXPECT_EQ(reason_at(given, 30'000), Reason::race_asking_peers);
  given.view().lost_leader->released = true;
  EXPECT_EQ(reason_at(given, 10), Reason::race_asking_peers) << "the lock was given away";
}

}  // namespace
}  // namespace tanist::testing

// SPDX-License-Identifier: Apache-2.0
// What is published about a node.
#include "core/status_document.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist {
namespace {

using testing::at_ms;
using testing::Given;

Status status_of(Given& given) {
  const auto obs = given.build();
  return make_status(obs, *obs.memory);
}

// HAProxy ends the sessions of a primary that says 503 for a moment.
TEST(StatusDocument, InPauseThePrimarysViewEndsWithItsLock) {  // found by tests/faults
  Given given("a");
  given.cluster().pause = true;
  given.store_silent_since(at_ms(-1000));
  EXPECT_TRUE(status_of(given).view_valid);
  given.obs().lock.reign.reset();
  EXPECT_FALSE(status_of(given).view_valid);
}

TEST(StatusDocument, AViewOfASilentStoreIsGoodForATtl) {
  Given given("b");
  given.store_silent_since(at_ms(-29'999));
  EXPECT_TRUE(status_of(given).view_valid);
  given.store_silent_since(at_ms(-30'000));
  EXPECT_FALSE(status_of(given).view_valid);
}

TEST(StatusDocument, TellsWhetherItHasLookedSinceNobodyLeads) {
  Given given("b");
  const auto told = [&] {
    return status_of(given).document.find_path({"tanist", "looked_since_unlock"})->truthy();
  };
  EXPECT_FALSE(told());
  given.unlocked();
  given.obs().local.server.observed_at = at_ms(-10);
  given.memory().unlocked_since = at_ms(-9);
  EXPECT_FALSE(told());
  given.memory().unlocked_since = at_ms(-10);
  EXPECT_TRUE(told());
  given.store_silent_since(at_ms(-5));
  EXPECT_FALSE(told()) << "somebody may have led meanwhile";
}

TEST(StatusDocument, VoterThatMayConfirmCommitsOfTheFormerLeaderHasNotLooked) {  // seed 9903328
  Given given("b");
  given.unlocked().sync_key("a", {"b", "c"}, 1);
  given.cluster().synchronous_mode = SynchronousMode::quorum;
  given.memory().unlocked_since = at_ms(-20);
  auto& server = given.obs().local.server;
  server.observed_at = at_ms(-5);
  const auto told = [&] {
    return status_of(given).document.find_path({"tanist", "looked_since_unlock"})->truthy();
  };
  server.query->receiver_status.clear();
  EXPECT_FALSE(told()) << "its settings may still name that one";
  auto& compared = given.obs().local.comparison;
  compared = GoalComparison{ServerGoal{.standby = true}, GoalDifference::none, at_ms(-10)};
  EXPECT_TRUE(told());
  compared->at = at_ms(-4);
  EXPECT_FALSE(told()) << "it has not looked since";
  compared->at = at_ms(-10);
  server.query->receiver_status = "streaming";
  EXPECT_FALSE(told());
  compared->goal.upstream = Upstream{.member = MemberName("c")};
  EXPECT_TRUE(told()) << "it streams from another standby";
  compared->goal.upstream->member = MemberName("a");
  EXPECT_FALSE(told());
  compared->difference = GoalDifference::reload;
  EXPECT_FALSE(told());
}

TEST(StatusDocument, TellsWhereItsLogLeftTheClusters) {  // seed 9906810
  Given given("b");
  given.runs_as_standby(0x3000000);
  const auto* none = status_of(given).document.find_path({"tanist", "left_at"});
  EXPECT_EQ(none, nullptr);
  given.obs().local.server.query->received_timeline = Timeline(5);
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(1), Lsn(0x2000000), "", "", ""}};
  given.obs().local.history = {HistoryLine{Timeline(1), Lsn(0x2500000), "", "", ""}};
  given.obs().local.history_timeline = Timeline(5);
  const auto status = status_of(given);
  const auto* left = status.document.find_path({"tanist", "left_at"});
  ASSERT_NE(left, nullptr);
  EXPECT_EQ(text_form(*left), "33554432");
}

TEST(StatusDocument, TellsWhoeverMayBePromotedAnyMoment) {  // safety 1.7; seed 9300533
  const auto told = [](Given& given) {
    return status_of(given).document.find_path({"tanist", "holds_lock"})->truthy();
  };
  Given given("b");
  EXPECT_FALSE(told(given));
  given.obs().in_flight.insert(Task::take_lock);
  EXPECT_TRUE(told(given));
  given.obs().in_flight.clear();
  given.holds_lock();
  EXPECT_TRUE(told(given));
}

TEST(StatusDocument, WhatIsBeingFencedIsAPrimaryUntilThatIsDone) {  // safety 1.7
  Given given("a");
  given.obs().local.server.query.reset();
  given.memory().role = Role::demoted;
  given.obs().in_flight.insert(Task::fence);
  EXPECT_EQ(status_of(given).role, Role::primary);
  given.obs().local.stop_progress = StopProgress{.safe_point = true};
  EXPECT_EQ(status_of(given).role, Role::demoted) << "its killed processes may wait for a disk";
  given.obs().local.stop_progress.reset();
  given.obs().local.server.postmaster.reset();
  EXPECT_EQ(status_of(given).role, Role::demoted);
}

}  // namespace
}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// A required hardware watchdog, and the deadlines that a running one sets.
#include "core/watchdog.h"

#include <gtest/gtest.h>

#include "core/local_server.h"
#include "core/status_document.h"
#include "tests/support/given.h"

namespace tanist {
namespace {

using testing::at_ms;
using testing::find_server;
using testing::find_store;
using testing::Given;
using testing::logged;

Given leader_with(WatchdogState state) {
  Given given("a");
  given.node().watchdog = WatchdogMode::required;
  given.obs().local.watchdog.state = state;
  return given;
}

Given winner_with(WatchdogState state) {
  auto given = leader_with(state);
  given.runs_as_standby();
  return given;
}

TEST(RequiredWatchdog, LeaderWithARunningOneGoesOn) {
  EXPECT_EQ(decide(leader_with(WatchdogState::active).build()).why.reason, Reason::leader_steady);
}

TEST(RequiredWatchdog, PrimaryWithoutAUsableOneStopsAtOnce) {
  const auto decision = decide(leader_with(WatchdogState::failed).build());
  EXPECT_EQ(decision.why.reason, Reason::demoting_without_watchdog);
  EXPECT_NE(find_server<FenceServer>(decision, Task::fence), nullptr);
  EXPECT_EQ(decision.next.role, Role::demoted);
}

TEST(RequiredWatchdog, NobodyIsPromotedBeforeItRuns) {
  for (const auto state : {WatchdogState::off, WatchdogState::ready}) {
    const auto decision = decide(winner_with(state).build());
    EXPECT_EQ(decision.why.reason, Reason::leader_awaits_watchdog);
    EXPECT_FALSE(decision.next.job);
  }
  EXPECT_TRUE(decide(winner_with(WatchdogState::active).build()).next.job);
}

TEST(RequiredWatchdog, WinnerThatCannotStartItReleasesTheLock) {
  const auto decision = decide(winner_with(WatchdogState::failed).build());
  EXPECT_EQ(decision.why.reason, Reason::released_without_watchdog);
  EXPECT_NE(find_store<ReleaseLock>(decision, Task::release_lock), nullptr);
  EXPECT_FALSE(decision.next.job);
}

TEST(RequiredWatchdog, NodeWithoutAUsableOneDoesNotRace) {
  Given given("b");
  given.unlocked().answers("c", 0x3000000).silent("a");
  given.node().watchdog = WatchdogMode::required;
  given.obs().local.watchdog.state = WatchdogState::failed;
  const auto decision = decide(given.build());
  EXPECT_TRUE(logged(decision, "Watchdog device is not usable"));
  EXPECT_EQ(find_store<TakeLock>(decision, Task::take_lock), nullptr);
  given.obs().local.watchdog.state = WatchdogState::ready;
  EXPECT_NE(find_store<TakeLock>(decide(given.build()), Task::take_lock), nullptr);
}

TEST(RequiredWatchdog, PauseAndOtherModesAskForNone) {
  auto given = leader_with(WatchdogState::failed);
  given.cluster().pause = true;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_steady);
  given.cluster().pause = false;
  given.node().watchdog = WatchdogMode::automatic;
  EXPECT_EQ(decide(given.build()).why.reason, Reason::leader_steady);
}

TEST(RequiredWatchdog, FailureIsPublished) {
  auto given = leader_with(WatchdogState::failed);
  const auto published = [&] {
    const auto obs = given.build();
    return make_status(obs, *obs.memory).document.find("watchdog_failed") != nullptr;
  };
  EXPECT_TRUE(published());
  given.obs().local.watchdog.state = WatchdogState::active;
  EXPECT_FALSE(published());
}

TEST(RunningWatchdog, GuardFiresTwoSecondsBeforeIt) {
  Given given("a");
  given.holds_lock(at_ms(30'000));
  given.obs().local.watchdog = {WatchdogState::active, at_ms(25'000)};
  const auto obs = given.build();
  EXPECT_EQ(server_until(obs) - guard_margin(obs.timing.ttl), at_ms(23'000));
  EXPECT_EQ(fence_at(obs), at_ms(22'500));
}

TEST(RunningWatchdog, EarlierEndOfTheLeaseCounts) {
  Given given("a");
  given.holds_lock(at_ms(30'000));
  given.obs().local.watchdog = {WatchdogState::active, at_ms(60'000)};
  EXPECT_EQ(server_until(given.build()), at_ms(30'000));
}

}  // namespace
}  // namespace tanist

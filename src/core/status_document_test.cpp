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

// SPDX-License-Identifier: Apache-2.0
// What is news and what is not, one sentence a test.
#include "core/decision_news.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist::testing {
namespace {

bool tell(DecisionNews& news, const Observation& obs) { return news.take(obs, decide(obs)); }

TEST(DecisionNews, TheFirstDecisionIsNews) {
  DecisionNews news;
  EXPECT_TRUE(tell(news, Given("a").build()));
}

TEST(DecisionNews, AnIdleLeaderTellsNothingMore) {
  DecisionNews news;
  Given given("a");
  tell(news, given.build());
  for (int cycle = 1; cycle <= 360; ++cycle) {
    // Facts are stale, then they come: two decisions a cycle, as in life.
    given.obs().now = given.obs().cycle_began = at_ms(cycle * 10'000);
    given.obs().lock.until = given.obs().now + seconds(30);
    EXPECT_FALSE(tell(news, given.build()));
    given.obs().local.server.observed_at = given.obs().now;
    given.obs().local.server.query->location = Lsn(0x3000000 + cycle);
    EXPECT_FALSE(tell(news, given.build())) << cycle;
  }
}

TEST(DecisionNews, ALockThatIsGoneIsNews) {
  DecisionNews news;
  Given given("b");
  given.follows_right_upstream();
  tell(news, given.build());
  EXPECT_TRUE(tell(news, given.unlocked().build()));
}

TEST(DecisionNews, ABrokenStreamIsNews) {
  DecisionNews news;
  Given given("b");
  given.follows_right_upstream();
  tell(news, given.build());
  given.obs().local.server.query->receiver_status = "";
  EXPECT_TRUE(tell(news, given.build()));
}

TEST(DecisionNews, WhatComesBackIsNewsAgain) {
  DecisionNews news;
  Given given("a");
  tell(news, given.build());
  given.store_silent_since(at_ms(0));
  EXPECT_TRUE(tell(news, given.build()));
  given.obs().store.current = true;
  EXPECT_TRUE(tell(news, given.build()));
}

TEST(DecisionNews, AnEndlessBackAndForthIsToldAFewTimesInTenMinutes) {
  DecisionNews news;
  Given given("a");
  int told = 0;
  for (int cycle = 0; cycle < 60; ++cycle) {
    given.obs().now = at_ms(cycle * 10'000);
    given.obs().lock.until = given.obs().now + seconds(30);
    given.obs().store.current = cycle % 2 == 0;
    given.obs().store.doubtful_since = given.obs().now;
    told += tell(news, given.build()) ? 1 : 0;
  }
  EXPECT_EQ(told, 10);
}

}  // namespace
}  // namespace tanist::testing

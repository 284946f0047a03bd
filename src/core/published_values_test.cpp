// SPDX-License-Identifier: Apache-2.0
// What a leader publishes of itself (contract dcs 4.7, decision 0014).
#include "core/published_values.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist::testing {
namespace {

std::string status_of(Given& given) { return text_form(status_value(given.build())); }

Given leader_on(std::uint32_t timeline) {
  Given given("a");
  given.node().use_slots = false;
  given.obs().local.server.query->timeline = Timeline(timeline);
  given.obs().lock.taken_at = given.obs().now;
  return given;
}

void store_history(Given& given, std::uint32_t last) {
  given.view().history = HistoryView{};
  given.view().history->lines = {HistoryLine{Timeline(last), Lsn(0x1000), "", "t", "a"}};
}

TEST(PublishedStatus, SaysOnWhichTimelineItsPositionLies) {
  auto given = leader_on(1);
  EXPECT_EQ(status_of(given), R"({"optime":50331648,"timeline":1})");
  given = leader_on(3);
  store_history(given, 2);
  EXPECT_EQ(status_of(given), R"({"optime":50331648,"timeline":3})");
}

TEST(PublishedStatus, WaitsUntilHistoryLeadsToIt) {  // seed 9200498
  auto given = leader_on(3);
  EXPECT_EQ(status_of(given), "None");
  store_history(given, 1);
  EXPECT_EQ(status_of(given), "None");
  given = leader_on(1);
  store_history(given, 1);  // of a time before this cluster followed another
  EXPECT_EQ(status_of(given), "None");
}

TEST(PublishedStatus, WaitsForATtlAtMost) {
  auto given = leader_on(3);
  given.obs().lock.taken_at = given.obs().now - seconds(30);
  EXPECT_EQ(status_of(given), R"({"optime":50331648})");
}

TEST(PublishedStatus, StandbyLeaderSaysNoTimeline) {
  auto given = leader_on(3);
  given.runs_as_standby();
  EXPECT_EQ(status_of(given), R"({"optime":50331648})");
}

TEST(PublishedStatus, SaysAtTheEndOfTheReignWhereTheServerEnded) {  // seed 11102298
  auto given = leader_on(3);
  given.view().status->timeline = Timeline(2);  // of before the promotion
  EXPECT_EQ(text_form(released_status_value(given.build(), Lsn(7), Timeline(3))),
            R"({"optime":7,"timeline":3})");
}

}  // namespace
}  // namespace tanist::testing

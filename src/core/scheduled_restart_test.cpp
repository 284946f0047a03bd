// SPDX-License-Identifier: Apache-2.0
// Restarts at a set time, one sentence a test (contract ha 14).
#include "core/scheduled_restart.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "core/published_values.h"
#include "tests/support/given.h"

namespace tanist::testing {
namespace {

const WallTime noon = parse_timestamp("2030-01-01T12:00:00+00:00")->time;

Given at_noon() {
  Given given("b");
  given.follows_right_upstream();
  given.obs().wall = noon;
  given.obs().local.server.query->postmaster_start_time = "2029-12-31 00:00:00+00:00";
  return given;
}

ApiReply reply_to(Given& given, ApiEndpoint endpoint, Tree body) {
  PendingRequest pending;
  pending.request.endpoint = endpoint;
  pending.request.body = std::move(body);
  given.memory().requests = {pending};
  const auto decision = decide(given.build());
  given.memory() = decision.next;
  for (const auto& action : decision.actions) {
    if (const auto* reply = std::get_if<ApiReply>(&action)) return *reply;
  }
  return {};
}

Tree at(const char* when) { return Tree::map({{"schedule", when}}); }

TEST(ScheduledRestart, IsAcceptedShownAndCancelled) {
  auto given = at_noon();
  EXPECT_EQ(reply_to(given, ApiEndpoint::restart, at("2030-01-01T13:00:00+00:00")).body,
            "Restart scheduled");
  EXPECT_EQ(reply_to(given, ApiEndpoint::restart, at("2030-01-01T14:00:00+00:00")).status, 409);
  const auto member = member_value(given.build(), given.memory());
  ASSERT_NE(member.find("scheduled_restart"), nullptr);
  EXPECT_EQ(text_form(*member.find_path({"scheduled_restart", "postmaster_start_time"})),
            "2029-12-31 00:00:00+00:00");
  EXPECT_EQ(reply_to(given, ApiEndpoint::cancel_restart, Tree::map()).body,
            "scheduled restart deleted");
  EXPECT_EQ(reply_to(given, ApiEndpoint::cancel_restart, Tree::map()).status, 404);
}

TEST(ScheduledRestart, BadTimesAreRefused) {
  auto given = at_noon();
  EXPECT_EQ(reply_to(given, ApiEndpoint::restart, at("2030-01-01T11:00:00+00:00")).body,
            "Cannot schedule restart in the past");
  EXPECT_EQ(reply_to(given, ApiEndpoint::restart, at("2030-01-01T13:00:00")).body,
            "Timezone information is mandatory for the scheduled restart");
  EXPECT_EQ(reply_to(given, ApiEndpoint::restart, at("soon")).status, 422);
  given.cluster().pause = true;
  EXPECT_EQ(reply_to(given, ApiEndpoint::restart, at("2030-01-01T13:00:00+00:00")).status, 500);
}

Given with_restart_at(WallTime when, Tree request = Tree::map()) {
  auto given = at_noon();
  given.memory().scheduled_restart =
      ScheduledRestart{when, std::move(request), "2029-12-31 00:00:00+00:00"};
  return given;
}

TEST(ScheduledRestart, RunsAtItsMoment) {
  auto given = with_restart_at(noon);
  const auto decision = decide(given.build());
  ASSERT_TRUE(decision.next.job);
  EXPECT_EQ(decision.next.job->kind, JobKind::restart);
  EXPECT_FALSE(decision.next.scheduled_restart);
}

TEST(ScheduledRestart, WaitsForItsMoment) {
  const auto decision = decide(with_restart_at(noon + seconds(3)).build());
  EXPECT_FALSE(decision.next.job);
  EXPECT_EQ(decision.wake_at, at_ms(3000));
}

TEST(ScheduledRestart, StaleOneIsDropped) {
  const auto decision = decide(with_restart_at(noon - seconds(16)).build());
  EXPECT_FALSE(decision.next.job);
  EXPECT_FALSE(decision.next.scheduled_restart);
}

TEST(ScheduledRestart, IsCancelledByAnEarlierRestart) {
  auto given = with_restart_at(noon + seconds(60));
  given.obs().local.server.query->postmaster_start_time = "2030-01-01 11:59:00+00:00";
  const auto decision = decide(given.build());
  EXPECT_FALSE(decision.next.scheduled_restart);
  EXPECT_TRUE(logged(decision, "Cancelling scheduled restart: postgres restart has already"));
}

TEST(ScheduledRestart, UnmetConditionIsSaidAndTheRestartDropped) {
  auto given = with_restart_at(noon, Tree::map({{"role", "primary"}}));
  const auto observation = given.build();
  const auto decision = decide(observation);
  EXPECT_EQ(status_line(decision.why, observation).text,
            "Scheduled restart: restart conditions are not satisfied");
  EXPECT_FALSE(decision.next.scheduled_restart);
}

TEST(ScheduledRestart, IsKeptInPause) {
  auto given = with_restart_at(noon);
  given.cluster().pause = true;
  const auto decision = decide(given.build());
  EXPECT_FALSE(decision.next.job);
  EXPECT_TRUE(decision.next.scheduled_restart);
}

}  // namespace
}  // namespace tanist::testing

// SPDX-License-Identifier: Apache-2.0
// Arithmetic of the watchdog (contract ha 20).
#include "watchdog/timing.h"

#include <gtest/gtest.h>

namespace tanist::watchdog {
namespace {

TEST(WatchdogTiming, DeviceFiresBeforeTheLeaseEnds) {
  EXPECT_EQ(timeout_for({}), seconds(25));
  EXPECT_EQ(timeout_for({.ttl = seconds(20), .safety_margin = seconds(0)}), seconds(20));
  EXPECT_EQ(timeout_for({.ttl = seconds(31), .safety_margin = seconds(-1)}), seconds(15));
}

TEST(WatchdogTiming, RequiredNeedsTwoSecondsBeyondLoopWait) {
  Timing timing{.ttl = seconds(17), .loop_wait = seconds(10), .safety_margin = seconds(5)};
  EXPECT_TRUE(check_timing(WatchdogMode::required, timing));
  timing.ttl = seconds(16);
  const auto refused = check_timing(WatchdogMode::required, timing);
  ASSERT_FALSE(refused);
  EXPECT_EQ(
      refused.error().message,
      "watchdog: `required` needs ttl - safety_margin >= loop_wait + 2 s, but 16 s - 5 s < 10 "
      "s + 2 s; raise ttl, or lower watchdog.safety_margin or loop_wait");
  EXPECT_TRUE(check_timing(WatchdogMode::automatic, timing));
  timing.ttl = seconds(14);
  EXPECT_FALSE(check_timing(WatchdogMode::automatic, timing));
}

TEST(WatchdogTiming, WordThatComesAfterTheMarginIsTooLate) {
  const Instant lease_end(seconds(1030));  // the renewal was sent at 1000
  EXPECT_EQ(last_moment(lease_end, {}), Instant(seconds(1005)));
}

}  // namespace
}  // namespace tanist::watchdog

// SPDX-License-Identifier: Apache-2.0
// Tests of schedules as people write them.
#include "ctl/times.h"

#include <gtest/gtest.h>

namespace tanist::ctl {
namespace {

const WallTime now = parse_timestamp("2031-04-30T12:00:00Z")->time;

std::string iso(std::string_view text) {
  const auto schedule = parse_schedule(text, now);
  if (!schedule) return schedule.error().message;
  return *schedule ? (*schedule)->iso8601() : "now";
}

TEST(Times, NowAndNothingMeanAtOnce) {
  EXPECT_EQ(iso("now"), "now");
  EXPECT_EQ(iso(" "), "now");
}

TEST(Times, TheWrittenZoneIsKept) {
  EXPECT_EQ(iso("2031-05-01T06:00:00+02:00"), "2031-05-01T06:00:00+02:00");
  EXPECT_EQ(iso("2031-05-01 06:00 -0330"), "2031-05-01T06:00:00-03:30");
  EXPECT_EQ(iso("2031-05-01 06:00 UTC"), "2031-05-01T06:00:00+00:00");
}

TEST(Times, PeopleWriteDatesInManyForms) {
  for (const auto* text :
       {"2031/05/01 06:00 UTC", "20310501T0600 UTC", "May 1 2031 06:00 UTC", "1 May 2031 6am UTC",
        "Thu, 01 May 2031 06:00:00 GMT", "01.05.2031 06:00 UTC", "05/01/2031 6:00 AM UTC"}) {
    EXPECT_EQ(iso(text), "2031-05-01T06:00:00+00:00") << text;
  }
  EXPECT_EQ(iso("May 1 2031 06:00 +0200"), "2031-05-01T06:00:00+02:00");
  EXPECT_EQ(iso("6:00 PM UTC").substr(10), "T18:00:00+00:00");
  EXPECT_EQ(iso("2031/13/01 06:00").substr(0, 6), "Unable");
}

TEST(Times, WhatIsNoTimeIsRefusedInTheContractsWords) {
  EXPECT_EQ(iso("tomorrow"),
            "Unable to parse scheduled timestamp (tomorrow). It should be in an unambiguous "
            "format (e.g. ISO 8601)");
}

TEST(Times, AScheduleIsAskedForWithABlank) {
  EXPECT_EQ((*parse_schedule("2031-05-01T06:00+02:00", now))->spaced(),
            "2031-05-01 06:00:00+02:00");
}

TEST(Times, ResultsHaveFiveDigitsOfAFraction) {
  const auto text = result_time_text(now + std::chrono::microseconds(12345));
  EXPECT_TRUE(text.ends_with(".01234")) << text;
}

}  // namespace
}  // namespace tanist::ctl

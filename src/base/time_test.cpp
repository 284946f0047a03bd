// SPDX-License-Identifier: Apache-2.0
// ISO 8601 as Python's isoformat writes it.
#include "base/time.h"

#include <gtest/gtest.h>

namespace tanist {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;

TEST(Iso8601, ShowsTheFractionOnlyWhenThereIsOne) {
  EXPECT_EQ(to_iso8601(WallTime(seconds(1'700'000'000))), "2023-11-14T22:13:20+00:00");
  EXPECT_EQ(to_iso8601(WallTime(microseconds(1'700'000'000'000'042))),
            "2023-11-14T22:13:20.000042+00:00");
}

TEST(Iso8601, IsTheLocalTimeOfItsOffset) {
  const WallTime time(seconds(1'700'000'000));
  EXPECT_EQ(to_iso8601(time, minutes(90)), "2023-11-14T23:43:20+01:30");
  EXPECT_EQ(to_iso8601(time, minutes(-210)), "2023-11-14T18:43:20-03:30");
}

TEST(Iso8601, WorksBefore1970) {
  EXPECT_EQ(to_iso8601(WallTime(microseconds(-1))), "1969-12-31T23:59:59.999999+00:00");
}

TEST(InMilliseconds, CutsOffTheRest) {
  EXPECT_EQ(in_milliseconds(std::chrono::microseconds(2999)), 2);
  EXPECT_EQ(in_milliseconds(seconds(3)), 3000);
}

}  // namespace
}  // namespace tanist

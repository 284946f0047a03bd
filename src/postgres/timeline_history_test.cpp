// SPDX-License-Identifier: Apache-2.0
// History files, also with what does not belong there.
#include "postgres/timeline_history.h"

#include <gtest/gtest.h>

namespace tanist::postgres {
namespace {

TEST(TimelineHistory, HasLinesOfThreeFields) {
  const auto lines = parse_history(
      "1\t0/5000\tno recovery target specified\n\n# comment\n2 0/6000 blanks\n"
      "2\t1/A0000028\tbefore 2026-11-22 \t \n3\tx\ty\nz\t0/1\ty\n4\t0/1\n5\t0/1\ta\tb\n"
      "6\t0/77\tlast without line end");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].timeline, Timeline(1));
  EXPECT_EQ(to_text(lines[0].switch_lsn), "0/5000");
  EXPECT_EQ(lines[0].reason, "no recovery target specified");
  EXPECT_EQ(lines[1].timeline, Timeline(6));
}

TEST(TimelineHistory, FilesAreNamedInHexadecimal) {
  EXPECT_EQ(history_file_name(Timeline(2)), "00000002.history");
  EXPECT_EQ(history_file_name(Timeline(0xABCDEF)), "00ABCDEF.history");
}

TEST(TimelineHistory, OfNothingIsEmpty) { EXPECT_TRUE(parse_history("").empty()); }

}  // namespace
}  // namespace tanist::postgres

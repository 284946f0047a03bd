// SPDX-License-Identifier: Apache-2.0
// Tests of unified diffs.
#include "ctl/diff.h"

#include <gtest/gtest.h>

namespace tanist::ctl {
namespace {

TEST(Diff, EqualTextsHaveNone) { EXPECT_EQ(unified_diff("a\nb\n", "a\nb\n"), ""); }

TEST(Diff, ShowsThreeLinesAroundAChange) {
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n"),
            "--- \n+++ \n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n");
}

TEST(Diff, DistantChangesAreHunksOfTheirOwn) {
  const auto diff = unified_diff("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n");
  EXPECT_EQ(diff,
            "--- \n+++ \n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
            "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

TEST(Diff, AnEmptyTextHasNoLineNumber) {
  EXPECT_EQ(unified_diff("", "a\n"), "--- \n+++ \n@@ -0,0 +1 @@\n+a\n");
}

}  // namespace
}  // namespace tanist::ctl

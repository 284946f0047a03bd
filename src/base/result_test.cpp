// SPDX-License-Identifier: Apache-2.0
// Errors: their text and how they are passed on.
#include "base/result.h"

#include <gtest/gtest.h>

namespace tanist {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::invalid, "{} is odd", number);
  return number / 2;
}

Result<int> quarter(int number) {
  const auto one = half(number);
  if (!one) return pass_on(one.error(), "halve {}", number);
  const auto two = half(*one);
  if (!two) return pass_on(two.error());
  return *two;
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error(), (Error{Errc::invalid, "3 is odd"}));
}

TEST(Result, PassingOnPutsWhatWasBeingDoneInFront) {
  EXPECT_EQ(quarter(7).error(), (Error{Errc::invalid, "halve 7: 7 is odd"}));
}

TEST(Errc, EveryCodeHasAName) {
  EXPECT_EQ(to_text(Errc::invalid), "invalid");
  EXPECT_EQ(to_text(Errc::not_found), "not_found");
  EXPECT_EQ(to_text(Errc::refused), "refused");
  EXPECT_EQ(to_text(Errc::unavailable), "unavailable");
  EXPECT_EQ(to_text(Errc::timeout), "timeout");
  EXPECT_EQ(to_text(Errc::cancelled), "cancelled");
  EXPECT_EQ(to_text(Errc::failed), "failed");
}

}  // namespace
}  // namespace tanist

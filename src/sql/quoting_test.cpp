// SPDX-License-Identifier: Apache-2.0
// Quotes inside quotes.
#include "sql/quoting.h"

#include <gtest/gtest.h>

namespace tanist::sql {
namespace {

TEST(Quoting, DoublesWhatWouldEndTheText) {
  EXPECT_EQ(quote_literal("plain"), "'plain'");
  EXPECT_EQ(quote_literal("it's"), "'it''s'");
  EXPECT_EQ(quote_literal("a\\'b"), "E'a\\\\''b'");
  EXPECT_EQ(quote_literal(""), "''");
  EXPECT_EQ(quote_identifier("a\"b c"), "\"a\"\"b c\"");
}

}  // namespace
}  // namespace tanist::sql

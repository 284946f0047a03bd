// SPDX-License-Identifier: Apache-2.0
// synchronous_standby_names as PostgreSQL reads it (trap 74).
#include "core/standby_names.h"

#include <gtest/gtest.h>

namespace tanist {
namespace {

using Kind = StandbyNames::Kind;

StandbyNames value(Kind kind, std::int64_t count, const std::vector<std::string>& names) {
  StandbyNames out{kind, count, {}};
  for (const auto& name : names) out.names.emplace_back(name);
  return out;
}

TEST(StandbyNames, EachFormIsRead) {
  EXPECT_EQ(parse_standby_names(""), StandbyNames{});
  EXPECT_EQ(parse_standby_names("a"), value(Kind::priority, 1, {"a"}));
  EXPECT_EQ(parse_standby_names("a, b"), value(Kind::priority, 1, {"a", "b"}));
  EXPECT_EQ(parse_standby_names("2 (a,\"b-1\")"), value(Kind::priority, 2, {"a", "b-1"}));
  EXPECT_EQ(parse_standby_names("first 2(a, b)"), value(Kind::priority, 2, {"a", "b"}));
  EXPECT_EQ(parse_standby_names("ANY 1 (a)"), value(Kind::quorum, 1, {"a"}));
  EXPECT_EQ(parse_standby_names("\"say \"\"hi\"\"\""), value(Kind::priority, 1, {"say \"hi\""}));
}

TEST(StandbyNames, WildcardAndNonsenseAreForeign) {
  for (const auto* text :
       {"*", "1 (*)", "ANY 1 (a", "\"a", "a,,b", "ANY 0 (a)", "(a)", "2 (a) b"}) {
    EXPECT_EQ(parse_standby_names(text).kind, Kind::foreign) << text;
  }
}

TEST(StandbyNames, WrittenSortedAndQuotedWhereNeeded) {
  EXPECT_EQ(to_text(value(Kind::priority, 1, {"a"})), "a");
  EXPECT_EQ(to_text(value(Kind::priority, 2, {"b", "a"})), "2 (a,b)");
  EXPECT_EQ(to_text(value(Kind::quorum, 1, {"b-1", "Any"})), "ANY 1 (\"Any\",\"b-1\")");
  EXPECT_EQ(to_text(StandbyNames{}), "");
}

TEST(StandbyNames, WhatIsWrittenReadsBackTheSame) {
  for (const auto& names :
       {value(Kind::priority, 2, {"a", "b c"}), value(Kind::quorum, 1, {"\"", "1"}),
        value(Kind::priority, 1, {"first"})}) {
    EXPECT_EQ(parse_standby_names(to_text(names)), names);
  }
}

}  // namespace
}  // namespace tanist

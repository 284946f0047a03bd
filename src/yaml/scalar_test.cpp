// SPDX-License-Identifier: Apache-2.0
// The table of plain scalars; the expected values are what PyYAML's safe loader gave.
#include "yaml/scalar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace tanist::yaml {
namespace {

struct Row {
  const char* text;
  Tree value;
};

TEST(PlainScalar, MeansWhatPyYamlReads) {
  const std::vector<Row> rows{
      {"on", true},
      {"On", true},
      {"ON", true},
      {"off", false},
      {"Off", false},
      {"yes", true},
      {"YES", true},
      {"no", false},
      {"No", false},
      {"true", true},
      {"FALSE", false},
      {"y", "y"},
      {"n", "n"},
      {"Y", "Y"},
      {"yEs", "yEs"},
      {"tRUE", "tRUE"},
      {"~", Tree()},
      {"null", Tree()},
      {"Null", Tree()},
      {"NULL", Tree()},
      {"nULL", "nULL"},
      {"", Tree()},
      {"0", 0},
      {"00", 0},
      {"-0", 0},
      {"+12", 12},
      {"0644", 420},
      {"-0644", -420},
      {"0_", 0},
      {"08", "08"},
      {"0o17", "0o17"},
      {"0x1F", 31},
      {"-0x1f", -31},
      {"0xg", "0xg"},
      {"0x", "0x"},
      {"0b11", 3},
      {"0b12", "0b12"},
      {"1_000", 1000},
      {"_1", "_1"},
      {"1:30", 90},
      {"-1:30", -90},
      {"190:20:30", 685230},
      {"1:60", "1:60"},
      {"01:30", "01:30"},
      {"1e3", "1e3"},
      {"1.0e3", "1.0e3"},
      {"1.0e+3", 1000.0},
      {"1.5e-3", 0.0015},
      {"1.", 1.0},
      {".5", 0.5},
      {"-.5", "-.5"},
      {"-1.5", -1.5},
      {"1_0.5", 10.5},
      {"1:30.5", 90.5},
      {"1.5:30", "1.5:30"},
      {"1.2.3", "1.2.3"},
      {".", "."},
      {"+", "+"},
      {"127.0.0.1", "127.0.0.1"},
      {"127.0.0.1:5432", "127.0.0.1:5432"},
      {"2024-01-01", "2024-01-01"},
      {"2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"12345678901234567890", "12345678901234567890"},
      {"<<x", "<<x"},
      {"=", "="},
  };
  for (const auto& row : rows) EXPECT_EQ(plain_value(row.text), row.value) << row.text;
}

TEST(PlainScalar, KnowsInfinityAndNotANumber) {
  EXPECT_EQ(plain_value(".inf"), Tree(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(plain_value("-.INF"), Tree(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(plain_value("+.Inf"), Tree(std::numeric_limits<double>::infinity()));
  EXPECT_TRUE(std::isnan(*plain_value(".NaN").as_real()));
  EXPECT_EQ(plain_value("-.nan"), Tree("-.nan"));
}

TEST(PlainScalar, RealsBeyondTheRangeBecomeInfiniteOrZero) {
  EXPECT_EQ(plain_value("1.0e+999"), Tree(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(plain_value("1.0e-999"), Tree(0.0));
}

TEST(PlainScalar, DatesAreToldFromTexts) {
  for (const auto* text : {"2024-01-01", "2024-1-1 1:02:03", "2024-01-01T01:02:03Z",
                           "2024-01-01 01:02:03.5 +02", "2024-01-01\t01:02:03 +02:30"}) {
    EXPECT_EQ(kind_of_plain(text), ScalarKind::timestamp) << text;
  }
  for (const auto* text : {"2024-1-1", "2024-01-01T01:02", "2024-01-01 01:02:03 ", "24-01-01",
                           "2024-01-01T01:02:03 +2:3", "2024-01-011"}) {
    EXPECT_EQ(kind_of_plain(text), ScalarKind::text) << text;
  }
}

TEST(TaggedScalar, AcceptsWhatItsTypeAcceptsWhenQuoted) {
  EXPECT_EQ(integer_value("0x10"), 16);
  EXPECT_EQ(integer_value("abc"), std::nullopt);
  EXPECT_EQ(integer_value(""), std::nullopt);
  EXPECT_EQ(integer_value("--1"), std::nullopt);
  EXPECT_EQ(real_value("1e3"), 1000.0);
  EXPECT_EQ(real_value("x"), std::nullopt);
  EXPECT_EQ(boolean_value("oN"), true);
  EXPECT_EQ(boolean_value("maybe"), std::nullopt);
}

}  // namespace
}  // namespace tanist::yaml

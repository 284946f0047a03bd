// SPDX-License-Identifier: Apache-2.0
// Python's printf templates; the expected texts are what Python's % operator gives.
#include "base/log_template.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tanist {
namespace {

std::string formatted(std::string_view text, const Tree& value) {
  const auto parts = parse_template(text);
  EXPECT_TRUE(parts) << text;
  std::string out;
  for (const auto& part : *parts) {
    out += part.name.empty() ? part.literal : converted(part, value);
  }
  return out;
}

TEST(LogTemplate, SplitsLiteralsAndFields) {
  const auto parts = parse_template("a %% %(name)-8.3s|");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 3U);
  EXPECT_EQ((*parts)[0].literal, "a % ");
  EXPECT_EQ((*parts)[1].name, "name");
  EXPECT_EQ((*parts)[1].flags, "-");
  EXPECT_EQ((*parts)[1].width, 8);
  EXPECT_EQ((*parts)[1].precision, 3);
  EXPECT_EQ((*parts)[2].literal, "|");
}

TEST(LogTemplate, ConvertsAsPythonDoes) {
  struct Row {
    const char* text;
    Tree value;
    const char* expected;
  };
  const std::vector<Row> rows{
      {"%(x)s", "abc", "abc"},
      {"[%(x)-8s]", "abc", "[abc     ]"},
      {"[%(x)8s]", "abc", "[     abc]"},
      {"[%(x).2s]", "abc", "[ab]"},
      {"[%(x)5s]", "\xC3\xA9", "[    \xC3\xA9]"},
      {"[%(x).1s]", "\xC3\xA9z", "[\xC3\xA9]"},
      {"%(x)d", 42, "42"},
      {"%(x)03d", 7.9, "007"},
      {"%(x)ld", 42, "42"},
      {"[%(x)+5d]", 42, "[  +42]"},
      {"[%(x)-5d]", 42, "[42   ]"},
      {"%(x)x", 255, "ff"},
      {"%(x)#X", 255, "0XFF"},
      {"%(x)o", 8, "10"},
      {"%(x).1f", 1.25, "1.2"},
      {"%(x)8.3f", 3.14159, "   3.142"},
      {"%(x)s", 1.5, "1.5"},
      {"%(x)s", 123.0, "123.0"},
      {"%(x)u", 42, "42"},
  };
  for (const auto& row : rows) EXPECT_EQ(formatted(row.text, row.value), row.expected) << row.text;
}

TEST(LogTemplate, WritesAsTextWhatAConversionCannotTake) {
  EXPECT_EQ(formatted("%(x)d", "abc"), "abc");
  EXPECT_FALSE(fits((*parse_template("%(x)d"))[0], Tree("abc")));
  EXPECT_FALSE(fits((*parse_template("%(x)x"))[0], Tree(1.5)));
  EXPECT_TRUE(fits((*parse_template("%(x)d"))[0], Tree(1.5)));
}

TEST(LogTemplate, RefusesWhatPythonRefuses) {
  for (const auto* text : {"%", "% (x)s", "%s", "%()s", "%(x", "%(x)", "%(x)y", "%(x)-", "%(x)5"}) {
    EXPECT_FALSE(parse_template(text)) << text;
  }
}

TEST(LogTemplate, BoundsWidthAndPrecision) {
  EXPECT_EQ(formatted("%(x)999999999s", "a").size(), 200U);
  EXPECT_EQ(formatted("%(x)0999999999d", 1).size(), 200U);
  EXPECT_LE(formatted("%(x).999999999f", 1e300).size(), 1023U);
}

}  // namespace
}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// JSON: exact texts, order, and everything hostile.
#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>

namespace tanist {
namespace {

std::string through(std::string_view text) {
  const auto tree = parse_json(text);
  EXPECT_TRUE(tree) << text;
  return tree ? to_json(*tree) : "";
}

TEST(Json, KeepsTheOrderOfKeysAndIsCompact) {
  EXPECT_EQ(through(R"( { "b" : 1 , "a" : [ true , null , -2.5 ] } )"),
            R"({"b":1,"a":[true,null,-2.5]})");
}

TEST(Json, TheSpacedFormIsPythonsDefault) {
  EXPECT_EQ(to_spaced_json(*parse_json(R"({"a":[1,2],"b":{}})")), R"({"a": [1, 2], "b": {}})");
}

TEST(Json, WritesAsciiOnly) {
  EXPECT_EQ(through(R"("é😀\u00e9")"), R"("\u00e9\ud83d\ude00\u00e9")");
  EXPECT_EQ(to_json(Tree("a\"\\\n\t\x01\x7F")), R"("a\"\\\n\t\u0001\u007f")");
  EXPECT_EQ(to_json(Tree("\xFFz\xC3")), R"("\ufffdz\ufffd")");
}

TEST(Json, NumbersKeepTheirKind) {
  EXPECT_EQ(through("[1,1.0,1e2,-0,9223372036854775807,-9223372036854775808]"),
            "[1,1.0,100.0,0,9223372036854775807,-9223372036854775808]");
  EXPECT_NE(parse_json("9223372036854775808")->as_real(), nullptr);
}

TEST(Json, WhatIsNoNumberBecomesNull) {
  EXPECT_EQ(to_json(Tree(std::numeric_limits<double>::infinity())), "null");
  EXPECT_EQ(to_json(Tree(std::nan(""))), "null");
}

TEST(Json, TheLastOfRepeatedKeysWinsInTheFirstPlace) {
  EXPECT_EQ(through(R"({"a":1,"b":2,"a":3,"b":{"c":1,"c":4}})"), R"({"a":3,"b":{"c":4}})");
}

TEST(Json, RefusesWhatIsNotExactlyOneValue) {
  for (const auto* text :
       {"",        " ",           "{",        "}",    "[1",  "[1,]", "{\"a\"}", "{\"a\":}",
        "{a:1}",   "'a'",         "nul",      "1 2",  "01",  "+1",   ".5",      "\"\x01\"",
        "\"\\x\"", "\"\\ud800\"", "\"\xFF\"", "[1]]", "NaN", "// x"}) {
    const auto tree = parse_json(text);
    ASSERT_FALSE(tree) << text;
    EXPECT_EQ(tree.error().code, Errc::invalid);
    EXPECT_TRUE(tree.error().message.starts_with("not valid JSON: ")) << tree.error().message;
  }
}

TEST(Json, DepthIsBoundedAndTheBoundCanBeReached) {
  const auto nested = [](int depth) {
    const auto count = static_cast<std::size_t>(depth);
    return std::string(count, '[') + std::string(count, ']');
  };
  EXPECT_TRUE(parse_json(nested(tree_depth_max)));
  EXPECT_FALSE(parse_json(nested(tree_depth_max + 1)));
  EXPECT_FALSE(parse_json(nested(1'000'000)));
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')));
}

TEST(Json, TheSizeIsBounded) {
  EXPECT_FALSE(parse_json("[1,2,3]", 6));
  EXPECT_TRUE(parse_json("[1,2,3]", 7));
}

TEST(Json, ManyRepeatedKeysCostNoSquare) {
  std::string text = "{\"a\":0";
  for (int i = 0; i < 200'000; ++i) text += ",\"a\":" + std::to_string(i);
  EXPECT_EQ(through(text + "}"), R"({"a":199999})");
}

TEST(Json, EveryCutOfADocumentIsRefused) {
  const std::string text = R"({"a":[1,2.5,"x\u00e9",null],"b":{"c":true}})";
  for (std::size_t i = 0; i < text.size(); ++i) EXPECT_FALSE(parse_json(text.substr(0, i))) << i;
}

TEST(Json, NoTextOfItsAlphabetDoesHarm) {
  std::mt19937 chance(7);
  const std::string alphabet = "{}[]\",:\\ntruefalse 0123.e-+u\xC3\xA9\xF0";
  std::uniform_int_distribution<std::size_t> any(0, alphabet.size() - 1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = round % 30; i > 0; --i) text += alphabet[any(chance)];
    const auto tree = parse_json(text);
    if (tree) EXPECT_EQ(*parse_json(to_json(*tree)), *tree) << text;
  }
}

}  // namespace
}  // namespace tanist

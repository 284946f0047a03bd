// SPDX-License-Identifier: Apache-2.0
// What is written; the expected texts are those of PyYAML's safe_dump.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "base/json.h"
#include "yaml/yaml.h"

namespace tanist::yaml {
namespace {

std::string block(std::string_view json, int width = 80) {
  YamlStyle style;
  style.width = width;
  return to_yaml(*parse_json(json), style);
}

std::string flow(std::string_view json) {
  YamlStyle style;
  style.flow = true;
  return to_yaml(*parse_json(json), style);
}

TEST(ToYaml, SortsKeysAndDoesNotIndentListsUnderTheirKey) {
  EXPECT_EQ(block(R"({"b":[1,{"c":2,"a":null}],"a":{"x":true}})"),
            "a:\n  x: true\nb:\n- 1\n- a: null\n  c: 2\n");
}

TEST(ToYaml, NestsListsInTheLineOfTheirDash) {
  EXPECT_EQ(block(R"([["a",["b"]],[{"c":["d"]}]])"), "- - a\n  - - b\n- - c:\n    - d\n");
}

TEST(ToYaml, WritesEmptyCollectionsAsBrackets) {
  EXPECT_EQ(block(R"({"a":{},"b":[],"c":[[],{}]})"), "a: {}\nb: []\nc:\n- []\n- {}\n");
  EXPECT_EQ(block("{}"), "{}\n");
  EXPECT_EQ(block("[]"), "[]\n");
}

TEST(ToYaml, MarksTheEndOfALonePlainScalar) {
  EXPECT_EQ(block("\"abc\""), "abc\n...\n");
  EXPECT_EQ(block("1"), "1\n...\n");
  EXPECT_EQ(block("\"1\""), "'1'\n");
}

TEST(ToYaml, WritesNumbersAsPythonDoes) {
  EXPECT_EQ(block("[10,1.5,1.0,1e16,1e17,1e-05,0.1]"),
            "- 10\n- 1.5\n- 1.0\n- 1.0e+16\n- 1.0e+17\n- 1.0e-05\n- 0.1\n");
  const double infinity = std::numeric_limits<double>::infinity();
  const auto odd = Tree::list({infinity, -infinity, std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(to_yaml(odd), "- .inf\n- -.inf\n- .nan\n");
}

TEST(ToYaml, QuotesTextsThatWouldBeReadAsSomethingElse) {
  for (const auto* text :
       {"",     "on",         "Yes", "null", "~",   "1",    "0x1F", "1:30", "1.5",
        ".inf", "2024-01-01", "=",   "<<",   "- a", "a: b", "a:",   "# x",  "a #b",
        "*",    "&a",         "!x",  "|",    ">",   "%",    "@",    "`",    "[",
        "{",    ", a",        " a",  "a ",   "?",   "---",  "..."}) {
    EXPECT_EQ(to_yaml(Tree::map({{"k", text}})), std::string("k: '") + text + "'\n");
  }
  EXPECT_EQ(block(R"(["it's","'"])"), "- it's\n- ''''\n");
}

TEST(ToYaml, LeavesOrdinaryTextsPlain) {
  for (const auto* text : {"abc",
                           "y",
                           "n",
                           "a b",
                           "1e3",
                           "0o17",
                           "host all all 0.0.0.0/0 md5",
                           "127.0.0.1:5432",
                           "a:b",
                           "a#b",
                           "-a",
                           "?a",
                           ":a",
                           "a,b",
                           "\xC3\xA9t\xC3\xA9",
                           "12h",
                           "128MB",
                           "/a/b",
                           "a'b",
                           "a\"b"}) {
    EXPECT_EQ(to_yaml(Tree::map({{"k", text}})), std::string("k: ") + text + "\n");
  }
}

TEST(ToYaml, EscapesControlCharactersInDoubleQuotes) {
  EXPECT_EQ(block(R"(["a\tb","\u0000\u0007\u007f","\"\\\u0001","\u2028 "])"),
            "- \"a\\tb\"\n- \"\\0\\a\\x7F\"\n- \"\\\"\\\\\\x01\"\n- \"\\L \"\n");
  EXPECT_EQ(block("[\"\\ufeff\\ud83d\\ude00\"]"), "- \"\\uFEFF\\U0001F600\"\n");
}

TEST(ToYaml, WritesSeveralLinesWithinSingleQuotes) {
  EXPECT_EQ(block(R"({"a":{"b":"x\ny\n\nz"}})"), "a:\n  b: 'x\n\n    y\n\n\n    z'\n");
  EXPECT_EQ(block(R"(["a\n"])"), "- 'a\n\n  '\n");
  EXPECT_EQ(block(R"(["a \nb","a\n b"])"), "- \"a \\nb\"\n- \"a\\n b\"\n");
}

TEST(ToYaml, FoldsLongTextsAtBlanks) {
  const std::string words(90, 'w');
  EXPECT_EQ(to_yaml(Tree::map({{"k", words + " tail more"}})), "k: " + words + "\n  tail more\n");
  EXPECT_EQ(to_yaml(Tree::map({{"k", "- " + words + " tail"}})), "k: '- " + words + "\n  tail'\n");
  EXPECT_EQ(to_yaml(Tree::map({{"k", "\t" + words + " tail"}})),
            "k: \"\\t" + words + "\\\n  \\ tail\"\n");
}

TEST(ToYaml, TheWidthMovesTheFold) {
  const std::string words(90, 'w');
  YamlStyle style;
  style.width = 200;
  EXPECT_EQ(to_yaml(Tree::map({{"k", words + " tail"}}), style), "k: " + words + " tail\n");
  EXPECT_EQ(block(R"(["aaaa bbbb cccc dddd"])", 10), "- aaaa bbbb\n  cccc dddd\n");
}

TEST(ToYaml, LongEmptyAndManyLinedKeysStandOnTheirOwn) {
  EXPECT_EQ(block(R"({"":1})"), "? ''\n: 1\n");
  EXPECT_EQ(block(R"({"a\nb":{"c":[1]}})"), "? 'a\n\n  b'\n: c:\n  - 1\n");
  const std::string longest(122, 'k');
  EXPECT_EQ(to_yaml(Tree::map({{longest, 1}})), longest + ": 1\n");
  EXPECT_EQ(to_yaml(Tree::map({{longest + "k", Tree::list({1})}})), "? " + longest + "k\n: - 1\n");
}

TEST(ToYaml, FlowStyleIsOneLine) {
  EXPECT_EQ(flow(R"({"b":[1,"x y",{}],"a":{"c":null,"d":"on"}})"),
            "{a: {c: null, d: 'on'}, b: [1, x y, {}]}");
  EXPECT_EQ(flow(R"(["a,b","a]","a:b","a\nb",""])"), R"(['a,b', 'a]', 'a:b', "a\nb", ''])");
  EXPECT_EQ(flow(R"({"":1})"), "{? '' : 1}");
  EXPECT_EQ(flow("\"a, b\""), "a, b");
  const std::string words(300, 'w');
  EXPECT_EQ(to_yaml(Tree::list({words + " " + words}), {.flow = true}),
            "[" + words + " " + words + "]");
}

TEST(ToYaml, BytesThatAreNoUtf8BecomeTheReplacementCharacter) {
  EXPECT_EQ(to_yaml(Tree::list({"a\xFFz"})), "- a\xEF\xBF\xBDz\n");
}

TEST(ToYaml, WhatIsWrittenIsReadBackTheSame) {
  const std::vector<std::string> words{
      "on", "",   "~",  "a b",  "it's", "\t", "x: y",       "\xC3\xA9", "- a",   "a\nb",
      "'",  "\"", "\\", "0x1F", "1:30", "[a", "2024-01-01", "#",        " lead", "a #b"};
  for (const auto& a : words) {
    for (const auto& b : words) {
      const auto tree = Tree::map({{"k", Tree::list({a + b, Tree::map({{b + "k", a}})})}});
      const auto read = parse_yaml(to_yaml(tree), "f");
      ASSERT_TRUE(read) << read.error().message;
      EXPECT_EQ(read->tree, tree) << to_yaml(tree);
      EXPECT_EQ(parse_yaml(to_yaml(tree, {.flow = true}), "f")->tree, tree);
    }
  }
}

}  // namespace
}  // namespace tanist::yaml

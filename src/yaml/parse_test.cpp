// SPDX-License-Identifier: Apache-2.0
// Reading of documents: structure, merges, positions, and everything that must be refused.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/json.h"
#include "yaml/yaml.h"

namespace tanist::yaml {
namespace {

YamlDocument read(std::string_view text) {
  auto document = parse_yaml(text, "f.yml");
  EXPECT_TRUE(document) << (document ? "" : document.error().message);
  return document ? *document : YamlDocument();
}

std::string read_json(std::string_view text) { return to_json(read(text).tree); }

std::string refusal(std::string_view text) {
  const auto document = parse_yaml(text, "f.yml");
  EXPECT_FALSE(document) << to_json(document ? document->tree : Tree());
  return document ? "" : document.error().message;
}

TEST(ParseYaml, KeepsTheOrderOfKeys) {
  EXPECT_EQ(read_json("b: 1\na:\n- x\n- {c: ~}\n"), R"({"b":1,"a":["x",{"c":null}]})");
}

TEST(ParseYaml, AnEmptyTextIsNull) {
  EXPECT_TRUE(read("").tree.is_null());
  EXPECT_TRUE(read("# only a comment\n").tree.is_null());
}

TEST(ParseYaml, QuotedScalarsAreTexts) {
  EXPECT_EQ(read_json("a: \"1\"\nb: 'on'\nc: \"null\"\nd: ''\n"),
            R"({"a":"1","b":"on","c":"null","d":""})");
}

TEST(ParseYaml, BlockScalarsKeepOrFoldTheirLines) {
  EXPECT_EQ(read_json("a: |\n  x\n    y\nb: >-\n  f\n  g\n"), R"({"a":"x\n  y\n","b":"f g"})");
}

TEST(ParseYaml, ExplicitTagsOfTheBasicTypesCount) {
  EXPECT_EQ(read_json("a: !!str 5\nb: !!int \"0x10\"\nc: !!float 1\nd: !!bool \"on\"\ne: !!null x\n"
                      "f: !!str\ng: !!map {}\nh: !!seq []\n"),
            R"({"a":"5","b":16,"c":1.0,"d":true,"e":null,"f":"","g":{},"h":[]})");
}

TEST(ParseYaml, KeysThatAreNoTextTakeTheirJsonForm) {
  EXPECT_EQ(read_json("on: 1\n2: 2\n1.5: 3\n"), R"({"true":1,"2":2,"1.5":3})");
}

TEST(ParseYaml, AliasesAreCopies) {
  EXPECT_EQ(read_json("a: &x {b: [1]}\nc: *x\n"), R"({"a":{"b":[1]},"c":{"b":[1]}})");
}

TEST(ParseYaml, OwnKeysWinOverMergedOnes) {
  EXPECT_EQ(read_json("base: &b {x: 1, y: 2}\nuse:\n  y: 3\n  <<: *b\n"),
            R"({"base":{"x":1,"y":2},"use":{"x":1,"y":3}})");
}

TEST(ParseYaml, TheFirstOfSeveralMergedMapsWins) {
  EXPECT_EQ(read_json("<<: [{x: 1}, {x: 2, y: 2}]\n"), R"({"x":1,"y":2})");
}

TEST(ParseYaml, AQuotedMergeKeyIsAnOrdinaryKey) {
  EXPECT_EQ(read_json("\"<<\": 3\n"), R"({"<<":3})");
}

TEST(ParseYaml, TheLastOfRepeatedKeysWinsWithAWarning) {
  const auto document = read("a:\n  x: 1\n  y: 2\n  x: 3\n");
  EXPECT_EQ(to_json(document.tree), R"({"a":{"x":3,"y":2}})");
  ASSERT_EQ(document.warnings.size(), 1U);
  EXPECT_EQ(document.warnings[0],
            "f.yml:4: key \"a.x\" is given again (first in line 2); the last one counts");
}

TEST(ParseYaml, TellsTheLineOfEveryValue) {
  const auto lines = read("a: 1\nb:\n  c:\n  - x\n  - d: 2\n").lines;
  EXPECT_EQ(lines.at("a"), 1);
  EXPECT_EQ(lines.at("b"), 2);
  EXPECT_EQ(lines.at("b.c"), 3);
  EXPECT_EQ(lines.at("b.c.0"), 4);
  EXPECT_EQ(lines.at("b.c.1.d"), 5);
}

TEST(ParseYaml, WindowsLineEndingsAndAByteOrderMarkChangeNothing) {
  const auto document = read(
      "\xEF\xBB\xBF"
      "a: 1\r\nb: \"x\"\r\n");
  EXPECT_EQ(to_json(document.tree), R"({"a":1,"b":"x"})");
  EXPECT_EQ(document.lines.at("b"), 2);
}

TEST(ParseYaml, EscapesOfNarrowBreaksBecomeUtf8) {
  EXPECT_EQ(read("\"\\N\\_\\xe9\"").tree, Tree("\xC2\x85\xC2\xA0\xC3\xA9"));
}

TEST(ParseYaml, ErrorsNameFileLineAndColumn) {
  EXPECT_TRUE(refusal("a: 1\nb: {c: 1\n").starts_with("f.yml:3:1: "));
}

TEST(ParseYaml, TabsInTheIndentationAreNamed) {
  const auto message = refusal("a:\n\tb: 1\n");
  EXPECT_TRUE(message.starts_with("f.yml:2:")) << message;
  EXPECT_TRUE(message.ends_with("indent with blanks, YAML forbids tabs there")) << message;
}

TEST(ParseYaml, AnUnquotedStarIsExplained) {
  EXPECT_EQ(refusal("listen: *:5432\n"),
            "f.yml:1:9: the referenced anchor is not defined; put a value that begins with * in "
            "quotes");
  EXPECT_EQ(refusal("password: *secret\n").find("secret"), std::string::npos);
}

TEST(ParseYaml, AnUnquotedPercentIsExplained) {
  EXPECT_EQ(refusal("format: %(message)s\n"), "f.yml:1:9: unknown token; put the value in quotes");
}

TEST(ParseYaml, AnUnclosedQuoteIsFoundWhereItOpens) {
  const std::string cause = "the quote that opens here is never closed";
  EXPECT_EQ(refusal("a: \"x\nb: 2\n"), "f.yml:1:4: " + cause);
  EXPECT_EQ(refusal("a: 'it''s\nb: 2\n"), "f.yml:1:4: " + cause);
  EXPECT_EQ(refusal("a: [1, \"x]\nb: 2\n"), "f.yml:1:8: " + cause);
  EXPECT_EQ(refusal("a: !!str &q 'x\n"), "f.yml:1:4: " + cause);
}

TEST(ParseYaml, ATextCutOffWithinAKeyIsRefused) {
  EXPECT_EQ(refusal("a: 1\npostgr"),
            "f.yml:2:1: a key without \":\"; the text may have been cut off here");
}

TEST(ParseYaml, AKeyAtTheEndMayLackItsValue) {
  EXPECT_EQ(read_json("a:"), R"({"a":null})");
  EXPECT_EQ(read_json("a:\n  b : # none\n"), R"({"a":{"b":null}})");
  EXPECT_EQ(read_json("? a"), R"({"a":null})");
  EXPECT_EQ(read_json("{a: 1, b}"), R"({"a":1,"b":null})");
}

TEST(ParseYaml, RefusesWhatPyYamlRefuses) {
  for (const auto* text : {"a: 1\n b: 2\n",
                           "a: b: c\n",
                           "- a\nb: 1\n",
                           "[1, 2\n",
                           "{a: 1\n",
                           "x: @y\n",
                           "x: `y`\n",
                           "a: 1\n---\nb: 2\n",
                           "? [a]\n: 1\n",
                           ": x\n",
                           "&a [*a]\n",
                           "a: !local x\n",
                           "a: !!python/object:os.system x\n",
                           "a: !!binary aGk=\n",
                           "a: !!int x\n",
                           "a: !!str [1]\n",
                           "a: !!omap [x: 1]\n",
                           "<<: 1\n",
                           "<<: [1]\n",
                           "a: *nowhere\n"}) {
    refusal(text);
  }
}

TEST(ParseYaml, RefusesBytesThatAreNoPrintableUtf8) {
  EXPECT_TRUE(refusal("a: 1\nb: \x01\n").starts_with("f.yml:2:4: byte 0x01 may not stand in YAML"));
  EXPECT_TRUE(refusal("a: \xff\n").starts_with("f.yml:1:4: byte 0xFF"));
  EXPECT_TRUE(refusal(std::string_view("a\0b", 3)).starts_with("f.yml:1:2: byte 0x00"));
}

TEST(ParseYaml, DepthIsBoundedAndTheBoundCanBeReached) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  read(nested(tree_depth_max));
  EXPECT_NE(refusal(nested(tree_depth_max + 1)).find("nested deeper than 64"), std::string::npos);
  refusal(std::string(100'000, '['));
  std::string dashes;
  for (int i = 0; i < 10'000; ++i) dashes += "- ";
  refusal(dashes);
}

TEST(ParseYaml, AnAliasCannotGoDeeperThanTheLimit) {
  std::string text = "a: &a " + std::string(40, '[') + std::string(40, ']') + "\nb: ";
  text += std::string(40, '[') + "*a" + std::string(40, ']') + "\n";
  EXPECT_NE(refusal(text).find("nested deeper"), std::string::npos);
}

TEST(ParseYaml, CopiesOfAliasesCountAgainstTheLimit) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += "*a" + std::to_string(i - 1) + ", ";
    text += "]\n";
  }
  EXPECT_NE(refusal(text).find("copies of aliases included"), std::string::npos);
  std::string long_scalar = "a: &a '" + std::string(500'000, 'x') + "'\nb: [";
  for (int k = 0; k < 20; ++k) long_scalar += "*a, ";
  EXPECT_NE(refusal(long_scalar + "]\n").find("bytes, copies"), std::string::npos);
}

TEST(ParseYaml, TheSizeOfATextIsBounded) {
  EXPECT_NE(refusal("a: " + std::string(yaml_bytes_max, 'x')).find("longer than"),
            std::string::npos);
}

// The alphabet of YAML's own characters finds more than arbitrary bytes would.
TEST(ParseYaml, NoTextOfItsAlphabetDoesHarm) {
  std::mt19937 chance(20240613);
  const std::string alphabet = " \n\t:-?,[]{}#&*!|>'\"%@`~ab01.<=\\\r\xC3\xA9\xFF";
  std::uniform_int_distribution<std::size_t> any(0, alphabet.size() - 1);
  std::uniform_int_distribution<int> length(0, 60);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = length(chance); i > 0; --i) text += alphabet[any(chance)];
    const auto document = parse_yaml(text, "f");
    if (!document) continue;
    const auto written = to_yaml(document->tree);
    ASSERT_TRUE(parse_yaml(written, "again")) << written;
  }
}

TEST(ParseYaml, EveryCutOfADocumentIsReadOrRefused) {
  const std::string text =
      "scope: demo\nrestapi: {listen: '*:8008', tags: [a, \"b\"]}\npg:\n  <<: &m {x: |-\n"
      "  }\n  hba:\n  - host all all 0.0.0.0/0 md5 # any\n  cmd: >-\n    a\n    b\n  y: !!str 1\n";
  for (std::size_t i = 0; i <= text.size(); ++i) parse_yaml(text.substr(0, i), "cut");
}

}  // namespace
}  // namespace tanist::yaml

// SPDX-License-Identifier: Apache-2.0
// The short cut and the real parser say the same, or the short cut says nothing.
#include "base/json_plain.h"

#include <gtest/gtest.h>

#include <random>

#include "base/json.h"

namespace tanist {
namespace {

// An escape sends the whole text to the real parser.
Result<Tree> by_the_real_parser(const std::string& text) {
  auto both = parse_json("[" + text + ",\"\\u0041\"]");
  if (!both) return both;
  if (both->as_list()->size() != 2) return fail(Errc::invalid, "not one document");
  return both->as_list()->front();
}

const std::vector<std::string> documents{
    R"({"conn_url":"postgres://n1:5432/postgres","api_url":"http://n1:8008/patroni",)"
    R"("state":"running","role":"replica","version":"4.1.4","xlog_location":33555032,)"
    R"("timeline":1,"tags":{"nosync":true}})",
    R"({"optime":50332648,"slots":{"n1":50332648,"n2":1},"retain_slots":["n2","n3"]})",
    R"({ "ttl" : 30,	"loop_wait":-10, "pause":false, "slots":null, "list":[], "map":{} })",
    R"([[1,33556480,"no recovery target specified","2026-01-01T00:00:00+00:00","n2"]])",
    R"("just a text")",
    "0",
    "-7",
    "true",
    "null",
    "[]",
    "{}",
    "999999999999999999"};

TEST(PlainJson, IsReadAsTheRealParserReadsIt) {
  for (const auto& text : documents) {
    Tree read;
    ASSERT_TRUE(read_plain_json(text, read)) << text;
    EXPECT_EQ(read, *by_the_real_parser(text)) << text;
    EXPECT_EQ(*parse_json(text), read) << text;
  }
}

TEST(PlainJson, LeavesWhatIsNotPlainToTheRealParser) {
  for (const std::string text : {R"("a\nb")",
                                 R"({"a":1,"a":2})",
                                 "1.5",
                                 "1e3",
                                 "-0",
                                 "01",
                                 "9223372036854775807",
                                 "\"\xC3\xA9\"",
                                 "\"\x7F\"",
                                 "",
                                 " ",
                                 "[1,]",
                                 "{\"a\"}",
                                 "tru",
                                 "[1",
                                 "\"open",
                                 "1 2",
                                 "{1:2}",
                                 "-",
                                 "+1",
                                 "\xEF\xBB\xBF{}",
                                 "'a'",
                                 "[1 2]",
                                 "nul",
                                 "{\"a\":}",
                                 "]"}) {
    Tree read;
    EXPECT_FALSE(read_plain_json(text, read)) << text;
  }
  EXPECT_EQ(parse_json(R"({"a":1,"a":2})")->find("a")->as_int()[0], 2);
}

TEST(PlainJson, StopsAtTheSameDepth) {
  const auto nested = [](int depth) {
    const auto size = static_cast<std::size_t>(depth);
    return std::string(size, '[') + std::string(size, ']');
  };
  Tree read;
  for (int depth = 1; depth < 2 * tree_depth_max; ++depth) {
    if (!read_plain_json(nested(depth), read)) continue;
    EXPECT_LE(depth, tree_depth_max);
  }
  EXPECT_TRUE(parse_json(nested(tree_depth_max)));
  EXPECT_FALSE(parse_json(nested(tree_depth_max + 1)));
}

// Bytes changed, lost and doubled: what is still taken must mean the same to the real parser.
TEST(PlainJson, NeverDiffersOnDamagedDocuments) {
  std::mt19937 chance(1);
  const std::string bytes = "{}[]\",:\\0123456789-+.eEtrufalsn \t\n\x01\x7F\x80\xFF";
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    auto text = documents[chance() % documents.size()];
    for (auto i = chance() % 3 + 1; i > 0 && !text.empty(); --i) {
      const auto at = chance() % text.size();
      const auto what = chance() % 3;
      if (what == 0) text[at] = bytes[chance() % bytes.size()];
      if (what == 1) text.erase(at, 1);
      if (what == 2) text.insert(at, 1, bytes[chance() % bytes.size()]);
    }
    Tree read;
    if (!read_plain_json(text, read)) continue;
    ++taken;
    const auto real = by_the_real_parser(text);
    ASSERT_TRUE(real) << text;
    ASSERT_EQ(read, *real) << text;
  }
  EXPECT_GT(taken, 1000);
}

}  // namespace
}  // namespace tanist

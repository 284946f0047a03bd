// SPDX-License-Identifier: Apache-2.0
// Options in every shape, and what must not pass in any of them.
#include "postgres/tool_options.h"

#include <gmock/gmock.h>

#include "base/json.h"

namespace tanist::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ToolOptions options(Tool tool, std::string_view json, std::int64_t major = 15) {
  return tool_options(tool, *parse_json(json), major);
}

TEST(ToolOptionsOf, TakeListsAndMaps) {
  const auto list = options(
      Tool::initdb, R"(["data-checksums", {"encoding": "UTF8"}, {"locale": "'C'"}, "lc-time=C"])");
  EXPECT_THAT(list.arguments,
              ElementsAre("--data-checksums", "--encoding=UTF8", "--locale=C", "--lc-time=C"));
  EXPECT_THAT(list.errors, IsEmpty());
  const auto map = options(
      Tool::basebackup,
      R"({"max-rate": "100M", "checkpoint": "fast", "verbose": true, "label": "", "x": null})");
  EXPECT_THAT(map.arguments, ElementsAre("--max-rate=100M", "--checkpoint=fast", "--verbose=True"));
  EXPECT_THAT(options(Tool::rewind, "null").arguments, IsEmpty());
}

// Trap 133.
TEST(ToolOptionsOf, RefuseForbiddenNamesInEveryShape) {
  for (const auto* json :
       {R"(["pgdata"])", R"(["pgdata=/x"])", R"([{"pgdata": "/x"}])", R"({"pgdata": "/x"})",
        R"(["pgd=/x"])", R"(["-D/x"])", R"([{"": "x"}])"}) {
    const auto result = options(Tool::basebackup, json);
    EXPECT_THAT(result.arguments, IsEmpty()) << json;
    EXPECT_EQ(result.errors.size(), 1U) << json;
  }
  EXPECT_THAT(options(Tool::basebackup, R"(["host"])").errors,
              ElementsAre("host option for basebackup is not allowed"));
  EXPECT_THAT(options(Tool::rewind, R"({"dry-run": true})").errors,
              ElementsAre("dry-run option for pg_rewind is not allowed"));
}

TEST(ToolOptionsOf, LetCompressThroughOnlyOnTheServerSince15) {
  EXPECT_THAT(options(Tool::basebackup, R"([{"compress": "server-gzip:5"}])").arguments,
              ElementsAre("--compress=server-gzip:5"));
  EXPECT_THAT(options(Tool::basebackup, R"([{"compress": "server-gzip:5"}])", 14).arguments,
              IsEmpty());
  EXPECT_THAT(options(Tool::basebackup, R"([{"compress": "5"}, "compress"])").arguments, IsEmpty());
  EXPECT_THAT(options(Tool::basebackup, R"([{"checkpoint": "fast"}])", 14).arguments,
              ElementsAre("--checkpoint=fast"));
}

TEST(ToolOptionsOf, SayWhatIsWrongWithAnItem) {
  const auto result = options(Tool::initdb, R"([{"a": 1}, {"a": "1", "b": "2"}, 5])");
  EXPECT_THAT(result.arguments, IsEmpty());
  ASSERT_EQ(result.errors.size(), 3U);
  EXPECT_EQ(result.errors[0],
            "Error when parsing initdb key-value option {\"a\":1}: only one key-value is allowed "
            "and value should be a string");
  EXPECT_EQ(result.errors[2],
            "Error when parsing initdb option 5: value should be string value or a single "
            "key-value pair");
  EXPECT_THAT(options(Tool::initdb, "\"x\"").errors,
              ElementsAre("initdb options must be list or dict"));
}

TEST(CommandSplitting, IsTheShells) {
  EXPECT_THAT(*split_command("/bin/a  -x 'b c' \"d \\\" $e\" f\\ g ''"),
              ElementsAre("/bin/a", "-x", "b c", "d \" $e", "f g", ""));
  EXPECT_THAT(*split_command("a\"b\"'c'"), ElementsAre("abc"));
  EXPECT_THAT(*split_command("\"a\\nb\""), ElementsAre("a\\nb"));
  for (const auto* text : {"", "  ", "a 'b", "a \"b", "a\\"})
    EXPECT_FALSE(split_command(text)) << text;
}

TEST(MethodArguments, KeepOrderAndPythonsSpelling) {
  const auto section = *parse_json(R"({"command": "x", "b": true, "a": 5, "c": null, "d": "e f"})");
  EXPECT_THAT(method_arguments(section, {"command"}),
              ElementsAre("--b=True", "--a=5", "--c=None", "--d=e f"));
  EXPECT_THAT(method_arguments(Tree(), {}), IsEmpty());
}

}  // namespace
}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Tests of the reading of words: forms of options, what is left over, what is missing.
#include "ctl/command_line.h"

#include <gtest/gtest.h>

namespace tanist::ctl {
namespace {

using Words = std::vector<std::string>;

CommandLine taken(const Words& words) {
  auto line = read_command_line(words, "tanistctl");
  EXPECT_TRUE(line) << line.error().message;
  return line ? *line : CommandLine();
}

std::string refusal(const Words& words) {
  const auto line = read_command_line(words, "tanistctl");
  return line ? "none" : line.error().message;
}

std::string last_line(const std::string& text) { return text.substr(text.find("Error: ")); }

TEST(CommandLine, AValueStandsBehindItsOptionOrIsPartOfIt) {
  for (const auto& words : {Words{"list", "-f", "json"}, Words{"list", "-fjson"},
                            Words{"list", "--format", "json"}, Words{"list", "--format=json"}}) {
    EXPECT_EQ(taken(words).given.text("--format"), "json");
  }
}

TEST(CommandLine, ShortFlagsMayBeJoined) {
  const auto line = taken({"list", "-etWfjson"});
  EXPECT_TRUE(line.given.has("--extended"));
  EXPECT_TRUE(line.given.has("--timestamp"));
  EXPECT_TRUE(line.given.has("-W"));
  EXPECT_EQ(line.given.text("--format"), "json");
}

TEST(CommandLine, TheLastValueCounts) {
  EXPECT_EQ(taken({"list", "-f", "tsv", "-f", "json"}).given.text("--format"), "json");
}

TEST(CommandLine, AValueMayLookLikeAnOption) {
  EXPECT_EQ(taken({"query", "-c", "-- nothing"}).given.text("--command"), "-- nothing");
}

TEST(CommandLine, TwoDashesEndTheOptions) {
  EXPECT_EQ(taken({"list", "--", "-e"}).given.all("CLUSTER_NAMES"), Words{"-e"});
}

TEST(CommandLine, ASingleDashIsAName) {
  EXPECT_EQ(taken({"list", "-"}).given.all("CLUSTER_NAMES"), Words{"-"});
}

TEST(CommandLine, HelpMakesNothingMissing) {
  EXPECT_TRUE(taken({"reload", "--help"}).wants_help);
  EXPECT_TRUE(taken({"--help"}).wants_help);
}

TEST(CommandLine, AUsageErrorHasThreeLines) {
  EXPECT_EQ(refusal({"list", "--foo"}),
            "Usage: tanistctl list [OPTIONS] [CLUSTER_NAMES]...\n"
            "Try 'tanistctl list --help' for help.\n\n"
            "Error: No such option: --foo");
  EXPECT_EQ(refusal({"--foo"}),
            "Usage: tanistctl [OPTIONS] COMMAND [ARGS]...\n"
            "Try 'tanistctl --help' for help.\n\n"
            "Error: No such option: --foo");
}

TEST(CommandLine, WordsOfOtherErrors) {
  EXPECT_EQ(last_line(refusal({"list", "-f"})), "Error: Option '-f' requires an argument.");
  EXPECT_EQ(last_line(refusal({"list", "-e=1"})), "Error: No such option: -=");
  EXPECT_EQ(last_line(refusal({"list", "--extended=1"})),
            "Error: Option '--extended' does not take a value.");
  EXPECT_EQ(last_line(refusal({"show-config", "a", "b"})),
            "Error: Got unexpected extra argument (b)");
  EXPECT_EQ(last_line(refusal({"show-config", "a", "b", "c"})),
            "Error: Got unexpected extra arguments (b c)");
  EXPECT_EQ(last_line(refusal({"demote-cluster", "--port", "x"})),
            "Error: Invalid value for '--port': 'x' is not a valid integer.");
  EXPECT_EQ(last_line(refusal({"pause", "--force"})), "Error: No such option: --force");
}

TEST(CommandLine, AMissingChoiceIsToldWithItsWords) {
  EXPECT_EQ(last_line(refusal({"flush", "shop"})),
            "Error: Missing argument '{restart|switchover}'. Choose from:\n\trestart,\n"
            "\tswitchover");
  EXPECT_EQ(last_line(refusal({"flush", "shop", "x"})),
            "Error: Invalid value for '{restart|switchover}': 'x' is not one of 'restart', "
            "'switchover'.");
}

}  // namespace
}  // namespace tanist::ctl

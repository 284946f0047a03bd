// SPDX-License-Identifier: Apache-2.0
// Tests of the command line: what is taken, and the words of usage errors.
#include "ctl/arguments.h"

#include <gtest/gtest.h>

namespace tanist::ctl {
namespace {

std::string refusal(const std::vector<std::string>& words) {
  const auto arguments = read_arguments(words, {});
  if (arguments) return "none";
  const auto& text = arguments.error().message;
  return text.substr(text.find("Error: "));
}

template <class Options>
Options taken(const std::vector<std::string>& words) {
  const auto arguments = read_arguments(words, {});
  EXPECT_TRUE(arguments) << arguments.error().message;
  return std::get<Options>(arguments->command);
}

TEST(CommandLine, OptionsAndNamesMixInAnyOrder) {
  const auto options = taken<ListOptions>({"list", "shop", "-f", "yml", "version"});
  EXPECT_EQ(options.clusters, (std::vector<std::string>{"shop", "version"}));
  EXPECT_EQ(options.format, Format::yaml);
}

TEST(CommandLine, AnIntervalWinsOverTheFlag) {
  EXPECT_EQ(taken<ListOptions>({"list", "-W", "-w", "0.5"}).watch.count(), 0.5);
  EXPECT_EQ(taken<ListOptions>({"list", "-W"}).watch.count(), 2);
}

TEST(CommandLine, AnEmptyCandidateIsAnAnswer) {
  EXPECT_EQ(taken<HandOverOptions>({"switchover", "--candidate", ""}).candidate, "");
  EXPECT_EQ(taken<HandOverOptions>({"switchover", "shop"}).candidate, std::nullopt);
}

TEST(CommandLine, EachSettingTakesOneValue) {
  const auto options =
      taken<EditConfigOptions>({"edit-config", "-s", "a=1", "shop", "-s", "b=[1, 2]", "-p", "c=3"});
  EXPECT_EQ(options.cluster, "shop");
  EXPECT_EQ(options.set, (std::vector<std::string>{"a=1", "b=[1, 2]"}));
  EXPECT_EQ(options.parameters, (std::vector<std::string>{"c=3"}));
}

TEST(CommandLine, StandardInputIsAValue) {
  EXPECT_EQ(taken<EditConfigOptions>({"edit-config", "--apply", "-"}).apply, "-");
}

TEST(CommandLine, JournalsAreNamedOneByOne) {
  const auto options = taken<ExplainOptions>(
      {"explain", "--file", "a", "--file", "b", "-f", "markdown", "--last-failover"});
  EXPECT_EQ(options.files, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.format, ReportFormat::markdown);
  EXPECT_EQ(options.since, std::nullopt);
  EXPECT_EQ(taken<WhatIfOptions>({"whatif", "node2", "--cluster", "shop"}).member, "node2");
  EXPECT_EQ(taken<ReplayOptions>({"replay", "x"}).file, "x");
  EXPECT_EQ(refusal({"explain", "-f", "xml"}),
            "Error: Invalid value for '--format' / '-f': 'xml' is not one of 'text', 'json', "
            "'markdown'.");
}

TEST(CommandLine, WithoutACommandThereIsHelp) {
  EXPECT_NE(taken<ShowText>({}).text.find("Exit codes"), std::string::npos);
  EXPECT_NE(taken<ShowText>({"list", "--help"}).text.find("tanistctl list"), std::string::npos);
}

TEST(CommandLine, UsageErrorsHaveTheWordsThatScriptsKnow) {
  EXPECT_EQ(refusal({"list", "--foo"}), "Error: No such option: --foo");
  EXPECT_EQ(refusal({"list", "-c", "x"}), "Error: No such option: -c");
  EXPECT_EQ(refusal({"members"}), "Error: No such command 'members'.");
  EXPECT_EQ(refusal({"reload"}), "Error: Missing argument 'CLUSTER_NAME'.");
  EXPECT_EQ(refusal({"restart", "shop", "-r", "foo"}),
            "Error: Invalid value for '--role' / '-r': 'foo' is not one of 'leader', 'primary', "
            "'standby-leader', 'replica', 'standby', 'any'.");
  EXPECT_EQ(refusal({"list", "-w", "x"}),
            "Error: Invalid value for '--watch' / '-w': 'x' is not a valid float.");
}

TEST(CommandLine, LongOptionsAreNotAbbreviated) {
  EXPECT_EQ(refusal({"list", "--ext"}), "Error: No such option: --ext");
}

}  // namespace
}  // namespace tanist::ctl

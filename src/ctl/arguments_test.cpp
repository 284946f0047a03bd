// SPDX-License-Identifier: Apache-2.0
// Tests of the command line: what is taken, and the words of usage errors.
#include "ctl/arguments.h"

#include <gtest/gtest.h>

#include "ctl/command_table.h"

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

TEST(Options, OptionsAndNamesMixInAnyOrder) {
  const auto options = taken<ListOptions>({"list", "shop", "-f", "yml", "version"});
  EXPECT_EQ(options.clusters, (std::vector<std::string>{"shop", "version"}));
  EXPECT_EQ(options.format, Format::yaml);
}

TEST(Options, AnIntervalWinsOverTheFlag) {
  EXPECT_EQ(taken<ListOptions>({"list", "-W", "-w", "0.5"}).watch.count(), 0.5);
  EXPECT_EQ(taken<ListOptions>({"list", "-W"}).watch.count(), 2);
}

TEST(Options, AnEmptyCandidateIsAnAnswer) {
  EXPECT_EQ(taken<HandOverOptions>({"switchover", "--candidate", ""}).candidate, "");
  EXPECT_EQ(taken<HandOverOptions>({"switchover", "shop"}).candidate, std::nullopt);
}

TEST(Options, EachSettingTakesOneValue) {
  const auto options =
      taken<EditConfigOptions>({"edit-config", "-s", "a=1", "shop", "-s", "b=[1, 2]", "-p", "c=3"});
  EXPECT_EQ(options.cluster, "shop");
  EXPECT_EQ(options.set, (std::vector<std::string>{"a=1", "b=[1, 2]"}));
  EXPECT_EQ(options.parameters, (std::vector<std::string>{"c=3"}));
}

TEST(Options, StandardInputIsAValue) {
  EXPECT_EQ(taken<EditConfigOptions>({"edit-config", "--apply", "-"}).apply, "-");
}

TEST(Options, JournalsAreNamedOneByOne) {
  const auto options = taken<ExplainOptions>(
      {"explain", "--file", "a", "--file", "b", "-f", "markdown", "--last-failover"});
  EXPECT_EQ(options.files, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.format, ReportFormat::markdown);
  EXPECT_EQ(options.since, std::nullopt);
  EXPECT_EQ(taken<WhatIfOptions>({"whatif", "node2", "--cluster", "shop"}).member, "node2");
  EXPECT_EQ(taken<ReplayOptions>({"replay", "x"}).file, "x");
}

TEST(Options, WithoutACommandThereIsHelp) {
  EXPECT_NE(taken<ShowText>({}).text.find("Exit codes"), std::string::npos);
  EXPECT_NE(taken<ShowText>({"list", "--help"}).text.find("tanistctl list"), std::string::npos);
}

TEST(Options, EveryCommandOfTheTableIsMade) {
  for (const auto& command : command_table()) {
    std::vector<std::string> words{command.name};
    for (const auto& argument : command.arguments) {
      if (argument.is_required) words.push_back(argument.words.empty() ? "x" : argument.words[0]);
    }
    if (command.name == "provision") words.insert(words.end(), {"-o", "x"});
    EXPECT_EQ(refusal(words), "none") << command.name;
  }
}

TEST(Options, TheTargetOfAFlushStandsBehindTheMembers) {
  const auto options = taken<FlushOptions>({"flush", "shop", "a1", "a2", "restart"});
  EXPECT_EQ(options.cluster, "shop");
  EXPECT_EQ(options.members, (std::vector<std::string>{"a1", "a2"}));
  EXPECT_TRUE(options.restarts);
  EXPECT_FALSE(taken<FlushOptions>({"flush", "shop", "switchover"}).restarts);
}

TEST(Options, OfAQueryTheShortFIsTheFile) {
  EXPECT_EQ(taken<QueryOptions>({"query", "-f", "/dev/null"}).file, "/dev/null");
  EXPECT_EQ(taken<QueryOptions>({"query", "-c", "SELECT 1"}).format, "tsv");
  EXPECT_EQ(refusal({"query", "-f", "/no/such/file"}),
            "Error: Invalid value for '--file' / '-f': '/no/such/file': No such file or directory");
}

TEST(Options, ALinkNamedPatronictlSpeaksAsPatronictl) {
  const auto help = read_arguments({"list", "--help"}, {}, "patronictl");
  EXPECT_TRUE(std::get<ShowText>(help->command).text.starts_with("Usage: patronictl list "));
  const auto version = read_arguments({"version"}, {}, "patronictl");
  EXPECT_EQ(std::get<VersionOptions>(version->command).program, "patronictl");
}

TEST(Options, OfTheProgramStandBeforeTheCommand) {
  const auto arguments =
      read_arguments({"-k", "-c", "a.yml", "--dcs", "etcd3://b", "list"}, {.config_file = "x"});
  EXPECT_EQ(arguments->global.config_file, "a.yml");
  EXPECT_EQ(arguments->global.dcs_url, "etcd3://b");
  EXPECT_TRUE(arguments->global.insecure);
  EXPECT_EQ(read_arguments({"list"}, {.config_file = "x"})->global.config_file, "x");
}

TEST(Options, UsageErrorsHaveTheWordsThatScriptsKnow) {
  EXPECT_EQ(refusal({"list", "--foo"}), "Error: No such option: --foo");
  EXPECT_EQ(refusal({"list", "-c", "x"}), "Error: No such option: -c");
  EXPECT_EQ(refusal({"members"}), "Error: No such command 'members'.");
  EXPECT_EQ(refusal({"reload"}), "Error: Missing argument 'CLUSTER_NAME'.");
  EXPECT_EQ(refusal({"restart", "shop", "-r", "foo"}),
            "Error: Invalid value for '--role' / '-r': 'foo' is not one of 'leader', 'primary', "
            "'standby-leader', 'replica', 'standby', 'any'.");
  EXPECT_EQ(refusal({"list", "-w", "x"}),
            "Error: Invalid value for '-w' / '--watch': 'x' is not a valid float.");
}

TEST(Options, LongOptionsAreNotAbbreviated) {
  EXPECT_EQ(refusal({"list", "--ext"}), "Error: No such option: --ext");
}

}  // namespace
}  // namespace tanist::ctl

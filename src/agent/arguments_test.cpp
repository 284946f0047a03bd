// SPDX-License-Identifier: Apache-2.0
// Command lines of the agent.
#include "agent/arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tanist::agent {
namespace {

using ::testing::HasSubstr;

TEST(ReadArguments, RunsWithTheFileThatIsNamed) {
  const auto read = read_arguments({"/etc/tanist.yml"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->mode, Mode::run);
  EXPECT_EQ(read->config_file, "/etc/tanist.yml");
}

TEST(ReadArguments, RunsWithTheEnvironmentAloneWhenNoFileIsNamed) {
  const auto read = read_arguments({});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->config_file, "");
}

TEST(ReadArguments, TakesAnyUnambiguousBeginningOfALongOption) {
  const auto read = read_arguments({"--valid", "-i", "-p", "x.yml"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->mode, Mode::validate);
  EXPECT_TRUE(read->ignore_listen_port);
  EXPECT_TRUE(read->print);
}

TEST(ReadArguments, RefusesTwoModesAtOnce) {
  const auto read = read_arguments({"--validate-config", "--generate-sample-config"});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Errc::invalid);
}

TEST(ReadArguments, RefusesAnUnknownOptionAndPointsToTheHelp) {
  const auto read = read_arguments({"--no-such-thing"});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr("--help"));
}

TEST(ReadArguments, HelpTeachesAndVersionTellsTheProgramAndItsNumber) {
  const auto help = read_arguments({"--help"});
  ASSERT_TRUE(help);
  EXPECT_EQ(help->mode, Mode::show_text);
  EXPECT_THAT(help->text, HasSubstr("Exit codes"));
  const auto version = read_arguments({"--version"});
  ASSERT_TRUE(version);
  EXPECT_EQ(version->text, std::string("tanist ") + TANIST_VERSION + "\n");
}

}  // namespace
}  // namespace tanist::agent

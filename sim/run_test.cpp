// SPDX-License-Identifier: Apache-2.0
// The simulator as a test: the same seed gives the same run, seeds that once failed, and new ones.
#include "sim/run.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace tanist::sim {
namespace {

std::string told(const RunResult& result) {
  return result.violation ? result.violation->rule + ": " + result.violation->detail : "";
}

void expect_good(const RunOptions& options) {
  const auto result = run(options);
  EXPECT_EQ(told(result), "") << "replay: tanist-sim --seed " << options.seed << " --seconds "
                              << options.seconds_of_trouble << " --story";
}

TEST(Simulation, SameSeedGivesSameHash) {
  const RunOptions options{.seed = 11, .seconds_of_trouble = 30};
  const auto first = run(options);
  EXPECT_EQ(first.hash, run(options).hash);
  EXPECT_NE(first.hash, run({.seed = 12, .seconds_of_trouble = 30}).hash);
}

TEST(Simulation, ClientsWriteAboutOnceASecondWhenNothingHappens) {
  const auto result = run({.seed = 1,
                           .nodes = 3,
                           .seconds_of_trouble = 4000,
                           .synchronous_mode = {},
                           .failsafe_mode = {},
                           .ttl = 30,
                           .fault_interval = 1'000'000});
  EXPECT_EQ(told(result), "");
  EXPECT_GT(result.acknowledged, 3500U);
  EXPECT_LT(result.acknowledged, 6500U);
}

TEST(Simulation, StoryDoesNotChangeTheRun) {
  RunOptions options{.seed = 13, .seconds_of_trouble = 30};
  const auto silent = run(options);
  options.story = true;
  const auto told_one = run(options);
  EXPECT_EQ(silent.hash, told_one.hash);
  EXPECT_FALSE(told_one.story.empty());
}

// `synchronous=MODE`, `failsafe=on`, `nodes=N`, `ttl=N` and `only=KIND,KIND` where the run was made
// so; false for any other word.
bool take_option(RunOptions& options, const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos) return false;
  const auto name = word.substr(0, equals);
  const auto value = word.substr(equals + 1);
  if (name == "synchronous") options.synchronous_mode = value;
  if (name == "failsafe") options.failsafe_mode = value == "on";
  if (name == "standby") options.standby_cluster = value == "on";
  if (name == "nodes") options.nodes = std::stoi(value);
  if (name == "ttl") options.ttl = std::stoi(value);
  std::istringstream kinds(name == "only" ? value : std::string());
  for (std::string kind; std::getline(kinds, kind, ',');) options.only.push_back(kind);
  return true;
}

// Lines "SEED SECONDS [OPTIONS]"; the rest of a line tells what it once found.
TEST(Simulation, SeedsThatOnceFailedAreGood) {
  std::ifstream file(TANIST_SIM_SEEDS);
  ASSERT_TRUE(file.is_open());
  std::string line;
  int count = 0;
  while (std::getline(file, line)) {
    RunOptions options;
    std::istringstream words(line);
    if (line.starts_with('#') || !(words >> options.seed >> options.seconds_of_trouble)) continue;
    std::string word;
    while (words >> word && take_option(options, word)) {
    }
    ++count;
    expect_good(options);
  }
  EXPECT_GT(count, 0);
}

TEST(Simulation, NewSeedsAreGood) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    expect_good({.seed = seed, .seconds_of_trouble = 60});
  }
}

}  // namespace
}  // namespace tanist::sim

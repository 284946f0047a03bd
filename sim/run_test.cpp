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

TEST(Simulation, StoryDoesNotChangeTheRun) {
  RunOptions options{.seed = 13, .seconds_of_trouble = 30};
  const auto silent = run(options);
  options.story = true;
  const auto told_one = run(options);
  EXPECT_EQ(silent.hash, told_one.hash);
  EXPECT_FALSE(told_one.story.empty());
}

// Lines "SEED SECONDS"; the rest of a line tells what it once found.
TEST(Simulation, SeedsThatOnceFailedAreGood) {
  std::ifstream file(TANIST_SIM_SEEDS);
  ASSERT_TRUE(file.is_open());
  std::string line;
  int count = 0;
  while (std::getline(file, line)) {
    RunOptions options;
    std::istringstream words(line);
    if (line.starts_with('#') || !(words >> options.seed >> options.seconds_of_trouble)) continue;
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

// SPDX-License-Identifier: Apache-2.0
// Runs the transcripts of this folder. `scenario_test --rewrite` writes what the node does now; the
// diff is what reviewers read. Each reason of core/why.h must occur in at least one.
#include "transcript.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/why.h"

namespace tanist::scenarios {
namespace {

bool rewrite = false;

std::vector<std::filesystem::path> transcripts() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(TANIST_SCENARIOS)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class Transcript : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Transcript, IsWhatTheNodeDoes) {
  const auto before = read(GetParam());
  const auto run = run_transcript(before);
  EXPECT_EQ(run.text.find("ERROR: "), std::string::npos) << run.text;
  if (rewrite) {
    std::ofstream(GetParam()) << run.text;
  } else {
    EXPECT_EQ(run.text, before) << "scenario_test --rewrite writes what the node does now";
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, Transcript, ::testing::ValuesIn(transcripts()),
                         [](const auto& each) { return each.param.stem().string(); });

TEST(Transcripts, EveryReasonOccursInOne) {
  std::set<std::string> given;
  for (const auto& path : transcripts()) given.merge(run_transcript(read(path)).reasons);
  for (const auto& [reason, name] : names_of(Reason())) {
    EXPECT_TRUE(given.contains(std::string(name))) << name << " occurs in no transcript";
  }
}

}  // namespace
}  // namespace tanist::scenarios

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  tanist::scenarios::rewrite = argc > 1 && std::string(argv[1]) == "--rewrite";
  return RUN_ALL_TESTS();
}

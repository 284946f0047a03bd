// SPDX-License-Identifier: Apache-2.0
// Runs the transcripts of this folder: each block of commands stands before a line `----` and what
// the node then did. `scenario_test --rewrite` writes what it does now; the diff is what reviewers
// read. Each reason of core/why.h must occur in at least one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "script.h"

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

// A scenario begins with a line `== its name`; within it commands, `----`, output, empty line.
struct Run {
  std::string text;               // the transcript as it is now
  std::set<std::string> reasons;  // that were given
};

class Runner {
 public:
  explicit Runner(const std::string& transcript) : input_(transcript) {}

  Run run() {
    std::string line;
    while (std::getline(input_, line)) {
      if (line.starts_with("== ")) {
        finish_scenario();
        world_ = std::make_unique<World>();
      }
      if (line == "----") {
        skip_old_output();
        const auto output = errors_ + (world_ ? world_->take_output() : std::string());
        errors_.clear();
        result_.text += "----\n" + output + "\n";
        continue;
      }
      result_.text += line + "\n";
      if (!world_ || line.starts_with("== ")) continue;
      const auto error = carry_out_line(*world_, line);
      if (!error.empty()) errors_ += "ERROR: " + line + ": " + error + "\n";
    }
    finish_scenario();
    return result_;
  }

 private:
  void skip_old_output() {
    std::string line;
    while (std::getline(input_, line) && !line.empty()) {
    }
  }

  void finish_scenario() {
    if (world_) result_.reasons.insert(world_->reasons().begin(), world_->reasons().end());
  }

  std::istringstream input_;
  std::unique_ptr<World> world_;
  std::string errors_;
  Run result_;
};

class Transcript : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(Transcript, IsWhatTheNodeDoes) {
  const auto before = read(GetParam());
  const auto run = Runner(before).run();
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
  for (const auto& path : transcripts()) given.merge(Runner(read(path)).run().reasons);
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

// SPDX-License-Identifier: Apache-2.0
// Running of transcripts.
#include "transcript.h"

#include <memory>
#include <sstream>

#include "script.h"

namespace tanist::scenarios {

namespace {

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

}  // namespace

Run run_transcript(const std::string& transcript) { return Runner(transcript).run(); }

}  // namespace tanist::scenarios

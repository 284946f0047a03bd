// SPDX-License-Identifier: Apache-2.0
// Transcripts: blocks of commands, each before a line `----` and what the node then did.
// Test code only.
#pragma once

#include <set>
#include <string>

namespace tanist::scenarios {

// A scenario begins with a line `== its name`; within it commands, `----`, output, empty line.
struct Run {
  std::string text;               // the transcript as it is now
  std::set<std::string> reasons;  // that were given
};

Run run_transcript(const std::string& transcript);

}  // namespace tanist::scenarios

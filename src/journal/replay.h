// SPDX-License-Identifier: Apache-2.0
// Deciding again from a journal: the same code must come to the same decisions, another version
// shows where it differs. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "journal/entry.h"

namespace tanist::journal {

struct Difference {
  std::string path;  // "why.reason"
  Tree before;       // as it stands in the journal; null = absent
  Tree now;
};

// Empty when decide() comes to the decision that was recorded.
std::vector<Difference> decide_again(const Decided& decided);

}  // namespace tanist::journal

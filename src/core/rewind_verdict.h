// SPDX-License-Identifier: Apache-2.0
// Has this node's data left the leader's history (contract postgres 9.2)? Pure; any thread.
#pragma once

#include <string>

#include "core/server_actions.h"

namespace tanist {

enum class Divergence { unknown, none, diverged };

struct RewindVerdict {
  Divergence divergence = Divergence::unknown;
  std::string reason;  // one line for the log
};

RewindVerdict judge_divergence(const DivergenceFacts& facts);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The operator's text of a Why: one line per cycle, as alerting matches it (contract ha 26).
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/action.h"
#include "core/observation.h"

namespace tanist {

struct StatusLine {
  LineLevel level = LineLevel::info;
  std::string text;             // empty = nothing to say
  std::vector<LogLine> before;  // what is said before it, as often
};

// What `why` means to the operator, with PAUSE before it while the cluster is paused.
StatusLine status_line(const Why& why, const Observation& obs);

}  // namespace tanist

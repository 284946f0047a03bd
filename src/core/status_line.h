// SPDX-License-Identifier: Apache-2.0
// The operator's text of a Why: one line per cycle, as alerting matches it (contract ha 26).
// Pure; any thread.
#pragma once

#include <string>

#include "core/observation.h"

namespace tanist {

struct StatusLine {
  LineLevel level = LineLevel::info;
  std::string text;   // empty = nothing to say
  std::string error;  // a line of level ERROR that goes before it; empty = none
};

// `role_is_primary`: some lines differ for a running primary.
StatusLine status_line(const Why& why, const Observation& obs);

}  // namespace tanist

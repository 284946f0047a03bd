// SPDX-License-Identifier: Apache-2.0
// How a transcript shows what the loop ordered. Test code only.
#pragma once

#include <string>

#include "agent/loop/event.h"

namespace tanist::scenarios {

// "TASK: what, with what": one line.
std::string effect_text(const agent::Effect& effect);
std::string guard_text(const GuardOrder& order);

}  // namespace tanist::scenarios

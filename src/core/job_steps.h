// SPDX-License-Identifier: Apache-2.0
// Each step of a long action: how it is begun and when it is done. Pure; any thread.
#pragma once

#include <string>
#include <variant>

#include "core/draft.h"

namespace tanist {

struct StepGoesOn {};  // ordered, or waiting for a fact
struct StepDone {};
struct StepFailed {
  std::string error;
};
using StepState = std::variant<StepGoesOn, StepDone, StepFailed>;

// Advances the current step of `draft.next.job`. Called again and again until it is done or failed.
StepState advance_step(Draft& draft);

}  // namespace tanist

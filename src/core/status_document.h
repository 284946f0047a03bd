// SPDX-License-Identifier: Apache-2.0
// What is published for the REST thread, made from the observation (contract rest 5-8).
// Pure; any thread.
#pragma once

#include "core/observation.h"
#include "core/status.h"

namespace tanist {

// `memory` is the one of the decision just made.
Status make_status(const Observation& obs, const Memory& memory);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The decision: everything known in, what to do out (design, "One idea"). Pure: no I/O, clock,
// thread, log or chance; the same observation gives the same decision. Any thread.
#pragma once

#include "core/observation.h"

namespace tanist {

// Requires: node, cluster, config and memory of the observation are set.
Decision decide(const Observation& observation);

}  // namespace tanist

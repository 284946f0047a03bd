// SPDX-License-Identifier: Apache-2.0
// The first part of every decision: what the new facts mean for what is remembered - state and role
// of the server (contract ha 2), the last locked view, the edges of a pause. Pure; any thread.
#pragma once

#include "core/draft.h"

namespace tanist {

void digest(Draft& draft);

// The state of the server by the facts, the running step and the state before.
ServerState state_now(const Observation& obs);

// The role by the facts and the role before.
Role role_now(const Observation& obs);

}  // namespace tanist

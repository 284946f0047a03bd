// SPDX-License-Identifier: Apache-2.0
// When which callback is started (contract postgres 12.1). Pure; any thread.
#pragma once

#include <string>

#include "core/draft.h"

namespace tanist {

// Orders the callback with the role to come; not while bootstrapping.
void fire_callback(Draft& draft, std::string event);

// After a successful start: on_role_change when the role changed and some callback was fired
// before, on_restart after a restart, else on_start.
void fire_start_callback(Draft& draft, const Job& job);

// After a stop: on_stop, except within a restart; the role of a primary becomes demoted.
void note_stop(Draft& draft, const Job& job);

}  // namespace tanist

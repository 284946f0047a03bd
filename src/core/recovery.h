// SPDX-License-Identifier: Apache-2.0
// A server that is not running, or that is still starting (contract ha 9 and 10; safety 3.3).
// Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// No postmaster: what is started, and as what.
Why recover_dead_server(Draft& draft);

// The server rejects connections: a Why while it is waited for as the lock holder; nothing where
// the cycle simply goes on.
std::optional<Why> bear_starting_server(Draft& draft);

}  // namespace tanist

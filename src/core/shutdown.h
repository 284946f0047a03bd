// SPDX-License-Identifier: Apache-2.0
// The agent's own end (contract ha 23): the server is stopped and the lock handed over, except in
// pause, where everything stays as it is. Pure; any thread.
#pragma once

#include "core/draft.h"

namespace tanist {

// Requires: a shutdown was requested.
Why shut_down(Draft& draft);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The rules that stop a server which must not write: lost lock, end of the lease, store out of
// reach (safety 1.4, 2.3; contract ha 11 and 12). They come before everything else.
// Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// Past the safe point of a stop nobody can commit any more, though its processes may still be there
// (safety 2.3, 2.6).
bool past_safe_point(const Observation& obs);

// A Why when the server is being stopped at once.
std::optional<Why> fence(Draft& draft);

// The store does not answer: what a primary and a standby do. A Why when nothing else may happen.
std::optional<Why> bear_store_outage(Draft& draft);

}  // namespace tanist

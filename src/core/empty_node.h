// SPDX-License-Identifier: Apache-2.0
// A node without data: bootstrap a cluster, copy a member, or wait (contract ha 4 row 11 and 5).
// Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// A Why when this node has no usable data directory.
std::optional<Why> serve_empty_node(Draft& draft);

// An operator's reinitialize: the data is replaced by a copy (contract ha 15). Requires: checked by
// core/requests.
void begin_reinitialize(Draft& draft, bool from_leader, RequestId request);

}  // namespace tanist

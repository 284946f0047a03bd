// SPDX-License-Identifier: Apache-2.0
// The conditions of a restart, as POST /restart names them (contract rest 12). Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "core/draft.h"
#include "core/request_reply.h"

namespace tanist {

struct RestartFilter {
  std::string role;
  std::int64_t version_below = 0;  // 0 = any
  bool only_pending = false;
  seconds timeout{0};          // 0 = the usual
  std::optional<WallTime> at;  // absent = now
};

// Fields in the order of the body; the first bad one is answered.
RequestOutcome read_restart_filter(const Observation& obs, const Tree& body, RestartFilter* filter);

// Whether the conditions hold now.
bool restart_matches(const Draft& draft, const RestartFilter& filter);

// Begins the long action; `request` waits for its end. Requires: no long action is under way and
// the server lane is free.
void begin_restart(Draft& draft, const RestartFilter& filter, std::optional<RequestId> request);

}  // namespace tanist

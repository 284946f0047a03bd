// SPDX-License-Identifier: Apache-2.0
// A restart at a set time: kept in the memory of this node, shown in its member key, run in a
// locked cluster (contract ha 14). Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// Runs it when its moment has come, or drops it: it is overtaken, stale, or its conditions do not
// hold. Nothing when there is nothing to say beside the line of the cycle.
// Requires: a leader, a server that answers, no long action.
std::optional<Why> run_scheduled_restart(Draft& draft);

// As in the member key; null when none is scheduled.
Tree scheduled_restart_value(const Memory& memory);

}  // namespace tanist

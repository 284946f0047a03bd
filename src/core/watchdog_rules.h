// SPDX-License-Identifier: Apache-2.0
// What a hardware watchdog means for leading (contract ha 6.2 and 20). Whether it runs is observed;
// the device is activated, pinged and closed elsewhere. Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// The operator requires a watchdog, and there is none that can be relied on.
bool watchdog_is_missing(const Observation& obs);

// As watchdog_is_missing(), said in the log: such a node does not race.
bool lacks_required_watchdog(Draft& draft);

// A leader outside pause without the watchdog that is required: a primary is stopped, a standby
// gives the lock back. Requires: the lock is held.
std::optional<Why> heed_watchdog(Draft& draft);

}  // namespace tanist

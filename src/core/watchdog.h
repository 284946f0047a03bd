// SPDX-License-Identifier: Apache-2.0
// What a required hardware watchdog demands of a leader (contract ha 6.2, 7.3, 20): with mode
// `required` nobody leads without a running device. Pure; any thread.
#pragma once

#include <optional>

#include "core/draft.h"

namespace tanist {

// It is required and cannot be used: no race, and published as `watchdog_failed`.
bool watchdog_failed(const Observation& obs);

// Before a promotion, and for a running primary. Nothing = the watchdog is no obstacle.
std::optional<Why> await_watchdog(Draft& draft);

}  // namespace tanist

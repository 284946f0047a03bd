// SPDX-License-Identifier: Apache-2.0
// The one member that `dsn` and `query` are about (contract ctl 4.3 and 4.4). Pure; any thread.
#pragma once

#include "core/upstream.h"
#include "ctl/reading.h"
#include "ctl/verbs.h"

namespace tanist::ctl {

// Errc::invalid when both a role and a member are named.
Result<void> check_target(const TargetOptions& target);

// Where the first member that fits listens; nothing when none fits or its URL is unusable.
std::optional<Upstream> address_of_target(const Reading& cluster, const TargetOptions& target);

}  // namespace tanist::ctl

// SPDX-License-Identifier: Apache-2.0
// Facts for the rewind verdict (contract postgres 9.2). Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

// Always `ok`: what could not be found out is the facts' error, which leaves the verdict open.
os::Awaitable<ServerResult> examine_divergence(Job job, ExamineDivergence wanted);

}  // namespace tanist::postgres

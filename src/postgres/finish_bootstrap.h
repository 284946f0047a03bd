// SPDX-License-Identifier: Apache-2.0
// What a new cluster gets once it is out of recovery: roles, the user's script, and after a custom
// method its usual configuration (contract postgres 7.3). Loop thread only.
#pragma once

#include "postgres/local_server.h"

namespace tanist::postgres {

os::Awaitable<ServerResult> finish_bootstrap(Job job);

}  // namespace tanist::postgres

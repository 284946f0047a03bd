// SPDX-License-Identifier: Apache-2.0
// Telling the running server of changed files: reload and promotion (contract postgres 3.4, 6.5).
// Loop thread only.
#pragma once

#include "postgres/config_files.h"
#include "postgres/local_server.h"

namespace tanist::postgres {

// Result: `difference` is none (nothing to do), reload (done) or restart (done, and the parameters
// in `pending_restart` wait for a restart).
os::Awaitable<ServerResult> reload_server(Job job, ReloadServer wanted);
// The same without the callback on_reload, which a bootstrap does not run.
os::Awaitable<ServerResult> reload_quietly(Job job, ReloadServer wanted);

os::Awaitable<ServerResult> promote_server(Job job, PromoteServer wanted);

// Have the running server's sessions read the files as they are now?
os::Awaitable<Result<bool>> has_loaded(Job job, WallTime modified_at);

// SIGHUP, and waiting until a session of ours has seen it (at most two seconds).
os::Awaitable<Result<void>> signal_reload(Job job);

// Reads again which parameters wait for a restart, and what they will become.
os::Awaitable<void> refresh_pending_restart(Job job);

}  // namespace tanist::postgres

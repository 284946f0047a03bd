// SPDX-License-Identifier: Apache-2.0
// What is concluded from the storage canary (safety 5.3): a node without working storage says so,
// is no candidate and, where configured, gives up its lock by no longer renewing it. Pure; any
// thread.
#pragma once

#include "core/draft.h"

namespace tanist {

// Tells of every change of the storage's state once.
void report_storage(Draft& draft);

// A primary that has a successor with working storage leaves its lease to end, and with it the
// server, when
//  - its storage has been silent for `storage.demote_after`, and its sessions wait for WAL that
//    does not move; or
//  - its postmaster has answered no new connection for `storage.unreachable_demote_after`
//    (trap 38). Sessions that it had may still work: a setting of its own.
// Never by a release: nobody can say that this server stopped.
bool gives_up_for_storage(const Observation& obs);

// The lock in the view is the one that was given up: its lease is not renewed, and the key is left
// to end with it.
bool leaves_lock_to_end(const Observation& obs);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// What is concluded from the storage canary (safety 5.3): a node without working storage says so,
// is no candidate and, where configured, gives up its lock by no longer renewing it. Pure; any
// thread.
#pragma once

#include "core/draft.h"

namespace tanist {

// Tells of every change of the storage's state once.
void report_storage(Draft& draft);

// A primary whose storage has been silent for `storage.demote_after`, whose sessions wait for WAL
// that does not move, and that has a successor with working storage: its lease is left to end, and
// with it the server. Never by a release: nobody can say that this server stopped.
bool gives_up_for_storage(const Observation& obs);

}  // namespace tanist

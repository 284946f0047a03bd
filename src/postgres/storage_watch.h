// SPDX-License-Identifier: Apache-2.0
// Watches the storage of the local server (safety 5.3): reads what the canary says, makes a new
// connection to the server now and then, and tells the owner when the state changes, and otherwise
// every ten seconds. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "postgres/local_server.h"

namespace tanist::postgres {

// What one folder's lines say.
struct WatchedFolder {
  StorageState state = StorageState::unknown;
  Instant answered_at;  // the last line; of a folder never heard of: when watching began
  bool watched = false;
  std::int64_t microseconds = -1;
  std::int64_t error = 0;  // errno, when it is failing
};

// How the postmaster deals with new connections.
struct ServerContact {
  std::optional<Instant> stopped_since;  // by a signal or a debugger
  // When the first of the attempts began that got no answer at all; a refusal is an answer.
  std::optional<Instant> unanswered_since;
};

// Takes a line of the canary; what is no such line is ignored. Pure.
void take_canary_line(std::string_view line, Instant now, WatchedFolder& data, WatchedFolder& wal);

// The state of both: the worse one. Silent: watched, and no line for `silent_after`. Where both are
// well: unreachable when the postmaster is stopped, or answers nobody for `silent_after`. Pure.
StorageFacts storage_of(const WatchedFolder& data, const WatchedFolder& wal,
                        const ServerContact& contact, Instant now, Duration silent_after);

// Runs until `stop`; needs the hooks `canary_command` and `storage_observed`.
os::Awaitable<void> watch_storage(Job job);

}  // namespace tanist::postgres

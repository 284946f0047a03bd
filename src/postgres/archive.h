// SPDX-License-Identifier: Apache-2.0
// The users' archive_command and restore_command, run by hand while the server is down (contract
// postgres 9.4, 9.5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/local_server.h"

namespace tanist::postgres {

// Replaces %p (`path`), %f (`file`), %r and %%; any other % stays. Pure.
std::string expand_wal_command(std::string_view command, std::string_view path,
                               std::string_view file);

// Those of `names`, the content of pg_wal/archive_status, that are waiting: the names of their
// segments in order. Pure.
std::vector<std::string> segments_waiting(std::vector<std::string> names);

// The segment whose absence ended pg_rewind, by its messages. Pure.
std::optional<std::string> missing_segment(std::string_view output);

// Archives what the dead server left unarchived, if it archives at all. What cannot be archived is
// logged and skipped (trap 57). Loop thread only.
os::Awaitable<void> archive_waiting_segments(Job job);

// The end of a primary's WAL: the segment with the last checkpoint, although it is not full
// (contract ha 12, step 6). Loop thread only.
os::Awaitable<ServerResult> archive_end(Job job);

// Fetches a segment into pg_wal with `restore_command`. Loop thread only.
os::Awaitable<Result<void>> restore_segment(Job job, std::string restore_command,
                                            std::string segment);

}  // namespace tanist::postgres

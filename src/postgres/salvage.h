// SPDX-License-Identifier: Apache-2.0
// Salvage: before a rewind or a copy discards a diverged tail of WAL, that tail is kept, with a
// summary of what it held, so that people can review what a failover lost
// (docs/decisions/salvage.md). Loop thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cluster_view.h"
#include "postgres/local_server.h"

namespace tanist::postgres {

// A server's way through the timelines: its history, and where it stands.
struct TimelinePath {
  std::vector<HistoryLine> history;
  Timeline timeline;
  Lsn position;  // 0 = open end
};

// Where the ways of the two part: the last position that both have. Nothing in common: absent.
std::optional<Lsn> fork_of(const TimelinePath& local, const TimelinePath& leader);

// `COUNT` of a row of `pg_waldump --stats=record`; 0 when there is none.
std::uint64_t record_count(std::string_view statistics, std::string_view kind);

// "COMMIT 2026-01-01 00:00:00.000000 UTC" of each commit that pg_waldump lists, oldest first:
// transaction number, time.
struct CommitLine {
  std::string transaction;
  std::string time;
};
std::vector<CommitLine> commits_in(std::string_view records);

// Keeps what the stopped local server has beyond the fork from `source`. Does nothing when there is
// no such tail or salvage is off; a failure is logged and hinders nobody.
os::Awaitable<void> salvage_divergence(Job job, Upstream source);

}  // namespace tanist::postgres

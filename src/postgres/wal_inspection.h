// SPDX-License-Identifier: Apache-2.0
// pg_waldump's words (contract postgres 5.2, 5.3; trap 169): records it prints, and the error with
// which it ends. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace tanist::postgres {

struct WalRecord {
  std::string manager;      // XLOG, Heap, ...
  Lsn lsn;                  // where it begins
  Lsn previous;             // where the one before it begins
  std::string description;  // "CHECKPOINT_SHUTDOWN redo 0/2000028; ..."

  bool is_shutdown_checkpoint() const;
  bool is_segment_switch() const;

  friend bool operator==(const WalRecord&, const WalRecord&) = default;
};

// Lines that are no records are skipped.
std::vector<WalRecord> parse_wal_records(std::string_view output);

// "error in WAL record at LSN: REASON", the way every version ends at the end of valid WAL.
struct WalReadingEnd {
  Lsn last_record;     // begin of the last good record
  std::string reason;  // "invalid record length at 0/20000A0: wanted 24, got 0"
  // The position that the reason names ("... at X/X: ..."); absent when it names a page instead.
  std::optional<Lsn> position;
  // The page that the reason names: "... in log segment SEGMENT, offset N".
  std::string segment;
  std::uint64_t offset = 0;

  friend bool operator==(const WalReadingEnd&, const WalReadingEnd&) = default;
};
std::vector<WalReadingEnd> parse_wal_reading_ends(std::string_view errors);

// The end of the last checkpoint record (contract postgres 5.3): `output` and `errors` of
// `pg_waldump -n 2` from the checkpoint. 0 when something follows it or the answer is odd.
Lsn checkpoint_end(Lsn checkpoint, std::string_view output, std::string_view errors);

// First byte of a segment file by its 24-digit name; nothing for other names.
std::optional<Lsn> segment_start(std::string_view name, std::uint64_t segment_bytes);

}  // namespace tanist::postgres

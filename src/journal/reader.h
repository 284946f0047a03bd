// SPDX-License-Identifier: Apache-2.0
// Reading journals: entry by entry, in bounded memory, whatever stands in them. A line that cannot
// be understood is counted and left out; so is a torn last one. Files wait for the disk.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "journal/entry.h"

namespace tanist::journal {

using Visitor = std::function<void(const Entry&)>;

struct ReadReport {
  std::size_t entries = 0;
  std::size_t damaged = 0;   // lines that were left out
  bool torn = false;         // the last line has no end; it is not counted as damaged
  std::string first_damage;  // "line 7: ..."

  // "3 entries, 1 damaged line left out (line 7: ...)"
  std::string text() const;
};

// Any text. Errc::invalid when it holds no entry at all although it is not empty; refused when a
// newer tanist wrote it in a form that this one does not know.
Result<ReadReport> read_journal(std::string_view text, const Visitor& visit);

// The same of a file, in pieces. Errc::not_found when there is none.
Result<ReadReport> read_journal_file(const std::string& path, const Visitor& visit);

// The newest lines of a node's journal that are not older than `since`, as they stand there, of the
// last `bytes_max` bytes at most. Empty when there is no journal yet.
Result<std::string> newest_lines(const std::string& directory, WallTime since,
                                 std::size_t bytes_max);

}  // namespace tanist::journal

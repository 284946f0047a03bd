// SPDX-License-Identifier: Apache-2.0
// Reading of pg_waldump's output.
#include "postgres/wal_inspection.h"

#include <algorithm>
#include <charconv>

#include "postgres/parameter_value.h"

namespace tanist::postgres {

namespace {

// Takes the next line off the front.
std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

// What stands between `label` and the first of `ends` after it; empty when `label` is missing.
std::string_view between(std::string_view text, std::string_view label, std::string_view ends) {
  const auto at = text.find(label);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + label.size());
  return without_spaces_around(text.substr(0, std::min(text.find_first_of(ends), text.size())));
}

std::optional<WalRecord> parse_record(std::string_view line) {
  constexpr std::string_view description = ", desc: ";
  const auto at = line.find(description);
  const auto lsn = parse_lsn(between(line, " lsn: ", ","));
  const auto previous = parse_lsn(between(line, ", prev ", ","));
  if (!line.starts_with("rmgr: ") || at == std::string_view::npos || !lsn || !previous) {
    return std::nullopt;
  }
  return WalRecord{std::string(between(line, "rmgr: ", " ")), *lsn, *previous,
                   std::string(line.substr(at + description.size()))};
}

// The last "at X/X": "incorrect prev-link A at B" means B, "at least 24" none.
std::optional<Lsn> last_position(std::string_view reason) {
  for (auto at = reason.rfind(" at "); at != std::string_view::npos && at > 0;
       at = reason.rfind(" at ", at - 1)) {
    const auto lsn = parse_lsn(between(reason.substr(at), " at ", ": ,"));
    if (lsn) return *lsn;
  }
  return std::nullopt;
}

std::optional<WalReadingEnd> parse_end(std::string_view line) {
  constexpr std::string_view label = "error in WAL record at ";
  const auto at = line.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + label.size());
  const auto colon = line.find(':');
  const auto last = parse_lsn(line.substr(0, std::min(colon, line.size())));
  if (!last || colon == std::string_view::npos) return std::nullopt;
  WalReadingEnd end;
  end.last_record = *last;
  const auto reason = without_spaces_around(line.substr(colon + 1));
  end.reason = std::string(reason);
  end.segment = std::string(between(reason, "segment ", ", "));
  const auto offset = between(reason, "offset ", ",: ");
  std::from_chars(offset.data(), offset.data() + offset.size(), end.offset);
  end.position = last_position(reason);
  return end;
}

}  // namespace

bool WalRecord::is_shutdown_checkpoint() const {
  const auto text = lower_case(description);
  return manager == "XLOG" && text.starts_with("checkpoint") &&
         text.find("shutdown") != std::string::npos;
}

bool WalRecord::is_segment_switch() const {
  const auto text = lower_case(description);
  return manager == "XLOG" && (text.starts_with("switch") || text.starts_with("xlog switch"));
}

std::vector<WalRecord> parse_wal_records(std::string_view output) {
  std::vector<WalRecord> records;
  while (!output.empty()) {
    if (auto record = parse_record(next_line(output))) records.push_back(std::move(*record));
  }
  return records;
}

std::vector<WalReadingEnd> parse_wal_reading_ends(std::string_view errors) {
  std::vector<WalReadingEnd> ends;
  while (!errors.empty()) {
    if (auto end = parse_end(next_line(errors))) ends.push_back(std::move(*end));
  }
  return ends;
}

Lsn checkpoint_end(Lsn checkpoint, std::string_view output, std::string_view errors) {
  const auto records = parse_wal_records(output);
  const auto ends = parse_wal_reading_ends(errors);
  const bool alone = records.size() == 1 && records[0].lsn == checkpoint;
  const bool ended = ends.size() == 1 && ends[0].last_record == checkpoint && ends[0].position &&
                     ends[0].reason.starts_with("invalid record length at ");
  return alone && ended ? *ends[0].position : Lsn();
}

std::optional<Lsn> segment_start(std::string_view name, std::uint64_t segment_bytes) {
  constexpr std::size_t digits = 24;
  std::uint32_t log = 0;
  std::uint32_t segment = 0;
  const auto read = [&](std::size_t at, std::uint32_t& value) {
    const auto part = name.substr(at, 8);
    const auto* end = part.data() + part.size();
    const auto parsed = std::from_chars(part.data(), end, value, 16);
    return parsed.ec == std::errc{} && parsed.ptr == end;
  };
  if (name.size() != digits || !read(8, log) || !read(16, segment)) return std::nullopt;
  return Lsn((static_cast<std::uint64_t>(log) << 32) + segment * segment_bytes);
}

}  // namespace tanist::postgres

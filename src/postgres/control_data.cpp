// SPDX-License-Identifier: Apache-2.0
// "Key: value" lines into ControlData.
#include "postgres/control_data.h"

#include <charconv>
#include <map>
#include <string>

#include "postgres/parameter_value.h"

namespace tanist::postgres {

namespace {

using Lines = std::map<std::string, std::string, std::less<>>;

Lines split_lines(std::string_view output) {
  constexpr std::string_view current = "Current ";
  Lines lines;
  while (!output.empty()) {
    const auto end = std::min(output.find('\n'), output.size());
    auto line = output.substr(0, end);
    output.remove_prefix(std::min(end + 1, output.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    auto key = line.substr(0, colon);
    if (key.starts_with(current)) key.remove_prefix(current.size());
    lines.emplace(key, without_spaces_around(line.substr(colon + 1)));
  }
  return lines;
}

class Reader {
 public:
  explicit Reader(const Lines& lines) : lines_(lines) {}

  std::string text(std::string_view key) const {
    const auto at = lines_.find(key);
    return at == lines_.end() ? std::string() : at->second;
  }
  std::int64_t number(std::string_view key) const {
    const auto value = text(key);
    std::int64_t result = 0;
    std::from_chars(value.data(), value.data() + value.size(), result);
    return result;
  }
  Lsn lsn(std::string_view key) const { return parse_lsn(text(key)).value_or(Lsn()); }
  Timeline timeline(std::string_view key) const {
    return Timeline(static_cast<std::uint32_t>(number(key)));
  }

 private:
  const Lines& lines_;
};

}  // namespace

Result<ControlData> parse_control_data(std::string_view output) {
  if (output.find("WARNING: ") != std::string_view::npos) {
    return fail(Errc::invalid,
                "pg_controldata warns that pg_control is damaged or of another "
                "version: compare PG_VERSION with the programs in bin_dir");
  }
  const auto lines = split_lines(output);
  const Reader read(lines);
  ControlData data;
  data.system_id = SystemId(read.text("Database system identifier"));
  const auto state = read.text("Database cluster state");
  if (!is_valid(data.system_id) || state.empty()) {
    return fail(Errc::invalid, "pg_controldata printed no system identifier and state");
  }
  data.state = from_name<ControlState>(state).value_or(ControlState::unknown);
  data.checkpoint = read.lsn("Latest checkpoint location");
  data.checkpoint_redo = read.lsn("Latest checkpoint's REDO location");
  data.checkpoint_timeline = read.timeline("Latest checkpoint's TimeLineID");
  data.redo_wal_file = read.text("Latest checkpoint's REDO WAL file");
  data.min_recovery_end = read.lsn("Minimum recovery ending location");
  data.min_recovery_timeline = read.timeline("Min recovery ending loc's timeline");
  data.wal_log_hints = read.text("wal_log_hints setting") == "on";
  data.checksums = read.number("Data page checksum version") != 0;
  data.max_connections = read.number("max_connections setting");
  data.max_worker_processes = read.number("max_worker_processes setting");
  data.max_wal_senders = read.number("max_wal_senders setting");
  data.max_prepared_xacts = read.number("max_prepared_xacts setting");
  data.max_locks_per_xact = read.number("max_locks_per_xact setting");
  return data;
}

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Reading of timeline history files.
#include "postgres/timeline_history.h"

#include <charconv>

#include "base/format.h"
#include "postgres/parameter_value.h"

namespace tanist::postgres {

namespace {

std::optional<HistoryLine> parse_line(std::string_view line) {
  const auto first = line.find('\t');
  const auto second = first == std::string_view::npos ? first : line.find('\t', first + 1);
  if (second == std::string_view::npos || line.find('\t', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  const auto number = without_spaces_around(line.substr(0, first));
  std::uint32_t timeline = 0;
  const auto* end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, timeline);
  const auto lsn = parse_lsn(without_spaces_around(line.substr(first + 1, second - first - 1)));
  if (parsed.ec != std::errc{} || parsed.ptr != end || !lsn) return std::nullopt;
  HistoryLine result;
  result.timeline = Timeline(timeline);
  result.switch_lsn = *lsn;
  result.reason = std::string(without_spaces_around(line.substr(second + 1)));
  return result;
}

}  // namespace

std::string history_file_name(Timeline timeline) {
  return format_text("{:08X}.history", timeline.value());
}

std::vector<HistoryLine> parse_history(std::string_view content) {
  std::vector<HistoryLine> lines;
  while (!content.empty()) {
    const auto end = std::min(content.find('\n'), content.size());
    if (auto line = parse_line(content.substr(0, end))) lines.push_back(std::move(*line));
    content.remove_prefix(std::min(end + 1, content.size()));
  }
  return lines;
}

}  // namespace tanist::postgres

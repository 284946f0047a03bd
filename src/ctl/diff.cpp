// SPDX-License-Identifier: Apache-2.0
// Unified diffs by the longest common subsequence of lines. Pure; any thread.
#include "ctl/diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/format.h"

namespace tanist::ctl {

namespace {

constexpr std::size_t context_lines = 3;
// Larger changes are shown as everything removed and everything added.
constexpr std::size_t table_cells_max = 16'000'000;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

struct Edit {
  char mark;  // ' ', '-' or '+'
  std::string_view line;
};

// lengths[i * (columns + 1) + j]: of the longest common subsequence of a[i...] and b[j...].
std::vector<std::uint32_t> common_lengths(const Lines& a, const Lines& b) {
  const auto width = b.size() + 1;
  std::vector<std::uint32_t> lengths((a.size() + 1) * width);
  for (auto i = a.size(); i-- > 0;) {
    for (auto j = b.size(); j-- > 0;) {
      lengths[i * width + j] =
          a[i] == b[j] ? lengths[(i + 1) * width + j + 1] + 1
                       : std::max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  return lengths;
}

std::vector<Edit> edits_between(const Lines& a, const Lines& b) {
  const bool is_huge = (a.size() + 1) * (b.size() + 1) > table_cells_max;
  const auto lengths = is_huge ? std::vector<std::uint32_t>() : common_lengths(a, b);
  const auto width = b.size() + 1;
  std::vector<Edit> edits;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() || j < b.size()) {
    if (!is_huge && i < a.size() && j < b.size() && a[i] == b[j]) {
      edits.push_back({' ', a[i++]});
      ++j;
      continue;
    }
    const bool removes =
        i < a.size() &&
        (j == b.size() || is_huge || lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]);
    edits.push_back(removes ? Edit{'-', a[i++]} : Edit{'+', b[j++]});
  }
  return edits;
}

std::string range_text(std::size_t lines_before, std::size_t count) {
  if (count == 1) return format_text("{}", lines_before + 1);
  return format_text("{},{}", count == 0 ? lines_before : lines_before + 1, count);
}

std::size_t count_without(const std::vector<Edit>& edits, std::size_t from, std::size_t to,
                          char mark) {
  return static_cast<std::size_t>(
      std::count_if(edits.begin() + static_cast<std::ptrdiff_t>(from),
                    edits.begin() + static_cast<std::ptrdiff_t>(to),
                    [&](const Edit& edit) { return edit.mark != mark; }));
}

std::string hunk_text(const std::vector<Edit>& edits, std::size_t from, std::size_t to) {
  auto out = format_text(
      "@@ -{} +{} @@\n",
      range_text(count_without(edits, 0, from, '+'), count_without(edits, from, to, '+')),
      range_text(count_without(edits, 0, from, '-'), count_without(edits, from, to, '-')));
  for (auto i = from; i < to; ++i) out += edits[i].mark + std::string(edits[i].line) + "\n";
  return out;
}

}  // namespace

std::string unified_diff(std::string_view before, std::string_view after) {
  const auto edits = edits_between(lines_of(before), lines_of(after));
  std::string out;
  std::size_t i = 0;
  while (i < edits.size()) {
    if (edits[i].mark == ' ') {
      ++i;
      continue;
    }
    // A hunk goes on as long as the next change is within both contexts.
    const auto from = i - std::min(i, context_lines);
    auto last = i;
    for (auto k = i; k < edits.size() && k <= last + 2 * context_lines + 1; ++k) {
      if (edits[k].mark != ' ') last = k;
    }
    const auto to = std::min(edits.size(), last + 1 + context_lines);
    if (out.empty()) out = "--- \n+++ \n";
    out += hunk_text(edits, from, to);
    i = to;
  }
  return out;
}

std::string coloured_diff(std::string_view diff) {
  std::string out;
  for (const auto line : lines_of(diff)) {
    const auto first = line.empty() ? ' ' : line.front();
    const auto* colour = first == '-' ? "31" : first == '+' ? "32" : first == '@' ? "36" : "0";
    out += format_text("\033[{}m{}\033[0m\n", colour, line);
  }
  return out;
}

}  // namespace tanist::ctl

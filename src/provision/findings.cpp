// SPDX-License-Identifier: Apache-2.0
// Collecting findings, and guessing what a misspelt key was meant to be. Pure.
#include "provision/findings.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/assert.h"
#include "base/format.h"

namespace tanist::provision {

namespace {

// Levenshtein's distance: insertions, deletions and replacements of single characters.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

void Findings::add(const std::string& path, std::string_view text) {
  const int line = line_of(path);
  texts_.emplace(line,
                 format_text("{}:{}: {}: {}", file_, line, path.empty() ? "file" : path, text));
}

int Findings::line_of(std::string path) const {
  for (;;) {
    const auto found = lines_.find(path);
    if (found != lines_.end()) return found->second;
    const auto dot = path.rfind('.');
    if (dot == std::string::npos) return 1;
    path.resize(dot);
  }
}

Error Findings::error() const {
  TANIST_REQUIRE(!texts_.empty());
  std::string message;
  for (const auto& [line, text] : texts_) message += (message.empty() ? "" : "\n") + text;
  return Error{Errc::invalid, message};
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t length_max = 64;  // nobody misspells a longer word recognisably
  if (word.size() > length_max) return "";
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    const auto found = distance(word, candidate);
    if (found >= best_distance || found >= candidate.size()) continue;
    best = candidate;
    best_distance = found;
  }
  return best;
}

}  // namespace tanist::provision

// SPDX-License-Identifier: Apache-2.0
// Words of a line.
#include "words.h"

#include <utility>

namespace tanist::scenarios {

Words split(std::string_view line, char separator) {
  Words words;
  std::string word;
  for (const char c : line) {
    if (c != separator) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

Pair pair_of(const std::string& word) {
  const auto at = word.find('=');
  if (at == std::string::npos) return {word, ""};
  return {word.substr(0, at), word.substr(at + 1)};
}

std::uint64_t hex(const std::string& text) { return std::stoull(text, nullptr, 16); }

Timeline timeline_of(const std::string& text) {
  return Timeline(static_cast<std::uint32_t>(std::stoul(text)));
}

}  // namespace tanist::scenarios

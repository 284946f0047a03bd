// SPDX-License-Identifier: Apache-2.0
// The text that is being read, for what the parser's events do not tell: where a quote was left
// open, whether a key has its colon, what stands in a line. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tanist::yaml {

// Counted from 0, the column in bytes.
struct Position {
  int line = 0;
  int column = 0;
};

class SourceText {
 public:
  // Without byte order mark, every line ending in a line feed alone: yaml-cpp counts no others.
  explicit SourceText(std::string_view text);

  const std::string& text() const { return text_; }
  Position position_of(std::size_t offset) const;

  // The scalar that begins at `at` has an opening quote and no closing one.
  bool is_unclosed_quote(Position at) const;
  // The key of a block map that begins at `at`, the last of the text, has no ":".
  bool is_key_without_colon(Position at) const;
  bool is_indented_with_tab(int line) const;

 private:
  std::string_view line_at(int line) const;
  std::string_view from(Position at) const;

  std::string text_;
};

}  // namespace tanist::yaml

// SPDX-License-Identifier: Apache-2.0
// The sheet that YAML is written on: knows the column and whether a blank or a line break must
// come before the next word. Its rules are those of PyYAML's emitter. One thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace tanist::yaml {

class Layout {
 public:
  explicit Layout(std::ptrdiff_t width) : width_(width) {}

  // Punctuation. `spaced`: with a blank before it unless there is one already.
  void mark(char32_t c, bool spaced) {
    if (spaced) space();
    append(c);
    blank_before_ = false;
    only_marks_ = false;
  }
  // "-", "?" or ":" at the start of a block entry: what follows may share the line with it.
  void block_mark(char32_t c) {
    const bool only_marks = only_marks_;
    mark(c, true);
    only_marks_ = only_marks;
  }
  // "[" or "{": no blank after it.
  void opening(char32_t c) {
    mark(c, true);
    blank_before_ = true;
  }
  // A blank, unless one or a line's start is just before.
  void space() {
    if (!blank_before_) append(U' ');
  }
  void word(std::u32string_view text) {
    for (const char32_t c : text) append(c);
    blank_before_ = false;
    only_marks_ = false;
  }
  void text(std::string_view ascii) {
    space();
    for (const char c : ascii) append(static_cast<unsigned char>(c));
    blank_before_ = false;
    only_marks_ = false;
  }

  void line_break(char32_t c = U'\n');
  // To the indentation, on a new line unless this one holds nothing but it.
  void to_indent();

  // Would `more` characters (-1 takes one back) go past the width?
  bool past_width(std::ptrdiff_t more = 0) const {
    return static_cast<std::ptrdiff_t>(column_) + more > width_;
  }

  std::size_t indent() const { return indent_; }
  void set_indent(std::size_t columns) { indent_ = columns; }
  bool only_marks() const { return only_marks_; }

  std::string take() { return std::move(out_); }

 private:
  void append(char32_t c);

  std::string out_;
  std::ptrdiff_t width_;
  std::size_t column_ = 0;
  std::size_t indent_ = 0;
  bool blank_before_ = true;
  bool only_marks_ = true;  // nothing but indentation and marks of block entries in this line
};

}  // namespace tanist::yaml

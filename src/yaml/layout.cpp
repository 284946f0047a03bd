// SPDX-License-Identifier: Apache-2.0
// Columns, breaks and UTF-8. One thread.
#include "yaml/layout.h"

namespace tanist::yaml {

void Layout::append(char32_t c) {
  ++column_;
  if (c < 0x80) {
    out_ += static_cast<char>(c);
    return;
  }
  const auto tail = [&](int shift) {
    out_ += static_cast<char>(0x80U | ((c >> static_cast<unsigned>(shift)) & 0x3FU));
  };
  if (c < 0x800) {
    out_ += static_cast<char>(0xC0U | (c >> 6));
  } else if (c < 0x10000) {
    out_ += static_cast<char>(0xE0U | (c >> 12));
    tail(6);
  } else {
    out_ += static_cast<char>(0xF0U | (c >> 18));
    tail(12);
    tail(6);
  }
  tail(0);
}

void Layout::line_break(char32_t c) {
  append(c);
  column_ = 0;
  blank_before_ = true;
  only_marks_ = true;
}

void Layout::to_indent() {
  if (!only_marks_ || column_ > indent_ || (column_ == indent_ && !blank_before_)) line_break();
  if (column_ >= indent_) return;
  while (column_ < indent_) append(U' ');
  blank_before_ = true;
}

}  // namespace tanist::yaml

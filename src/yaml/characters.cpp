// SPDX-License-Identifier: Apache-2.0
// Decoding of UTF-8. Pure; any thread.
#include "yaml/characters.h"

namespace tanist::yaml {

namespace {

constexpr char32_t smallest_of_length[] = {0, 0, 0x80, 0x800, 0x10000};

std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

}  // namespace

char32_t next_character(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const auto length = length_of(lead);
  if (length == 1) {
    ++at;
    return lead;
  }
  if (length == 0 || at + length > text.size()) {
    ++at;
    return no_character;
  }
  char32_t point = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[at + i]);
    if ((byte & 0xC0U) != 0x80U) {
      ++at;
      return no_character;
    }
    point = (point << 6) | (byte & 0x3FU);
  }
  if (point < smallest_of_length[length] || point > 0x10FFFF ||
      (point >= 0xD800 && point <= 0xDFFF)) {
    ++at;
    return no_character;
  }
  at += length;
  return point;
}

bool is_printable(char32_t c) {
  return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c <= 0x7E) || c == 0x85 ||
         (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD) ||
         (c >= 0x10000 && c <= 0x10FFFF);
}

bool is_line_break(char32_t c) { return c == '\n' || c == 0x85 || c == 0x2028 || c == 0x2029; }

std::optional<std::size_t> first_unprintable(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto start = at;
    if (!is_printable(next_character(text, at))) return start;
  }
  return std::nullopt;
}

}  // namespace tanist::yaml

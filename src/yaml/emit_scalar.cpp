// SPDX-License-Identifier: Apache-2.0
// Styles of scalars. One thread.
#include "yaml/emit_scalar.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "yaml/characters.h"
#include "yaml/scalar.h"

namespace tanist::yaml {

namespace {

constexpr char32_t replacement = 0xFFFD;
constexpr char32_t byte_order_mark = 0xFEFF;
// PyYAML counts the 5 characters of "!!str" into a key's 128.
constexpr std::size_t simple_key_max = 122;

constexpr std::u32string_view forbidden_first = U"#,[]{}&*!|>'\"%@`";
constexpr std::u32string_view forbidden_in_flow = U",?[]{}";

bool is_blank_or_break(char32_t c) {
  return c == U' ' || c == U'\t' || c == U'\r' || c == 0 || is_line_break(c);
}

// Everything that decides the style of a text.
struct Analysis {
  bool indicator = false;       // something a plain scalar may not hold anywhere
  bool flow_indicator = false;  // ... or not within [] and {}
  bool many_lines = false;
  bool special = false;      // must be escaped
  bool edge_blank = false;   // a blank or break at the start or the end
  bool break_blank = false;  // a blank after a break
  bool blank_break = false;  // a break after a blank
};

void analyse_indicator(std::u32string_view text, std::size_t at, Analysis& found) {
  const char32_t c = text[at];
  const bool before_blank = at + 1 >= text.size() || is_blank_or_break(text[at + 1]);
  const bool after_blank = at == 0 || is_blank_or_break(text[at - 1]);
  if (at == 0) {
    if (forbidden_first.find(c) != std::u32string_view::npos) found.indicator = true;
    if (c == U'?' || c == U':') found.flow_indicator = true;
    if ((c == U'?' || c == U':' || c == U'-') && before_blank) found.indicator = true;
    return;
  }
  if (forbidden_in_flow.find(c) != std::u32string_view::npos) found.flow_indicator = true;
  if (c == U':') {
    found.flow_indicator = true;
    if (before_blank) found.indicator = true;
  }
  if (c == U'#' && after_blank) found.indicator = true;
}

Analysis analyse(std::u32string_view text) {
  Analysis found;
  if (text.starts_with(U"---") || text.starts_with(U"...")) found.indicator = true;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char32_t c = text[at];
    analyse_indicator(text, at, found);
    const bool is_break = is_line_break(c);
    if (is_break) found.many_lines = true;
    if (!is_printable(c) || c == U'\t' || c == U'\r' || c == byte_order_mark || c == 0x10FFFF) {
      found.special = true;
    }
    if (c != U' ' && !is_break) continue;
    if (at == 0 || at + 1 == text.size()) found.edge_blank = true;
    if (at == 0) continue;
    if (c == U' ' && is_line_break(text[at - 1])) found.break_blank = true;
    if (is_break && text[at - 1] == U' ') found.blank_break = true;
  }
  return found;
}

bool is_key(ScalarPlace place) {
  return place == ScalarPlace::block_key || place == ScalarPlace::flow_key;
}

bool is_flow(ScalarPlace place) {
  return place == ScalarPlace::flow_value || place == ScalarPlace::flow_key;
}

enum class Style { plain, single_quoted, double_quoted };

bool may_be_plain(std::string_view text, const Analysis& found, ScalarPlace place) {
  if (kind_of_plain(text) != ScalarKind::text) return false;
  const bool bad = found.indicator || found.many_lines || found.special || found.edge_blank ||
                   found.break_blank || found.blank_break;
  return !bad && !(is_flow(place) && found.flow_indicator);
}

Style style_of(std::string_view text, const Analysis& found, ScalarPlace place) {
  if (may_be_plain(text, found, place)) return Style::plain;
  const bool needs_escapes = found.special || found.break_blank || found.blank_break;
  const bool one_line = place != ScalarPlace::block_value;
  if (needs_escapes || (one_line && found.many_lines)) return Style::double_quoted;
  return Style::single_quoted;
}

// Length of the run of characters from `at` that pass.
template <class Test>
std::size_t run_length(std::u32string_view text, std::size_t at, Test test) {
  const auto rest = text.substr(at);
  return static_cast<std::size_t>(std::ranges::find_if_not(rest, test) - rest.begin());
}

void write_plain(Layout& out, std::u32string_view text, bool fold) {
  out.space();
  for (std::size_t at = 0; at < text.size();) {
    const bool blanks = text[at] == U' ';
    const auto length = run_length(text, at, [&](char32_t c) { return (c == U' ') == blanks; });
    if (blanks && length == 1 && fold && out.past_width()) {
      out.to_indent();
      out.word({});
    } else {
      out.word(text.substr(at, length));
    }
    at += length;
  }
}

void write_breaks(Layout& out, std::u32string_view breaks) {
  if (breaks.front() == U'\n') out.line_break();
  for (const char32_t c : breaks) out.line_break(c);
  out.to_indent();
}

void write_single_quoted(Layout& out, std::u32string_view text, bool fold) {
  out.mark(U'\'', true);
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = text[at];
    std::size_t length = 1;
    if (c == U' ') {
      length = run_length(text, at, [](char32_t other) { return other == U' '; });
      const bool inside = at != 0 && at + length != text.size();
      if (length == 1 && fold && inside && out.past_width()) {
        out.to_indent();
      } else {
        out.word(text.substr(at, length));
      }
    } else if (is_line_break(c)) {
      length = run_length(text, at, is_line_break);
      write_breaks(out, text.substr(at, length));
    } else if (c == U'\'') {
      out.word(U"''");
    } else {
      length = run_length(text, at, [](char32_t other) {
        return other != U' ' && other != U'\'' && !is_line_break(other);
      });
      out.word(text.substr(at, length));
    }
    at += length;
  }
  out.mark(U'\'', false);
}

struct Escape {
  char32_t character;
  char32_t letter;
};

constexpr std::array<Escape, 16> escapes{{{0x00, U'0'},
                                          {0x07, U'a'},
                                          {0x08, U'b'},
                                          {0x09, U't'},
                                          {0x0A, U'n'},
                                          {0x0B, U'v'},
                                          {0x0C, U'f'},
                                          {0x0D, U'r'},
                                          {0x1B, U'e'},
                                          {U'"', U'"'},
                                          {U'\\', U'\\'},
                                          {0x85, U'N'},
                                          {0xA0, U'_'},
                                          {0x2028, U'L'},
                                          {0x2029, U'P'},
                                          {byte_order_mark, 0}}};

bool needs_escape(char32_t c) {
  if (c == U'"' || c == U'\\' || c == byte_order_mark || is_line_break(c)) return true;
  return !((c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xE000 && c <= 0xFFFD));
}

std::u32string escaped(char32_t c) {
  const auto* at = std::ranges::find(escapes, c, &Escape::character);
  if (at != escapes.end() && at->letter != 0) return {U'\\', at->letter};
  const auto code = static_cast<std::uint32_t>(c);
  const auto text = c <= 0xFF     ? format_text("\\x{:02X}", code)
                    : c <= 0xFFFF ? format_text("\\u{:04X}", code)
                                  : format_text("\\U{:08X}", code);
  return {text.begin(), text.end()};
}

// A fold is a backslash at the end of the line; a blank after it is kept by another backslash.
void write_double_quoted(Layout& out, std::u32string_view text, bool fold) {
  out.mark(U'"', true);
  std::size_t start = 0;  // of what is not yet written
  const auto write_up_to = [&](std::size_t end) {
    if (start < end) out.word(text.substr(start, end - start));
    start = std::max(start, end);
  };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (needs_escape(text[at])) {
      write_up_to(at);
      out.word(escaped(text[at]));
      start = at + 1;
    }
    const bool at_edge = text[at] == U' ' || start >= at;
    const auto pending = static_cast<std::ptrdiff_t>(at) - static_cast<std::ptrdiff_t>(start);
    if (!fold || at == 0 || at + 1 >= text.size() || !at_edge) continue;
    if (!out.past_width(pending)) continue;
    write_up_to(at);
    out.word(U"\\");
    out.to_indent();
    out.word({});
    if (text[start] == U' ') out.word(U"\\");
  }
  write_up_to(text.size());
  out.mark(U'"', false);
}

}  // namespace

std::u32string characters_of(std::string_view text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto c = next_character(text, at);
    out += c == no_character ? replacement : c;
  }
  return out;
}

bool is_simple_key(std::u32string_view text) {
  return !text.empty() && text.size() <= simple_key_max &&
         std::ranges::none_of(text, is_line_break);
}

bool is_plain(std::string_view text, ScalarPlace place) {
  return may_be_plain(text, analyse(characters_of(text)), place);
}

void write_text(Layout& out, std::string_view text, ScalarPlace place) {
  const auto characters = characters_of(text);
  const bool fold = !is_key(place);
  switch (style_of(text, analyse(characters), place)) {
    case Style::plain: return write_plain(out, characters, fold);
    case Style::single_quoted: return write_single_quoted(out, characters, fold);
    case Style::double_quoted: return write_double_quoted(out, characters, fold);
  }
}

}  // namespace tanist::yaml

// SPDX-License-Identifier: Apache-2.0
// Printing of tables. Pure; any thread.
#include "ctl/table.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/json.h"
#include "yaml/yaml.h"

namespace tanist::ctl {

namespace {

using Lines = std::vector<std::string>;

Lines split_lines(const std::string& text) {
  Lines lines(1);
  for (const char c : text) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

// A row of cells, each of which may have several lines.
using Row = std::vector<Lines>;

bool is_empty(const Tree& cell) {
  if (cell.is_null()) return true;
  if (const auto* text = cell.as_string()) return text->empty();
  return cell.is_map() && cell.as_map()->empty();
}

class PrettyTable {
 public:
  explicit PrettyTable(const Table& table) : table_(table) {
    for (const auto& column : table.columns) {
      heading_.push_back({column.short_heading.empty() ? column.heading : column.short_heading});
    }
    for (const auto& cells : table.rows) {
      Row row;
      for (const auto& cell : cells) row.push_back(split_lines(text_form(cell)));
      rows_.push_back(std::move(row));
    }
    measure();
  }

  std::string text() const {
    const auto rule = this->rule();
    auto out = titled(rule) + "\n" + row_text(heading_) + rule + "\n";
    for (const auto& row : rows_) {
      out += row_text(row);
      if (has_tall_row_) out += rule + "\n";
    }
    if (!rows_.empty() && !has_tall_row_) out += rule + "\n";
    return out;
  }

 private:
  static std::size_t height(const Row& row) {
    std::size_t lines = 1;
    for (const auto& cell : row) lines = std::max(lines, cell.size());
    return lines;
  }

  void measure() {
    widths_.assign(table_.columns.size(), 0);
    const auto widen = [&](const Row& row) {
      for (std::size_t i = 0; i < row.size(); ++i) {
        for (const auto& line : row[i]) widths_[i] = std::max(widths_[i], display_width(line));
      }
    };
    widen(heading_);
    std::ranges::for_each(rows_, widen);
    has_tall_row_ = std::ranges::any_of(rows_, [](const Row& row) { return height(row) > 1; });
  }

  std::string rule() const {
    std::string out = "+";
    for (const auto width : widths_) out += std::string(width + 2, '-') + "+";
    return out;
  }

  // The title over the rule, from its second character on and never over its last one.
  std::string titled(const std::string& rule) const {
    const auto room = rule.size() > 2 ? rule.size() - 2 : 0;
    std::string title = table_.title;
    while (display_width(title) > room) drop_last_character(title);
    return rule.substr(0, 1) + title + rule.substr(1 + display_width(title));
  }

  static void drop_last_character(std::string& text) {
    while (text.size() > 1 && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) {
      text.pop_back();
    }
    text.pop_back();
  }

  std::string row_text(const Row& row) const {
    std::string out;
    for (std::size_t line = 0; line < height(row); ++line) {
      out += "|";
      for (std::size_t i = 0; i < row.size(); ++i) {
        out += " " + padded(line < row[i].size() ? row[i][line] : "", i) + " |";
      }
      out += "\n";
    }
    return out;
  }

  std::string padded(const std::string& text, std::size_t column) const {
    const std::string blanks(widths_[column] - display_width(text), ' ');
    return table_.columns[column].align == Align::left ? text + blanks : blanks + text;
  }

  const Table& table_;
  Row heading_;
  std::vector<Row> rows_;
  std::vector<std::size_t> widths_;
  bool has_tall_row_ = false;
};

std::string to_tsv(const Table& table, std::string_view delimiter) {
  std::string out;
  const auto add = [&](const auto& cells, const auto& text_of) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += delimiter;
      out += text_of(cells[i]);
    }
    out += "\n";
  };
  if (!table.columns.empty()) {
    add(table.columns, [](const Column& column) { return column.heading; });
  }
  for (const auto& row : table.rows) add(row, text_form);
  return out;
}

Tree to_tree(const Table& table) {
  Tree list = Tree::list();
  for (const auto& row : table.rows) {
    Tree object = Tree::map();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (table.omits_empty && is_empty(row[i])) continue;
      object.set(table.columns[i].heading, row[i]);
    }
    list.push(std::move(object));
  }
  return list;
}

std::size_t character_bytes(unsigned char first) {
  if (first >= 0xF0 && first < 0xF8) return 4;
  if (first >= 0xE0 && first < 0xF0) return 3;
  return first >= 0xC0 && first < 0xE0 ? 2 : 1;
}

// One character of UTF-8 off the front; a broken byte counts as one character.
char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const auto size = character_bytes(first);
  static constexpr std::array<unsigned, 5> masks{0, 0x7F, 0x1F, 0x0F, 0x07};
  char32_t code = first & masks.at(size);
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    if ((next & 0xC0U) != 0x80U) {
      text.remove_prefix(1);
      return U'\uFFFD';
    }
    code = (code << 6U) | (next & 0x3FU);
  }
  text.remove_prefix(size);
  return code;
}

struct Range {
  char32_t first;
  char32_t last;
};
// Unicode's combining and zero-width characters, and those of East Asian width W and F, as far as
// names and reasons may hold them.
constexpr std::array zero_width{Range{0x300, 0x36F},   Range{0x483, 0x489},   Range{0x591, 0x5BD},
                                Range{0x200B, 0x200F}, Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F},
                                Range{0xFE20, 0xFE2F}, Range{0xFEFF, 0xFEFF}};
constexpr std::array double_width{
    Range{0x1100, 0x115F},   Range{0x2E80, 0x303E},   Range{0x3041, 0xA4CF},  Range{0xAC00, 0xD7A3},
    Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},  Range{0xFFE0, 0xFFE6},
    Range{0x1F300, 0x1F64F}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t code) {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return code >= range.first && code <= range.last; });
}

}  // namespace

std::optional<Format> format_named(std::string_view name) {
  if (name == "pretty") return Format::pretty;
  if (name == "tsv") return Format::tsv;
  if (name == "json") return Format::json;
  if (name == "yaml" || name == "yml") return Format::yaml;
  return std::nullopt;
}

std::string to_text(const Table& table, Format format, std::string_view delimiter) {
  switch (format) {
    case Format::pretty: return PrettyTable(table).text();
    case Format::tsv: return to_tsv(table, delimiter);
    case Format::json: return to_spaced_json(to_tree(table)) + "\n";
    case Format::yaml: return yaml::to_yaml(to_tree(table), {.width = 200}) + "\n";
  }
  return {};
}

std::size_t display_width(std::string_view line) {
  std::size_t width = 0;
  while (!line.empty()) {
    const auto code = take_character(line);
    if (is_in(zero_width, code)) continue;
    width += is_in(double_width, code) ? 2 : 1;
  }
  return width;
}

}  // namespace tanist::ctl

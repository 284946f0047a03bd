// SPDX-License-Identifier: Apache-2.0
// Tables as the tool prints them, in four formats (contract ctl 2). Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/tree.h"

namespace tanist::ctl {

enum class Format { pretty, tsv, json, yaml };

// The format with that name (yml is yaml); nothing for any other word.
std::optional<Format> format_named(std::string_view name);

enum class Align { left, right };

struct Column {
  std::string heading;  // of tsv, and the key of json and yaml
  Align align = Align::left;
  std::string short_heading;  // of pretty; empty = `heading`
};

struct Table {
  std::string title;  // of pretty only; stands in the top rule
  std::vector<Column> columns;
  std::vector<std::vector<Tree>> rows;  // one cell a column
  bool omits_empty = false;             // json and yaml leave out null, "" and {}
};

// The text with its line breaks: ready to be printed. `delimiter` stands between the cells of tsv,
// which has no heading line when there are no columns.
std::string to_text(const Table& table, Format format, std::string_view delimiter = "\t");

// Columns a terminal needs for one line of UTF-8: wide characters two, combining ones none.
std::size_t display_width(std::string_view line);

}  // namespace tanist::ctl

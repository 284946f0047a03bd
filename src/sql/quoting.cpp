// SPDX-License-Identifier: Apache-2.0
// Doubling of quotes.
#include "sql/quoting.h"

namespace tanist::sql {

namespace {

std::string doubled(std::string_view text, std::string_view marks) {
  std::string result;
  for (const char c : text) {
    if (marks.find(c) != std::string_view::npos) result += c;
    result += c;
  }
  return result;
}

}  // namespace

std::string quote_literal(std::string_view text) {
  const bool has_backslash = text.find('\\') != std::string_view::npos;
  return (has_backslash ? "E'" : "'") + doubled(text, "'\\") + "'";
}

std::string quote_identifier(std::string_view name) { return '"' + doubled(name, "\"") + '"'; }

}  // namespace tanist::sql

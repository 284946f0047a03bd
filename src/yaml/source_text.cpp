// SPDX-License-Identifier: Apache-2.0
// Looking into the text that is being read. Pure; any thread.
#include "yaml/source_text.h"

#include <algorithm>

namespace tanist::yaml {

SourceText::SourceText(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text_.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\r') {
      text_ += text[at];
    } else if (!text.substr(at + 1).starts_with('\n')) {
      text_ += '\n';
    }
  }
}

Position SourceText::position_of(std::size_t offset) const {
  const auto before = std::string_view(text_).substr(0, offset);
  const auto line = std::ranges::count(before, '\n');
  const auto start = before.rfind('\n') + 1;  // 0 when there is none
  return {static_cast<int>(line), static_cast<int>(before.size() - start)};
}

std::string_view SourceText::line_at(int line) const {
  const std::string_view text = text_;
  std::size_t start = 0;
  for (int i = 0; i < line; ++i) {
    start = text.find('\n', start);
    if (start == std::string_view::npos) return text.substr(text.size());
    ++start;
  }
  return text.substr(start, text.find('\n', start) - start);
}

std::string_view SourceText::from(Position at) const {
  const auto line = line_at(at.line);
  const auto column = std::min(static_cast<std::size_t>(at.column), line.size());
  return std::string_view(text_).substr(static_cast<std::size_t>(line.data() - text_.data()) +
                                        column);
}

bool SourceText::is_unclosed_quote(Position at) const {
  auto rest = from(at);
  while (rest.starts_with('!') || rest.starts_with('&')) {
    const auto end = rest.find_first_of(" \t\n");
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\n", end), rest.size()));
  }
  if (!rest.starts_with('"') && !rest.starts_with('\'')) return false;
  const char quote = rest.front();
  for (std::size_t i = 1; i < rest.size(); ++i) {
    const bool escapes = quote == '"' ? rest[i] == '\\' : rest.substr(i, 2) == "''";
    if (escapes) {
      ++i;
    } else if (rest[i] == quote) {
      return false;
    }
  }
  return true;
}

bool SourceText::is_key_without_colon(Position at) const {
  const auto before = line_at(at.line).substr(0, static_cast<std::size_t>(at.column));
  if (before.find('?') != std::string_view::npos) return false;  // "? key" needs none
  const auto rest = from(at);
  for (auto i = rest.find(':'); i != std::string_view::npos; i = rest.find(':', i + 1)) {
    if (i + 1 == rest.size() || rest[i + 1] == ' ' || rest[i + 1] == '\n') return false;
  }
  return true;
}

bool SourceText::is_indented_with_tab(int line) const {
  const auto text = line_at(line);
  return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

}  // namespace tanist::yaml

// SPDX-License-Identifier: Apache-2.0
// UTF-8 as YAML sees it: which characters may stand in a file, which break lines. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace tanist::yaml {

inline constexpr char32_t no_character = 0xFFFFFFFF;

// The character at `at`, which moves past it; no_character for a byte that is no UTF-8 (past which
// `at` moves).
char32_t next_character(std::string_view text, std::size_t& at);

// Tab, line breaks, and everything that can be seen.
bool is_printable(char32_t c);
// Line feed, NEL and the Unicode separators; a carriage return is none to the writer.
bool is_line_break(char32_t c);

// Offset of the first character that may not stand in a YAML text.
std::optional<std::size_t> first_unprintable(std::string_view text);

}  // namespace tanist::yaml

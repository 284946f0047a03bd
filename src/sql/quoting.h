// SPDX-License-Identifier: Apache-2.0
// Text as SQL reads it back, for statements that take no parameters. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace tanist::sql {

// 'it''s'; with a backslash in it: E'a\\b', which means the same under any setting.
std::string quote_literal(std::string_view text);
// "a""b": always quoted.
std::string quote_identifier(std::string_view name);

}  // namespace tanist::sql

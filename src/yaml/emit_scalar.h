// SPDX-License-Identifier: Apache-2.0
// How a text is written: plain, in single or in double quotes, and where it is folded (PyYAML's
// rules). One thread.
#pragma once

#include <string>
#include <string_view>

#include "yaml/layout.h"

namespace tanist::yaml {

enum class ScalarPlace { block_value, flow_value, block_key, flow_key };

// The text's characters; bytes that are no UTF-8 become U+FFFD.
std::u32string characters_of(std::string_view text);

// A key that may stand before its ":" without "? ": short, in one line, not empty.
bool is_simple_key(std::u32string_view text);

// True when the text can be written without quotes.
bool is_plain(std::string_view text, ScalarPlace place);

void write_text(Layout& out, std::string_view text, ScalarPlace place);

}  // namespace tanist::yaml

// SPDX-License-Identifier: Apache-2.0
// Words of a transcript's line. Test code only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/types.h"

namespace tanist::scenarios {

using Words = std::vector<std::string>;

// A line that cannot be carried out; its text becomes the transcript's error.
struct Unusable {
  std::string text;
};

struct Pair {
  std::string key;
  std::string value;  // empty when there is no `=`
};

Words split(std::string_view line, char separator = ' ');
Pair pair_of(const std::string& word);
std::uint64_t hex(const std::string& text);
Timeline timeline_of(const std::string& text);

}  // namespace tanist::scenarios

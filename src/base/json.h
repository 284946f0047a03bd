// SPDX-License-Identifier: Apache-2.0
// JSON text to Tree and back. Reads what others wrote, so every limit is enforced while parsing:
// depth (tree_depth_max) and size. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/tree.h"

namespace tanist {

inline constexpr std::size_t json_bytes_max = 8 * 1024 * 1024;

// Errc::invalid with position and cause for anything that is not exactly one JSON value, deeper
// than tree_depth_max or longer than `bytes_max`. The last of repeated keys wins. Integers beyond
// 64 bits become reals.
Result<Tree> parse_json(std::string_view text, std::size_t bytes_max = json_bytes_max);

// Compact (no spaces), ASCII only (\uXXXX), map order kept: the form of every value in the store.
std::string to_json(const Tree& tree);
// With ", " and ": " between items, as Python's json.dumps prints by default.
std::string to_spaced_json(const Tree& tree);

}  // namespace tanist

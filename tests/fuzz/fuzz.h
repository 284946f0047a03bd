// SPDX-License-Identifier: Apache-2.0
// What fuzz targets share: the input as text, and a check that stops the fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace tanist::fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// A property that must hold for every input.
inline void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// The parts of a text between separators.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// The first byte chooses, the rest is read.
struct Chosen {
  std::uint8_t which = 0;
  std::string_view rest;
};
inline Chosen choose(std::string_view text) {
  if (text.empty()) return {};
  return {static_cast<std::uint8_t>(text.front()), text.substr(1)};
}

}  // namespace tanist::fuzz

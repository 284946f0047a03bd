// SPDX-License-Identifier: Apache-2.0
// What is known of the server's parameters by version: type, unit, range, values. Immutable; any
// thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tanist::postgres {

enum class ParameterType { boolean, integer, real, text, enumeration };

struct ParameterRow {
  std::string_view name;
  std::int16_t first_major;
  std::int16_t last_major;
  ParameterType type;
  std::string_view unit{};  // "", "ms", "s", "min", "B", "kB", "8kB", "MB"
  double minimum = 0;
  double maximum = 0;
  std::string_view values{};  // of an enumeration, separated by commas
};

inline constexpr std::int64_t rows_first_major = 12;
inline constexpr std::int64_t rows_last_major = 18;

std::span<const ParameterRow> parameter_rows();

// The row for this version; versions beyond the table count as its nearest. nullptr: not known.
const ParameterRow* find_parameter(std::string_view lower_name, std::int64_t major_version);

}  // namespace tanist::postgres

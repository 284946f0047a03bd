// SPDX-License-Identifier: Apache-2.0
// Types, ranges and values of the catalogue, applied.
#include "postgres/parameter_check.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/format.h"
#include "postgres/parameter_value.h"

namespace tanist::postgres {

namespace {

CheckedValue invalid(std::string_view type, const std::string& name, const std::string& value) {
  return {Verdict::invalid, "",
          format_text("Removing {} parameter={} from the config due to the invalid value={}", type,
                      name, value)};
}

// `word` is in lower case.
bool lists(std::string_view values, std::string_view word) {
  while (!values.empty()) {
    const auto comma = std::min(values.find(','), values.size());
    if (lower_case(values.substr(0, comma)) == word) return true;
    values.remove_prefix(std::min(comma + 1, values.size()));
  }
  return false;
}

// Spellings that the server takes and does not show.
struct Hidden {
  std::string_view parameter;
  std::string_view values;
};
constexpr std::array<Hidden, 4> hidden_values{{{"wal_level", "archive,hot_standby"},
                                               {"client_min_messages", "info,debug,fatal,panic"},
                                               {"log_min_messages", "debug"},
                                               {"log_min_error_statement", "debug"}}};

bool accepts(const ParameterRow& row, std::string_view value) {
  const auto word = lower_case(value);
  if (lists(row.values, word)) return true;
  if (lists(row.values, "on") && parse_boolean(word)) return true;
  return std::ranges::any_of(hidden_values, [&](const Hidden& hidden) {
    return hidden.parameter == row.name && lists(hidden.values, word);
  });
}

CheckedValue check_number(const ParameterRow& row, const std::string& name,
                          const std::string& value) {
  const auto number = parse_number(value, row.unit, row.type);
  if (!number) {
    return invalid(row.type == ParameterType::integer ? "integer" : "real", name, value);
  }
  if (*number >= row.minimum && *number <= row.maximum) return {Verdict::good, value, ""};
  const bool low = *number < row.minimum;
  const auto limit = number_text(low ? row.minimum : row.maximum, row.type);
  return {Verdict::adjusted, limit,
          format_text("Value={} of parameter={} is too {} to {}{}", value, name,
                      low ? "low, increasing" : "big, decreasing", limit, row.unit)};
}

}  // namespace

bool is_parameter_name(std::string_view name) {
  bool part_begins = true;
  for (const char c : name) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = (c >= '0' && c <= '9') || c == '$';
    if (part_begins ? !letter : !letter && !digit && c != '.') return false;
    part_begins = c == '.';
  }
  return !part_begins;
}

CheckedValue check_parameter(const std::string& name, const std::string& value,
                             std::int64_t major_version) {
  if (!is_parameter_name(name)) return {Verdict::invalid, "", unexpected_parameter(name, value)};
  if (name.find('.') != std::string::npos) return {Verdict::good, value, ""};
  const auto* row = find_parameter(lower_case(name), major_version);
  if (row == nullptr) return {Verdict::not_known, value, ""};
  switch (row->type) {
    case ParameterType::boolean:
      if (!parse_boolean(value)) return invalid("bool", name, value);
      break;
    case ParameterType::enumeration:
      if (!accepts(*row, value)) return invalid("enum", name, value);
      break;
    case ParameterType::integer:
    case ParameterType::real: return check_number(*row, name, value);
    case ParameterType::text: break;
  }
  return {Verdict::good, value, ""};
}

std::string unexpected_parameter(const std::string& name, const std::string& value) {
  return format_text("Removing unexpected parameter={} value={} from the config", name, value);
}

}  // namespace tanist::postgres

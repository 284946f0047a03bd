// SPDX-License-Identifier: Apache-2.0
// The server's own rules for booleans, numbers and units.
#include "postgres/parameter_value.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/format.h"

namespace tanist::postgres {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string_view without_spaces_around(std::string_view text) {
  constexpr std::string_view spaces = " \t\n\v\f\r";
  const auto first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

std::optional<bool> parse_boolean(std::string_view text) {
  const auto word = lower_case(without_spaces_around(text));
  if (word.empty()) return std::nullopt;
  if (word == "1" || word == "on") return true;
  if (word == "0") return false;
  // "o" alone could be either.
  if (std::string_view("true").starts_with(word) || std::string_view("yes").starts_with(word)) {
    return true;
  }
  if (std::string_view("false").starts_with(word) || std::string_view("no").starts_with(word) ||
      word == "of" || word == "off") {
    return false;
  }
  return std::nullopt;
}

namespace {

enum class Kind { memory, time };

struct Unit {
  std::string_view name;
  Kind kind;
  double size;  // in bytes or microseconds
};

// Largest first within a kind: rounding looks at the next one.
constexpr std::array<Unit, 11> units{{{"TB", Kind::memory, 1099511627776.0},
                                      {"GB", Kind::memory, 1073741824.0},
                                      {"MB", Kind::memory, 1048576.0},
                                      {"kB", Kind::memory, 1024.0},
                                      {"B", Kind::memory, 1.0},
                                      {"d", Kind::time, 86400e6},
                                      {"h", Kind::time, 3600e6},
                                      {"min", Kind::time, 60e6},
                                      {"s", Kind::time, 1e6},
                                      {"ms", Kind::time, 1e3},
                                      {"us", Kind::time, 1.0}}};

const Unit* find_unit(std::string_view name) {
  const auto at = std::ranges::find(units, name, &Unit::name);
  return at == units.end() ? nullptr : &*at;
}

// A base unit may be a multiple: "8kB", "16MB".
std::optional<Unit> base_unit_of(std::string_view text) {
  double multiple = 1;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, multiple);
  if (parsed.ec == std::errc{})
    text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  const auto* unit = find_unit(text);
  if (unit == nullptr) return std::nullopt;
  return Unit{unit->name, unit->kind, unit->size * multiple};
}

// The number at the start, and what follows it.
std::optional<double> leading_number(std::string_view& text, ParameterType type) {
  const std::string copy(text);
  char* end = nullptr;
  double value = 0;
  if (type == ParameterType::integer)
    value = static_cast<double>(std::strtoll(copy.c_str(), &end, 0));
  const bool fraction = end != nullptr && (*end == '.' || *end == 'e' || *end == 'E');
  if (type != ParameterType::integer || fraction) value = std::strtod(copy.c_str(), &end);
  if (end == copy.c_str() || !std::isfinite(value)) return std::nullopt;
  text = without_spaces_around(text.substr(static_cast<std::size_t>(end - copy.c_str())));
  return value;
}

// A fraction of a unit is rounded to the next smaller one: "30.1GB" to whole MB.
std::optional<double> converted(double value, std::string_view unit_name, std::string_view base) {
  const auto target = base_unit_of(base);
  const auto* unit = find_unit(unit_name);
  if (!target || unit == nullptr || unit->kind != target->kind) return std::nullopt;
  const auto* smaller = unit + 1;
  const bool has_smaller = smaller != units.end() && smaller->kind == unit->kind;
  double amount = value * unit->size;
  if (has_smaller) amount = std::rint(amount / smaller->size) * smaller->size;
  return amount / target->size;
}

}  // namespace

std::optional<double> parse_number(std::string_view text, std::string_view base_unit,
                                   ParameterType type) {
  text = without_spaces_around(text);
  auto value = leading_number(text, type);
  if (value && !text.empty()) value = converted(*value, text, base_unit);
  if (value && type == ParameterType::integer) value = std::rint(*value);
  return value;
}

std::string number_text(double value, ParameterType type) {
  if (type == ParameterType::integer) return format_text("{:.0f}", value);
  return format_text("{}", value);
}

std::string with_unit(double value, std::string_view base_unit, ParameterType type) {
  const auto base = base_unit_of(base_unit);
  if (!base || value <= 0) return number_text(value, type);
  for (const auto& unit : units) {
    const double amount = value * base->size / unit.size;
    if (unit.kind == base->kind && amount >= 1 && amount == std::rint(amount)) {
      return format_text("{:.0f}{}", amount, unit.name);
    }
  }
  return number_text(value, type) + std::string(base_unit);
}

bool same_value(std::string_view a, std::string_view b, ParameterType type, std::string_view unit) {
  switch (type) {
    case ParameterType::boolean: {
      const auto first = parse_boolean(a);
      const auto second = parse_boolean(b);
      return first && second ? *first == *second : a == b;
    }
    case ParameterType::integer:
    case ParameterType::real: {
      const auto first = parse_number(a, unit, type);
      const auto second = parse_number(b, unit, type);
      // pg_settings prints reals with few digits.
      return first && second ? std::abs(*first - *second) <= std::abs(*first) * 1e-9 : a == b;
    }
    case ParameterType::enumeration: {
      if (lower_case(a) == lower_case(b)) return true;
      const auto first = parse_boolean(a);  // "on" has synonyms in enumerations too
      return first && first == parse_boolean(b);
    }
    case ParameterType::text: break;
  }
  return a == b;
}

ParameterType parameter_type(std::string_view vartype) {
  if (vartype == "bool") return ParameterType::boolean;
  if (vartype == "integer") return ParameterType::integer;
  if (vartype == "real") return ParameterType::real;
  if (vartype == "enum") return ParameterType::enumeration;
  return ParameterType::text;
}

}  // namespace tanist::postgres

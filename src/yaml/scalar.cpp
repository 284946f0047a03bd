// SPDX-License-Identifier: Apache-2.0
// The table of plain scalars. Written out by hand: a regular expression of the standard library
// recurses once per character. Pure; any thread.
#include "yaml/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

namespace tanist::yaml {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_decimal(char c) { return is_digit(c) || c == '_'; }
bool is_octal(char c) { return (c >= '0' && c <= '7') || c == '_'; }
bool is_binary(char c) { return c == '0' || c == '1' || c == '_'; }
bool is_hexadecimal(char c) {
  return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

using CharTest = bool (*)(char);

bool all(std::string_view text, CharTest test) {
  return !text.empty() && std::ranges::all_of(text, test);
}

std::size_t count_of(std::string_view text, CharTest test) {
  return static_cast<std::size_t>(std::ranges::find_if_not(text, test) - text.begin());
}

// Moves past the leading characters that pass; true when there were any.
bool skip(std::string_view& text, CharTest test) {
  const auto count = count_of(text, test);
  text.remove_prefix(count);
  return count > 0;
}

bool skip_one(std::string_view& text, std::string_view set) {
  if (text.empty() || set.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// ":59" parts of a number of base 60; at least one.
bool skip_sixtieths(std::string_view& text) {
  bool any = false;
  while (text.size() >= 2 && text[0] == ':' && is_digit(text[1])) {
    const bool two = text.size() >= 3 && is_digit(text[2]);
    if (two && text[1] > '5') return false;
    text.remove_prefix(two ? 3 : 2);
    any = true;
  }
  return any;
}

bool is_integer(std::string_view text) {
  skip_one(text, "+-");
  if (text.empty()) return false;
  if (text == "0") return true;
  if (text.starts_with("0b")) return all(text.substr(2), is_binary);
  if (text.starts_with("0x")) return all(text.substr(2), is_hexadecimal);
  if (text.front() == '0') return all(text, is_octal);
  if (!is_digit(text.front())) return false;
  skip(text, is_decimal);
  return text.empty() || (skip_sixtieths(text) && text.empty());
}

// e+3 or nothing, to the end: without a sign it is no exponent.
bool is_exponent_or_end(std::string_view text) {
  if (text.empty()) return true;
  return skip_one(text, "eE") && skip_one(text, "+-") && all(text, is_digit);
}

bool is_real(std::string_view text) {
  if (text == ".nan" || text == ".NaN" || text == ".NAN") return true;
  const bool is_signed = skip_one(text, "+-");
  if (text == ".inf" || text == ".Inf" || text == ".INF") return true;
  if (text.empty()) return false;
  if (text.front() == '.') {
    text.remove_prefix(1);
    if (is_signed || text.empty() || !is_digit(text.front())) return false;
    skip(text, is_decimal);
    return is_exponent_or_end(text);
  }
  if (!is_digit(text.front())) return false;
  skip(text, is_decimal);
  const bool sixtieths = skip_sixtieths(text);
  if (!skip_one(text, ".")) return false;
  skip(text, is_decimal);
  return sixtieths ? text.empty() : is_exponent_or_end(text);
}

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

constexpr std::array<std::string_view, 9> true_words{"yes",  "Yes", "YES", "true", "True",
                                                     "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 9> false_words{"no",    "No",  "NO",  "false", "False",
                                                      "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> null_words{"", "~", "null", "Null", "NULL"};

bool is_boolean(std::string_view text) {
  return is_one_of(text, true_words) || is_one_of(text, false_words);
}

bool is_null(std::string_view text) { return is_one_of(text, null_words); }
bool is_merge(std::string_view text) { return text == "<<"; }
bool is_value(std::string_view text) { return text == "="; }

bool skip_digits(std::string_view& text, std::size_t fewest, std::size_t most) {
  const auto count = std::min(count_of(text, is_digit), most);
  text.remove_prefix(count);
  return count >= fewest;
}

bool is_zone_or_end(std::string_view text) {
  skip(text, [](char c) { return c == ' ' || c == '\t'; });
  if (text.empty() || text == "Z") return true;
  if (!skip_one(text, "+-") || !skip_digits(text, 1, 2)) return false;
  return text.empty() || (skip_one(text, ":") && skip_digits(text, 2, 2) && text.empty());
}

bool is_timestamp(std::string_view text) {
  const auto whole = text;
  if (!skip_digits(text, 4, 4) || !skip_one(text, "-") || !skip_digits(text, 1, 2) ||
      !skip_one(text, "-") || !skip_digits(text, 1, 2)) {
    return false;
  }
  if (text.empty()) return whole.size() == 10;
  const bool parted =
      skip_one(text, "Tt") || skip(text, [](char c) { return c == ' ' || c == '\t'; });
  if (!parted || !skip_digits(text, 1, 2) || !skip_one(text, ":") || !skip_digits(text, 2, 2) ||
      !skip_one(text, ":") || !skip_digits(text, 2, 2)) {
    return false;
  }
  if (skip_one(text, ".")) skip(text, is_digit);
  if (text.starts_with(' ') || text.starts_with('\t')) {
    auto after = text;
    skip(after, [](char c) { return c == ' ' || c == '\t'; });
    if (after.empty()) return false;
  }
  return is_zone_or_end(text);
}

struct Rule {
  ScalarKind kind;
  bool (*matches)(std::string_view);
};

// Ordered as PyYAML asks: the first that matches wins.
constexpr std::array<Rule, 7> rules{{{ScalarKind::boolean, is_boolean},
                                     {ScalarKind::real, is_real},
                                     {ScalarKind::integer, is_integer},
                                     {ScalarKind::merge, is_merge},
                                     {ScalarKind::null, is_null},
                                     {ScalarKind::timestamp, is_timestamp},
                                     {ScalarKind::value, is_value}}};

std::string without_underscores(std::string_view text) {
  std::string out(text);
  std::erase(out, '_');
  return out;
}

// Adds the parts of a number of base 60. Nothing on overflow or an empty part.
std::optional<std::int64_t> sixtieths_value(std::string_view text) {
  std::int64_t sum = 0;
  while (true) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    std::int64_t value = 0;
    const auto* end = part.data() + part.size();
    const auto parsed = std::from_chars(part.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
    if (__builtin_mul_overflow(sum, 60, &sum) || __builtin_add_overflow(sum, value, &sum)) {
      return std::nullopt;
    }
    if (colon == std::string_view::npos) return sum;
    text.remove_prefix(colon + 1);
  }
}

double sixtieths_real(std::string_view text) {
  double sum = 0;
  while (true) {
    const auto colon = text.find(':');
    const auto part = text.substr(0, colon);
    double value = 0;
    std::from_chars(part.data(), part.data() + part.size(), value);
    sum = sum * 60 + value;
    if (colon == std::string_view::npos) return sum;
    text.remove_prefix(colon + 1);
  }
}

}  // namespace

ScalarKind kind_of_plain(std::string_view text) {
  const auto at = std::ranges::find_if(rules, [&](const Rule& rule) { return rule.matches(text); });
  return at == rules.end() ? ScalarKind::text : at->kind;
}

std::optional<bool> boolean_value(std::string_view text) {
  std::string word(text);
  std::ranges::transform(word, word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (is_one_of(word, true_words)) return true;
  if (is_one_of(word, false_words)) return false;
  return std::nullopt;
}

std::optional<std::int64_t> integer_value(std::string_view text) {
  const std::string clean = without_underscores(text);
  std::string_view digits = clean;
  const bool negative = digits.starts_with('-');
  skip_one(digits, "+-");
  int base = 10;
  if (digits.starts_with("0b")) {
    base = 2;
  } else if (digits.starts_with("0x")) {
    base = 16;
  } else if (digits.starts_with('0') && digits.size() > 1) {
    base = 8;
  } else if (digits.find(':') != std::string_view::npos) {
    const auto sum = sixtieths_value(digits);
    return sum && negative ? -*sum : sum;
  }
  if (base == 2 || base == 16) digits.remove_prefix(2);
  if (digits.empty() || !is_hexadecimal(digits.front())) return std::nullopt;
  const std::string number = (negative ? "-" : "") + std::string(digits);
  std::int64_t value = 0;
  const auto* end = number.data() + number.size();
  const auto parsed = std::from_chars(number.data(), end, value, base);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return value;
}

std::optional<double> real_value(std::string_view text) {
  std::string clean = without_underscores(text);
  std::ranges::transform(clean, clean.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  std::string_view digits = clean;
  const double sign = digits.starts_with('-') ? -1.0 : 1.0;
  skip_one(digits, "+-");
  if (digits == ".inf") return sign * std::numeric_limits<double>::infinity();
  if (digits == ".nan") return std::numeric_limits<double>::quiet_NaN();
  if (digits.find(':') != std::string_view::npos) return sign * sixtieths_real(digits);
  if (digits.empty() || !(is_digit(digits.front()) || digits.front() == '.')) return std::nullopt;
  double value = 0;
  const auto* end = digits.data() + digits.size();
  const auto parsed = std::from_chars(digits.data(), end, value);
  if (parsed.ptr != end || parsed.ec == std::errc::invalid_argument) return std::nullopt;
  if (parsed.ec == std::errc::result_out_of_range) {
    const bool tiny = digits.find("e-") != std::string_view::npos;
    value = tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  return sign * value;
}

Tree plain_value(std::string_view text) {
  switch (kind_of_plain(text)) {
    case ScalarKind::null: return {};
    case ScalarKind::boolean: return boolean_value(text).value_or(false);
    case ScalarKind::integer:
      if (const auto number = integer_value(text)) return *number;
      return text;
    case ScalarKind::real:
      if (const auto number = real_value(text)) return *number;
      return text;
    case ScalarKind::text:
    case ScalarKind::timestamp:
    case ScalarKind::merge:
    case ScalarKind::value: return text;
  }
  return text;
}

}  // namespace tanist::yaml

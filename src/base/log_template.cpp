// SPDX-License-Identifier: Apache-2.0
// Templates of log lines. Pure; any thread.
#include "base/log_template.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tanist {

namespace {

constexpr int width_max = 200;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

class TemplateReader {
 public:
  explicit TemplateReader(std::string_view text) : rest_(text) {}

  Result<std::vector<TemplatePart>> read() {
    while (!rest_.empty()) {
      if (rest_.starts_with("%%")) {
        literal("%");
        rest_.remove_prefix(2);
      } else if (rest_.front() == '%') {
        const auto read = field();
        if (!read) return pass_on(read.error());
      } else {
        const auto length = std::min(rest_.find('%'), rest_.size());
        literal(rest_.substr(0, length));
        rest_.remove_prefix(length);
      }
    }
    return std::move(parts_);
  }

 private:
  void literal(std::string_view text) {
    if (parts_.empty() || !parts_.back().name.empty()) parts_.emplace_back();
    parts_.back().literal += text;
  }

  int number() {
    int value = 0;
    while (!rest_.empty() && is_digit(rest_.front())) {
      value = std::min(value * 10 + (rest_.front() - '0'), width_max);
      rest_.remove_prefix(1);
    }
    return value;
  }

  Result<void> field() {
    rest_.remove_prefix(1);
    const auto close = rest_.find(')');
    if (!rest_.starts_with('(') || close == std::string_view::npos || close == 1) {
      return fail(Errc::invalid, "a \"%\" is not followed by \"(name)\"");
    }
    TemplatePart part;
    part.name = rest_.substr(1, close - 1);
    rest_.remove_prefix(close + 1);
    const auto flags = std::min(rest_.find_first_not_of("-+ 0#"), rest_.size());
    part.flags = rest_.substr(0, flags);
    rest_.remove_prefix(flags);
    part.width = number();
    if (rest_.starts_with('.')) {
      rest_.remove_prefix(1);
      part.precision = number();
    }
    rest_.remove_prefix(std::min(rest_.find_first_not_of("hlL"), rest_.size()));
    if (rest_.empty() ||
        std::string_view("diuoxXeEfFgGcrsa").find(rest_.front()) == std::string_view::npos) {
      return fail(Errc::invalid, "\"%({})\" is not followed by a conversion such as \"s\"",
                  part.name);
    }
    part.conversion = rest_.front();
    rest_.remove_prefix(1);
    parts_.push_back(std::move(part));
    return {};
  }

  std::string_view rest_;
  std::vector<TemplatePart> parts_;
};

bool has_flag(const TemplatePart& part, char flag) {
  return part.flags.find(flag) != std::string::npos;
}

bool is_character_start(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

// Widths count characters, not bytes.
std::string padded_text(const TemplatePart& part, std::string text) {
  if (part.precision >= 0) {
    int characters = 0;
    std::size_t end = 0;
    while (end < text.size() && (!is_character_start(text[end]) || characters++ < part.precision)) {
      ++end;
    }
    text.resize(end);
  }
  const auto characters = std::ranges::count_if(text, is_character_start);
  if (characters >= part.width) return text;
  const std::string padding(static_cast<std::size_t>(part.width - characters), ' ');
  return has_flag(part, '-') ? text + padding : padding + text;
}

template <class Number>
std::string printed(const TemplatePart& part, std::string_view type, Number number) {
  std::string format = "%" + part.flags + (part.width > 0 ? std::to_string(part.width) : "");
  if (part.precision >= 0) format += "." + std::to_string(part.precision);
  format += type;
  char buffer[1024];
  const int length = std::snprintf(buffer, sizeof buffer, format.c_str(), number);
  return {buffer, static_cast<std::size_t>(std::clamp(length, 0, int{sizeof buffer} - 1))};
}

bool is_integer_conversion(char c) {
  return std::string_view("diuoxX").find(c) != std::string_view::npos;
}
bool is_real_conversion(char c) {
  return std::string_view("eEfFgG").find(c) != std::string_view::npos;
}

}  // namespace

Result<std::vector<TemplatePart>> parse_template(std::string_view text) {
  return TemplateReader(text).read();
}

bool fits(const TemplatePart& part, const Tree& value) {
  const bool number = value.as_int() != nullptr || value.as_real() != nullptr;
  if (std::string_view("oxX").find(part.conversion) != std::string_view::npos) {
    return value.as_int() != nullptr;
  }
  if (is_integer_conversion(part.conversion) || is_real_conversion(part.conversion)) return number;
  return part.conversion != 'c';
}

std::string converted(const TemplatePart& part, const Tree& value) {
  if (!fits(part, value)) return padded_text(part, text_form(value));
  const double real = value.as_real() != nullptr  ? *value.as_real()
                      : value.as_int() != nullptr ? static_cast<double>(*value.as_int())
                                                  : 0.0;
  if (is_real_conversion(part.conversion)) {
    return printed(part, std::string_view(&part.conversion, 1), real);
  }
  if (is_integer_conversion(part.conversion)) {
    const long long whole =
        value.as_int() != nullptr ? *value.as_int() : static_cast<long long>(std::trunc(real));
    const char type = part.conversion == 'u' ? 'd' : part.conversion;
    return printed(part, std::string("ll") + type, whole);
  }
  return padded_text(part, text_form(value));
}

}  // namespace tanist

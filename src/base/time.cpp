// SPDX-License-Identifier: Apache-2.0
// Text of wall-clock time. Any thread.
#include "base/time.h"

#include <fmt/format.h>

#include <cstdlib>

namespace tanist {

std::string to_iso8601(WallTime time, std::chrono::minutes offset) {
  const auto local = time + offset;
  const auto day = std::chrono::floor<std::chrono::days>(local);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{local - day};
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                          clock.hours().count(), clock.minutes().count(), clock.seconds().count());
  const auto fraction = clock.subseconds().count();
  if (fraction != 0) text += fmt::format(".{:06}", fraction);
  const auto minutes = std::abs(offset.count());
  return text +
         fmt::format("{}{:02}:{:02}", offset.count() < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

namespace {

// Takes fixed groups of digits and separators off the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool number(int digits, int* value) {
    if (rest_.size() < static_cast<std::size_t>(digits)) return false;
    int result = 0;
    for (int i = 0; i < digits; ++i) {
      const char c = rest_[static_cast<std::size_t>(i)];
      if (c < '0' || c > '9') return false;
      result = result * 10 + (c - '0');
    }
    rest_.remove_prefix(static_cast<std::size_t>(digits));
    *value = result;
    return true;
  }

  bool skip(std::string_view any_of) {
    if (rest_.empty() || any_of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool at_end() const { return rest_.empty(); }
  char front() const { return rest_.empty() ? '\0' : rest_.front(); }

 private:
  std::string_view rest_;
};

// Up to six digits of a fraction, in microseconds; further digits are dropped.
std::chrono::microseconds fraction(Scanner& scan) {
  std::int64_t value = 0;
  int digits = 0;
  for (int digit = 0; scan.number(1, &digit); ++digits) {
    if (digits < 6) value = value * 10 + digit;
  }
  for (; digits < 6; ++digits) value *= 10;
  return std::chrono::microseconds(value);
}

bool scan_clock(Scanner& scan, WallTime* time) {
  int hours = 0;
  int minutes = 0;
  if (!scan.number(2, &hours) || !scan.skip(":") || !scan.number(2, &minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  *time += std::chrono::hours(hours) + std::chrono::minutes(minutes);
  if (!scan.skip(":")) return true;
  int whole = 0;
  if (!scan.number(2, &whole) || whole > 60) return false;
  *time += seconds(whole);
  if (scan.skip(".,")) *time += fraction(scan);
  return true;
}

bool scan_zone(Scanner& scan, ParsedTime* parsed) {
  if (scan.at_end()) return true;
  parsed->has_zone = true;
  if (scan.skip("Zz")) return scan.at_end();
  const bool west = scan.front() == '-';
  int hours = 0;
  int minutes = 0;
  if (!scan.skip("+-") || !scan.number(2, &hours)) return false;
  scan.skip(":");
  if (!scan.at_end() && !scan.number(2, &minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  const auto distance = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  parsed->offset = west ? -distance : distance;
  parsed->time -= parsed->offset;
  return scan.at_end();
}

}  // namespace

std::optional<ParsedTime> parse_timestamp(std::string_view text) {
  Scanner scan(text);
  int year = 0;
  int month = 0;
  int day = 0;
  if (!scan.number(4, &year) || !scan.skip("-") || !scan.number(2, &month) || !scan.skip("-") ||
      !scan.number(2, &day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  ParsedTime parsed{WallTime(std::chrono::sys_days(date)), false};
  if (scan.at_end()) return parsed;
  if (!scan.skip("Tt ") || !scan_clock(scan, &parsed.time)) return std::nullopt;
  scan.skip(" ");
  if (!scan_zone(scan, &parsed)) return std::nullopt;
  return parsed;
}

}  // namespace tanist

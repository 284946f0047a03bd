// SPDX-License-Identifier: Apache-2.0
// Local times and schedules.
#include "ctl/times.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <initializer_list>

#include "base/format.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

// "2031-05-01T06:00:00" of the local zone, and what is below a second.
struct LocalText {
  std::string text;
  std::int64_t microseconds = 0;
};

LocalText local_text(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  constexpr std::size_t without_zone = 19;
  return {to_iso8601(whole, os::zone_offset(time)).substr(0, without_zone), (time - whole).count()};
}

std::string spaced_text(const LocalText& local) {
  auto text = local.text;
  text[10] = ' ';
  return text;
}

bool ends_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  const auto end = text.substr(text.size() - word.size());
  return std::ranges::equal(end, word,
                            [](unsigned char a, unsigned char b) { return std::toupper(a) == b; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// "2031-05-01 06:00 +02:00" and "... UTC" as the strict reader takes them.
std::string without_zone_blank(std::string_view text) {
  for (const auto* name : {"UTC", "GMT"}) {
    if (ends_with_word(text, name))
      return std::string(trimmed(text.substr(0, text.size() - 3))) + "Z";
  }
  std::string out(text);
  const auto blank = out.rfind(' ');
  if (blank != std::string::npos && blank + 1 < out.size() &&
      (out[blank + 1] == '+' || out[blank + 1] == '-')) {
    out.erase(blank, 1);
  }
  return out;
}

// The first of these forms with which `text` begins; moves past it.
bool skip_form(const char*& text, std::initializer_list<const char*> forms, std::tm* found) {
  for (const auto* form : forms) {
    auto attempt = *found;
    if (const auto* rest = strptime(text, form, &attempt)) {
      *found = attempt;
      text = rest;
      return true;
    }
  }
  return false;
}

// Dates and clocks of other forms, as people write them, in ISO 8601; a clock alone is of `today`.
// What is left behind them is the zone.
std::string in_iso8601(std::string text, std::string_view today) {
  std::erase(text, ',');
  const char* rest = text.c_str();
  std::tm found{};
  const bool dated = skip_form(rest,
                               {"%m/%d/%Y", "%Y/%m/%d", "%Y-%m-%d", "%Y%m%d", "%d.%m.%Y",
                                "%b %d %Y", "%d %b %Y", "%a %d %b %Y", "%a %b %d %Y"},
                               &found);
  while (*rest == ' ' || *rest == 'T') ++rest;
  std::string out(today);
  if (dated) {
    out = format_text("{:04}-{:02}-{:02}", found.tm_year + 1900, found.tm_mon + 1, found.tm_mday);
  }
  if (*rest == '\0') return dated ? out : text;
  if (!skip_form(rest,
                 {"%I:%M:%S %p", "%I:%M %p", "%I %p", "%I:%M:%S%p", "%I:%M%p", "%I%p", "%H:%M:%S",
                  "%H:%M", "%H%M"},
                 &found)) {
    return text;
  }
  while (*rest == ' ') ++rest;
  return out + format_text("T{:02}:{:02}:{:02}{}", found.tm_hour, found.tm_min, found.tm_sec, rest);
}

// Of a time that was read: minutes that its zone is ahead of UTC.
std::chrono::minutes written_offset(std::string_view text, WallTime time) {
  const auto sign = text.find_last_of("+-");
  if (sign == std::string_view::npos || sign <= 10) return {};
  const auto as_utc = parse_timestamp(text.substr(0, sign));
  if (!as_utc) return {};
  return std::chrono::duration_cast<std::chrono::minutes>(as_utc->time - time);
}

// `clock` shows the local time as if it were UTC. Near a change of the zone's offset the second
// look finds the one that holds then.
Schedule in_local_zone(WallTime clock) {
  auto offset = os::zone_offset(clock);
  offset = os::zone_offset(clock - offset);
  return {clock - offset, offset};
}

}  // namespace

std::string local_time_text(WallTime time) { return spaced_text(local_text(time)); }

std::string result_time_text(WallTime time) {
  const auto local = local_text(time);
  return format_text("{}.{:05}", spaced_text(local), local.microseconds / 10);
}

std::string log_time_text(WallTime time) {
  const auto local = local_text(time);
  return format_text("{},{:03}", spaced_text(local), local.microseconds / 1000);
}

std::string example_time_text(WallTime time) { return local_text(time).text.substr(0, 16); }

std::string Schedule::spaced() const {
  auto text = iso8601();
  text[10] = ' ';
  return text;
}

Result<std::optional<Schedule>> parse_schedule(std::string_view text, WallTime now) {
  const auto given = trimmed(text);
  if (given.empty() || given == "now") return std::nullopt;
  auto readable = without_zone_blank(given);
  const bool is_clock_only = readable.size() >= 5 && readable[2] == ':';
  if (is_clock_only) readable = local_text(now).text.substr(0, 11) + readable;
  auto parsed = parse_timestamp(readable);
  if (!parsed) {
    readable = in_iso8601(without_zone_blank(given), local_text(now).text.substr(0, 10));
    parsed = parse_timestamp(readable);
  }
  if (!parsed) {
    return fail(Errc::invalid,
                "Unable to parse scheduled timestamp ({}). It should be in an unambiguous format "
                "(e.g. ISO 8601)",
                text);
  }
  if (!parsed->has_zone) return in_local_zone(parsed->time);
  return Schedule{parsed->time, written_offset(readable, parsed->time)};
}

}  // namespace tanist::ctl

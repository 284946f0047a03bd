// SPDX-License-Identifier: Apache-2.0
// The two kinds of time. Instant: nanoseconds of CLOCK_BOOTTIME, for every deadline and age (it
// counts suspended time and never steps; traps 3 and 4). WallTime: for people and for schedules
// that people write. Neither clock can be asked here: time is an argument (os/clock.h reads it).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tanist {

using Duration = std::chrono::nanoseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct BootClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

using Instant = BootClock::time_point;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

// Whole and fractional milliseconds for log lines and reports.
inline std::int64_t in_milliseconds(Duration duration) {
  return std::chrono::duration_cast<milliseconds>(duration).count();
}

// ISO 8601 with offset, as Python's isoformat writes it: fraction only when it is not zero.
// `offset` is the zone's distance from UTC.
std::string to_iso8601(WallTime time, std::chrono::minutes offset = std::chrono::minutes{0});

// A timestamp that people or other programs wrote: date and time of ISO 8601 with 'T' or a blank
// between, seconds and fraction optional, zone optional (Z, +hh, +hhmm, +hh:mm). Nothing when it is
// none. Without a zone `time` is as if it were UTC and `has_zone` is false.
struct ParsedTime {
  WallTime time;
  bool has_zone = false;
  std::chrono::minutes offset{0};  // the zone's distance from UTC
};
std::optional<ParsedTime> parse_timestamp(std::string_view text);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Times as people give them to the tool and as it prints them, in the local zone (contract ctl 4).
// Asks the zone's rules of the system, but no clock: the time is an argument. Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace tanist::ctl {

// "2031-05-01 06:00:00"
std::string local_time_text(WallTime time);
// "2031-05-01 06:00:00.12345": five digits of a fraction, as scripts know it.
std::string result_time_text(WallTime time);
// "2031-05-01 06:00:00,123"
std::string log_time_text(WallTime time);
// "2031-05-01T06:00": an example in a prompt.
std::string example_time_text(WallTime time);

// A time to come, in the zone it was given in, or in the local one.
struct Schedule {
  WallTime time;
  std::chrono::minutes offset{0};

  std::string iso8601() const { return to_iso8601(time, offset); }
  // "2031-05-01 06:00:00+02:00"
  std::string spaced() const;
};

// Nothing for "now" and "". ISO 8601 in all its common writings; "HH:MM[:SS]" is today's; a missing
// zone is the local one, "UTC" and "GMT" may end it. Errc::invalid in the contract's words.
Result<std::optional<Schedule>> parse_schedule(std::string_view text, WallTime now);

}  // namespace tanist::ctl

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

}  // namespace tanist

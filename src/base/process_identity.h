// SPDX-License-Identifier: Apache-2.0
// Which process is meant, so that a reused pid is never taken for it. A value; any thread.
#pragma once

#include <cstdint>

#include "base/fields.h"

namespace tanist {

// A process that cannot be mistaken for another: pid and start time (clock ticks since boot, field
// 22 of /proc/PID/stat).
struct ProcessIdentity {
  std::int64_t pid = 0;
  std::uint64_t start_ticks = 0;

  static constexpr auto fields() {
    return std::tuple{field("pid", &ProcessIdentity::pid),
                      field("start_ticks", &ProcessIdentity::start_ticks)};
  }
  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;
};
static_assert(lists_all_fields<ProcessIdentity>);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Reads the kernel's clocks. Any thread.
#include "os/clock.h"

#include <sys/timex.h>

#include <ctime>

#include "base/assert.h"

namespace tanist::os {

namespace {

timespec read_clock(clockid_t clock) {
  timespec time{};
  TANIST_REQUIRE(clock_gettime(clock, &time) == 0);
  return time;
}

}  // namespace

Instant now() {
  const auto time = read_clock(CLOCK_BOOTTIME);
  return Instant(seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

WallTime wall_now() {
  const auto time = read_clock(CLOCK_REALTIME);
  return WallTime(seconds(time.tv_sec) + std::chrono::microseconds(time.tv_nsec / 1000));
}

std::chrono::microseconds monotonic_now() {
  const auto time = read_clock(CLOCK_MONOTONIC);
  return seconds(time.tv_sec) + std::chrono::microseconds(time.tv_nsec / 1000);
}

std::chrono::minutes zone_offset(WallTime time) {
  const std::time_t whole = std::chrono::floor<seconds>(time).time_since_epoch().count();
  std::tm local{};
  localtime_r(&whole, &local);
  return std::chrono::minutes(local.tm_gmtoff / 60);
}

bool wall_clock_synchronised() {
  timex state{};
  return adjtimex(&state) != TIME_ERROR;
}

}  // namespace tanist::os

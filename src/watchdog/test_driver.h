// SPDX-License-Identifier: Apache-2.0
// For tests: a watchdog driver as the kernel's core behaves towards its caller, on a clock that the
// test moves. What it cannot show is real hardware.
#pragma once

#include <linux/watchdog.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "watchdog/device.h"

namespace tanist::watchdog {

struct TestDriver {
  std::uint32_t options = WDIOF_SETTIMEOUT | WDIOF_MAGICCLOSE | WDIOF_KEEPALIVEPING;
  int timeout = 60;
  int timeout_max = 300;
  bool knows_disabling = true;  // WDIOS_DISABLECARD
  bool nowayout = false;
  bool is_busy = false;
  bool is_broken = false;  // writes fail

  std::optional<Instant> resets_at;  // absent = it does not run
  int opened = 0;
  bool may_stop = false;  // the last character was the magic one

  inline static Instant now{seconds(1000)};

  void start_anew() { resets_at = now + seconds(timeout); }
  bool fires() const { return resets_at && now >= *resets_at; }

  SystemCalls calls() {
    SystemCalls calls;
    calls.open = [this](const char*) {
      if (is_busy || opened > 0) return errno = EBUSY, -1;
      ++opened;
      start_anew();
      return 77;
    };
    calls.ioctl = [this](int, unsigned long request, void* argument) {
      return control(request, argument);
    };
    calls.write = [this](int, const char* bytes, std::size_t count) {
      if (is_broken) return errno = EIO, -1;
      may_stop = !nowayout && (options & WDIOF_MAGICCLOSE) != 0 &&
                 std::memchr(bytes, 'V', count) != nullptr;
      if (resets_at) start_anew();
      return static_cast<int>(count);
    };
    calls.close = [this](int) {
      --opened;
      if (may_stop && opened == 0) resets_at.reset();
      return 0;
    };
    return calls;
  }

 private:
  int control(unsigned long request, void* argument) {
    switch (request) {
      case WDIOC_GETSUPPORT: static_cast<watchdog_info*>(argument)->options = options; return 0;
      case WDIOC_SETTIMEOUT: {
        auto& wanted = *static_cast<int*>(argument);
        if ((options & WDIOF_SETTIMEOUT) == 0) return errno = EOPNOTSUPP, -1;
        if (wanted < 1 || wanted > timeout_max) return errno = EINVAL, -1;
        timeout = wanted;
        start_anew();
        return 0;
      }
      case WDIOC_GETTIMEOUT: *static_cast<int*>(argument) = timeout; return 0;
      case WDIOC_SETOPTIONS:
        if (!knows_disabling) return errno = EOPNOTSUPP, -1;
        if (nowayout) return errno = EBUSY, -1;
        resets_at.reset();
        return 0;
      default: return errno = ENOTTY, -1;
    }
  }
};

inline Instant test_now() { return TestDriver::now; }

}  // namespace tanist::watchdog

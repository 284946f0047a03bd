// SPDX-License-Identifier: Apache-2.0
// A watchdog device of Linux: opened, it resets the machine unless it hears something in time;
// closed without the magic character, too. All calls may wait for the hardware: not on the loop's
// thread. One caller at a time.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace tanist::watchdog {

// The system calls, so that tests can put a driver of their own behind them. Results and errno are
// those of the real ones.
struct SystemCalls {
  std::function<int(const char* path)> open;  // for writing, close-on-exec
  std::function<int(int fd, unsigned long request, void* argument)> ioctl;
  std::function<int(int fd, const char* bytes, std::size_t count)> write;
  std::function<int(int fd)> close;

  static SystemCalls real();
};

class Device {
 public:
  // `plain_text`: driver `testing`, a file to which lines are written instead of ioctls.
  Device(std::string path, bool plain_text, SystemCalls calls = SystemCalls::real());
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  ~Device();  // closes without the magic character: the machine is reset

  const std::string& path() const { return path_; }
  bool is_open() const { return fd_ >= 0; }
  int descriptor() const { return fd_; }  // -1 = closed

  // Whether it could be opened, without doing so: opening starts it.
  Result<void> check() const;

  // Starts it. Errc::unavailable when somebody else has it open.
  Result<void> open();

  // Each of these requires: it is open.
  // Sets the timeout where the driver can, and tells the one that is in force.
  Result<seconds> set_timeout(seconds wanted);
  // From now on it waits a whole timeout.
  Result<void> keep_alive();
  // The driver takes the magic character. False: once started, it cannot be stopped.
  bool can_be_stopped() const;
  // Stops and closes it. Errc::refused when it goes on (closed all the same): the driver was told
  // never to stop (nowayout), or cannot.
  Result<void> stop();

 private:
  Result<int> support() const;
  Result<void> write(std::string_view text, std::string_view what);

  std::string path_;
  bool plain_text_;
  SystemCalls calls_;
  int fd_ = -1;
  seconds plain_timeout_{0};
};

}  // namespace tanist::watchdog

// SPDX-License-Identifier: Apache-2.0
// A file descriptor with one owner: closed when that goes out of scope. Any thread.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace tanist::os {

class Descriptor {
 public:
  Descriptor() = default;
  // Takes the descriptor over; negative = none.
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = other.release();
    }
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  // Closes now; the result of close(2), 0 when there was nothing to close.
  int reset() {
    const int fd = release();
    return fd >= 0 ? close(fd) : 0;
  }
  // A second, close-on-exec descriptor of the same thing, at `lowest` or above; none on failure.
  Descriptor duplicate(int lowest = 0) const {
    return Descriptor(fd_ >= 0 ? fcntl(fd_, F_DUPFD_CLOEXEC, lowest) : -1);
  }

 private:
  int fd_ = -1;
};

}  // namespace tanist::os

// SPDX-License-Identifier: Apache-2.0
// The kernel's watchdog interface (Documentation/watchdog/watchdog-api). Blocking.
#include "watchdog/device.h"

#include <fcntl.h>
#include <linux/watchdog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/format.h"

namespace tanist::watchdog {

namespace {

constexpr std::string_view keep_alive_character = "1";
constexpr std::string_view magic_character = "V";

tl::unexpected<Error> failure(const std::string& path, std::string_view what, int code) {
  const auto kind = code == EBUSY    ? Errc::unavailable
                    : code == ENOENT ? Errc::not_found
                                     : Errc::failed;
  return fail(kind, "watchdog {}: cannot {}: {}", path, what, std::strerror(code));
}

}  // namespace

SystemCalls SystemCalls::real() {
  return {
      .open = [](const char* path) { return ::open(path, O_WRONLY | O_CLOEXEC); },
      .ioctl = [](int fd, unsigned long request,
                  void* argument) { return ::ioctl(fd, request, argument); },
      .write = [](int fd, const char* bytes,
                  std::size_t count) { return static_cast<int>(::write(fd, bytes, count)); },
      .close = [](int fd) { return ::close(fd); },
  };
}

Device::Device(std::string path, bool plain_text, SystemCalls calls)
    : path_(std::move(path)), plain_text_(plain_text), calls_(std::move(calls)) {}

Device::~Device() {
  if (is_open()) calls_.close(fd_);
}

Result<void> Device::check() const {
  if (access(path_.c_str(), W_OK) == 0) return {};
  return failure(path_, "open it for writing", errno);
}

Result<void> Device::open() {
  if (is_open()) return {};
  fd_ = calls_.open(path_.c_str());
  if (fd_ < 0) return failure(path_, "open it", errno);
  return {};
}

Result<int> Device::support() const {
  if (plain_text_) return WDIOF_MAGICCLOSE | WDIOF_SETTIMEOUT;
  watchdog_info information{};
  if (calls_.ioctl(fd_, WDIOC_GETSUPPORT, &information) < 0) {
    return failure(path_, "ask what it can do", errno);
  }
  return static_cast<int>(information.options);
}

Result<seconds> Device::set_timeout(seconds wanted) {
  const auto can = support();
  if (!can) return pass_on(can.error());
  if (plain_text_) {
    const auto said = write(format_text("timeout {}\n", wanted.count()), "set its timeout");
    if (!said) return pass_on(said.error());
    return wanted;
  }
  // What the driver makes of it is read back: it may round, or not be able to (trap 146).
  if ((*can & WDIOF_SETTIMEOUT) != 0) {
    int value = static_cast<int>(wanted.count());
    if (calls_.ioctl(fd_, WDIOC_SETTIMEOUT, &value) < 0 && errno != EOPNOTSUPP && errno != EINVAL) {
      return failure(path_, "set its timeout", errno);
    }
  }
  int actual = 0;
  if (calls_.ioctl(fd_, WDIOC_GETTIMEOUT, &actual) < 0) {
    return failure(path_, "read its timeout", errno);
  }
  return seconds(actual);
}

Result<void> Device::keep_alive() { return write(keep_alive_character, "keep it from firing"); }

bool Device::can_be_stopped() const {
  const auto can = support();
  return can && (*can & WDIOF_MAGICCLOSE) != 0;
}

Result<void> Device::stop() {
  const bool has_magic = can_be_stopped();
  int option = WDIOS_DISABLECARD;
  // Works also while somebody else (the guard) has a duplicate open; not every driver knows it.
  const bool stopped = !plain_text_ && calls_.ioctl(fd_, WDIOC_SETOPTIONS, &option) == 0;
  const bool refused = !plain_text_ && !stopped && errno == EBUSY;  // nowayout
  const auto said = write(magic_character, "stop it");
  calls_.close(fd_);
  fd_ = -1;
  if (stopped) return {};
  if (!said) return pass_on(said.error());
  if (refused || !has_magic) {
    return fail(Errc::refused, "watchdog {}: it cannot be stopped any more", path_);
  }
  return {};
}

Result<void> Device::write(std::string_view text, std::string_view what) {
  const auto written = calls_.write(fd_, text.data(), text.size());
  if (written == static_cast<int>(text.size())) return {};
  return failure(path_, what, written < 0 ? errno : EIO);
}

}  // namespace tanist::watchdog

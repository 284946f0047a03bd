// SPDX-License-Identifier: Apache-2.0
// Files of the log and their rotation. The log's thread only.
#include "base/log_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace tanist {

namespace {

std::string rotated(const std::string& path, std::int64_t number) {
  return fmt::format("{}.{}", path, number);
}

}  // namespace

bool write_line(int descriptor, std::string_view line) {
  while (!line.empty()) {
    const auto written = ::write(descriptor, line.data(), line.size());
    if (written >= 0) {
      line.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody made our stderr non-blocking
      pollfd writable{descriptor, POLLOUT, 0};
      poll(&writable, 1, 1000);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

LogSink::~LogSink() { close_file(); }

std::string LogSink::open(const LogSettings& settings) {
  close_file();
  settings_ = settings;
  path_ = settings.directory.empty() ? std::string() : settings.directory + "/patroni.log";
  return path_.empty() ? std::string() : open_file();
}

std::string LogSink::open_file() {
  const auto mode = static_cast<mode_t>(settings_.mode.value_or(0666) & 0777);
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, mode);
  if (file_ < 0) {
    return fmt::format("cannot write the log to {}: {}; it goes to stderr", path_,
                       std::strerror(errno));
  }
  if (settings_.mode) fchmod(file_, mode);  // open() obeys the umask
  struct stat status{};
  file_bytes_ = fstat(file_, &status) == 0 ? status.st_size : 0;
  return {};
}

void LogSink::close_file() {
  if (file_ >= 0) close(file_);
  file_ = -1;
}

void LogSink::rotate() {
  close_file();
  for (std::int64_t i = settings_.file_count - 1; i >= 1; --i) {
    std::rename(rotated(path_, i).c_str(), rotated(path_, i + 1).c_str());
  }
  std::rename(path_.c_str(), rotated(path_, 1).c_str());
  const auto problem = open_file();
  if (!problem.empty()) write_line(STDERR_FILENO, problem + "\n");
}

void LogSink::write(std::string line) {
  line += '\n';
  const auto bytes = static_cast<std::int64_t>(line.size());
  const bool rotates = settings_.file_bytes_max > 0 && settings_.file_count > 0;
  if (file_ >= 0 && rotates && file_bytes_ > 0 && file_bytes_ + bytes > settings_.file_bytes_max) {
    rotate();
  }
  if (file_ >= 0 && write_line(file_, line)) {
    file_bytes_ += bytes;
    return;
  }
  write_line(STDERR_FILENO, line);
}

}  // namespace tanist

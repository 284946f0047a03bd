// SPDX-License-Identifier: Apache-2.0
// Where lines go: stderr, or DIR/patroni.log with rotation by size (contract config 4.2). Its calls
// wait for the disk or the pipe: only the log's thread makes them.
#pragma once

#include <string>
#include <string_view>

#include "base/log_settings.h"

namespace tanist {

class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  ~LogSink();

  // Closes what was open. A text says why the file cannot be used; lines then go to stderr.
  std::string open(const LogSettings& settings);

  // Adds the line break. What the file does not take goes to stderr.
  void write(std::string line);

  // The file's descriptor, -1 while lines go to stderr.
  int descriptor() const { return file_; }

 private:
  std::string open_file();
  void close_file();
  void rotate();

  std::string path_;
  LogSettings settings_;
  int file_ = -1;
  std::int64_t file_bytes_ = 0;
};

// Writes all of it, waiting as long as it takes. False when the descriptor does not take it.
bool write_line(int descriptor, std::string_view line);

}  // namespace tanist

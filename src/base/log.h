// SPDX-License-Identifier: Apache-2.0
// The log. Records go into a bounded queue that drops its oldest and are written by a thread of
// their own: no caller ever waits for a pipe or a disk (trap 11). Any thread.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/log_settings.h"
#include "base/time.h"

namespace tanist {

enum class LogLevel { debug, info, warning, error, critical };

// Starts the log's thread at first use; later calls replace format, level and target.
void configure_log(const LogSettings& settings);

// Before configure_log, records of level warning and above go to stderr at once.
void log(LogLevel level, std::string text);

// Waits until all records so far are written, at most `limit`. False when time ran out.
bool flush_log(Duration limit);

// Records waiting, and records lost since start.
struct LogQueue {
  std::int64_t waiting = 0;
  std::int64_t lost = 0;
};
LogQueue log_queue();

template <class... Args>
void log_debug(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::debug, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::error, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_critical(fmt::format_string<Args...> text, Args&&... args) {
  log(LogLevel::critical, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace tanist

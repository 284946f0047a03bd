// SPDX-License-Identifier: Apache-2.0
// The log. Records go into a bounded queue that drops its oldest and are written by a thread of
// their own: no caller ever waits for a pipe or a disk (trap 11). Any thread.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/log_settings.h"
#include "base/time.h"

namespace tanist {

enum class LogLevel { debug, info, warning, error, critical };

// Tells when a record was made: os::wall_now. base/ asks no clock itself.
using LogClock = WallTime (*)();

// Starts the log's thread at first use; later calls replace format, level and target and open the
// file anew (so that a reload follows a rotation from outside). What cannot be used of `settings`
// becomes a warning in the log and its default; a file that cannot be opened leaves stderr.
void configure_log(const LogSettings& settings, LogClock clock);

// False when a record of `level` would be dropped anyway.
bool log_enabled(LogLevel level);

// Before configure_log, records of level warning and above go to stderr at once, others nowhere.
void log(LogLevel level, std::string text,
         const std::source_location& where = std::source_location::current());

// Waits until all records so far are written, at most `limit`. False when time ran out.
bool flush_log(Duration limit);

// Records waiting, and records lost since start.
struct LogQueue {
  std::int64_t waiting = 0;
  std::int64_t lost = 0;
};
LogQueue log_queue();

// For the last sentence of a dying process: straight to stderr and the log's file, past the queue.
// Takes no lock, allocates nothing, never waits; may be called from a signal handler.
void log_last_words(std::string_view text) noexcept;

// A format string that remembers where it stands.
template <class... Args>
struct LogText {
  template <class Text>
  consteval LogText(const Text& text,  // NOLINT(google-explicit-constructor)
                    const std::source_location& at = std::source_location::current())
      : format(text), where(at) {}

  fmt::format_string<Args...> format;
  std::source_location where;
};

template <class... Args>
void log_formatted(LogLevel level, const LogText<Args...>& text, Args&&... args) {
  if (!log_enabled(level)) return;
  log(level, fmt::format(text.format, std::forward<Args>(args)...), text.where);
}

template <class... Args>
void log_debug(LogText<std::type_identity_t<Args>...> text, Args&&... args) {
  log_formatted<Args...>(LogLevel::debug, text, std::forward<Args>(args)...);
}
template <class... Args>
void log_info(LogText<std::type_identity_t<Args>...> text, Args&&... args) {
  log_formatted<Args...>(LogLevel::info, text, std::forward<Args>(args)...);
}
template <class... Args>
void log_warning(LogText<std::type_identity_t<Args>...> text, Args&&... args) {
  log_formatted<Args...>(LogLevel::warning, text, std::forward<Args>(args)...);
}
template <class... Args>
void log_error(LogText<std::type_identity_t<Args>...> text, Args&&... args) {
  log_formatted<Args...>(LogLevel::error, text, std::forward<Args>(args)...);
}
template <class... Args>
void log_critical(LogText<std::type_identity_t<Args>...> text, Args&&... args) {
  log_formatted<Args...>(LogLevel::critical, text, std::forward<Args>(args)...);
}

}  // namespace tanist

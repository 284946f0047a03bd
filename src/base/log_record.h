// SPDX-License-Identifier: Apache-2.0
// One record of the log and the fields that a format may name (contract config 4.2). Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

#include "base/log.h"
#include "base/time.h"
#include "base/tree.h"

namespace tanist {

struct LogRecord {
  LogLevel level = LogLevel::info;
  std::string text;
  WallTime time;
  std::int64_t thread = 0;  // the kernel's number
  std::string thread_name;
  std::source_location where;
};

// By one of the settings' names (DEBUG, WARN, FATAL, ...; upper case); nothing for any other.
std::optional<LogLevel> parse_log_level(std::string_view name);

// What some fields need beside the record.
struct LogContext {
  std::string date_format;  // strftime; empty = YYYY-MM-DD HH:MM:SS,mmm
  WallTime started;         // what relativeCreated counts from
};

// The value of a field as Python's logging gives it: text, integer or real.
using LogField = Tree (*)(const LogRecord&, const LogContext&);

// By its Python name; null when there is none.
LogField find_log_field(std::string_view name);

}  // namespace tanist

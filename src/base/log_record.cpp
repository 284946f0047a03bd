// SPDX-License-Identifier: Apache-2.0
// The table of a record's fields. Any thread.
#include "base/log_record.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace tanist {

namespace {

struct LevelName {
  std::string_view name;
  LogLevel level;
};

constexpr std::array<LevelName, 7> level_names{{{"DEBUG", LogLevel::debug},
                                                {"INFO", LogLevel::info},
                                                {"WARNING", LogLevel::warning},
                                                {"WARN", LogLevel::warning},
                                                {"ERROR", LogLevel::error},
                                                {"CRITICAL", LogLevel::critical},
                                                {"FATAL", LogLevel::critical}}};

// Within the second, never negative.
std::int64_t milliseconds_of(WallTime time) {
  const auto whole = std::chrono::floor<seconds>(time);
  return std::chrono::duration_cast<milliseconds>(time - whole).count();
}

std::string local_time(WallTime time, const char* format) {
  const std::time_t whole = std::chrono::floor<seconds>(time).time_since_epoch().count();
  std::tm local{};
  localtime_r(&whole, &local);
  std::array<char, 512> buffer{};
  return {buffer.data(), std::strftime(buffer.data(), buffer.size(), format, &local)};
}

// From the folder "src/" on: where the program was built does not matter.
std::string_view path_of(const LogRecord& record) {
  const std::string_view path = record.where.file_name();
  const auto at = path.rfind("/src/");
  return at == std::string_view::npos ? path : path.substr(at + 1);
}

std::string_view file_of(const LogRecord& record) {
  const auto path = path_of(record);
  return path.substr(path.rfind('/') + 1);
}

Tree asctime(const LogRecord& record, const LogContext& context) {
  if (!context.date_format.empty()) return local_time(record.time, context.date_format.c_str());
  return fmt::format("{},{:03}", local_time(record.time, "%Y-%m-%d %H:%M:%S"),
                     milliseconds_of(record.time));
}
Tree created(const LogRecord& record, const LogContext&) {
  return static_cast<double>(record.time.time_since_epoch().count()) / 1e6;
}
Tree filename(const LogRecord& record, const LogContext&) { return file_of(record); }
// "void tanist::(anonymous namespace)::Driver::run(int)" -> "run".
Tree function_name(const LogRecord& record, const LogContext&) {
  std::string_view name = record.where.function_name();
  constexpr std::string_view nameless = "(anonymous namespace)::";
  if (const auto at = name.rfind(nameless); at != std::string_view::npos) {
    name.remove_prefix(at + nameless.size());
  }
  name = name.substr(0, name.find('('));
  const auto start = name.find_last_of(": *&");
  return start == std::string_view::npos ? name : name.substr(start + 1);
}
Tree level_name(const LogRecord& record, const LogContext&) {
  return std::ranges::find(level_names, record.level, &LevelName::level)->name;
}
Tree level_number(const LogRecord& record, const LogContext&) {
  return 10 * (static_cast<std::int64_t>(record.level) + 1);
}
Tree line_number(const LogRecord& record, const LogContext&) {
  return static_cast<std::int64_t>(record.where.line());
}
Tree message(const LogRecord& record, const LogContext&) { return record.text; }
Tree module(const LogRecord& record, const LogContext&) {
  const auto file = file_of(record);
  return file.substr(0, file.rfind('.'));
}
Tree msecs(const LogRecord& record, const LogContext&) {
  return static_cast<double>(milliseconds_of(record.time));
}
Tree logger(const LogRecord&, const LogContext&) { return "tanist"; }
Tree pathname(const LogRecord& record, const LogContext&) { return path_of(record); }
Tree process(const LogRecord&, const LogContext&) { return static_cast<std::int64_t>(getpid()); }
Tree process_name(const LogRecord&, const LogContext&) { return "MainProcess"; }
Tree relative_created(const LogRecord& record, const LogContext& context) {
  return static_cast<double>((record.time - context.started).count()) / 1e3;
}
Tree thread(const LogRecord& record, const LogContext&) { return record.thread; }
Tree thread_name(const LogRecord& record, const LogContext&) { return record.thread_name; }

struct FieldRow {
  std::string_view name;
  LogField value;
};

constexpr std::array<FieldRow, 17> field_rows{{{"asctime", asctime},
                                               {"created", created},
                                               {"filename", filename},
                                               {"funcName", function_name},
                                               {"levelname", level_name},
                                               {"levelno", level_number},
                                               {"lineno", line_number},
                                               {"message", message},
                                               {"module", module},
                                               {"msecs", msecs},
                                               {"name", logger},
                                               {"pathname", pathname},
                                               {"process", process},
                                               {"processName", process_name},
                                               {"relativeCreated", relative_created},
                                               {"thread", thread},
                                               {"threadName", thread_name}}};

}  // namespace

std::optional<LogLevel> parse_log_level(std::string_view name) {
  const auto* at = std::ranges::find(level_names, name, &LevelName::name);
  return at == level_names.end() ? std::nullopt : std::optional(at->level);
}

LogField find_log_field(std::string_view name) {
  const auto* at = std::ranges::find(field_rows, name, &FieldRow::name);
  return at == field_rows.end() ? nullptr : at->value;
}

}  // namespace tanist

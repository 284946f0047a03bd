// SPDX-License-Identifier: Apache-2.0
// From option lists and maps to arguments.
#include "postgres/tool_options.h"

#include <algorithm>
#include <array>
#include <span>

#include "base/format.h"

namespace tanist::postgres {

namespace {

constexpr std::array<std::string_view, 5> not_for_initdb{"pgdata", "nosync", "pwfile", "sync-only",
                                                         "version"};
constexpr std::array<std::string_view, 11> not_for_basebackup{
    "pgdata", "format", "wal-method", "xlog-method", "gzip",    "version",
    "dbname", "host",   "port",       "username",    "password"};
constexpr std::array<std::string_view, 10> not_for_rewind{"target-pgdata", "source-pgdata",
                                                          "source-server", "write-recovery-conf",
                                                          "dry-run",       "restore-target-wal",
                                                          "config-file",   "no-ensure-shutdown",
                                                          "version",       "help"};

struct ToolRow {
  std::string_view name;
  std::span<const std::string_view> forbidden;
};

ToolRow row_of(Tool tool) {
  switch (tool) {
    case Tool::initdb: return {"initdb", not_for_initdb};
    case Tool::basebackup: return {"basebackup", not_for_basebackup};
    case Tool::rewind: break;
  }
  return {"pg_rewind", not_for_rewind};
}

// A value that is one quoted word loses its quotes.
std::string unquoted(const std::string& value) {
  const bool quoted = value.size() >= 2 && (value.front() == '\'' || value.front() == '"') &&
                      value.back() == value.front();
  if (!quoted || value.find(value.front(), 1) != value.size() - 1) return value;
  return value.substr(1, value.size() - 2);
}

class Collector {
 public:
  Collector(Tool tool, std::int64_t major_version)
      : tool_(tool), row_(row_of(tool)), major_version_(major_version) {}

  void take(const std::string& name, const std::string& value) {
    if (is_forbidden(name, unquoted(value))) return refuse(name);
    options_.arguments.push_back("--" + name + "=" + unquoted(value));
  }

  void take_text(const std::string& text) {
    const auto equals = std::min(text.find('='), text.size());
    const auto name = text.substr(0, equals);
    if (is_forbidden(name, text.substr(std::min(equals + 1, text.size())))) return refuse(name);
    options_.arguments.push_back("--" + text);
  }

  // An item of the list form: "name", "name=value" or {name: value}.
  void take_item(const Tree& item) {
    if (const auto* text = item.as_string()) return take_text(*text);
    const auto* map = item.as_map();
    if (map == nullptr) {
      options_.errors.push_back(
          format_text("Error when parsing {} option {}: value should be string value or a single "
                      "key-value pair",
                      row_.name, text_form(item)));
      return;
    }
    const auto* value = map->size() == 1 ? map->front().second.as_string() : nullptr;
    if (value != nullptr) return take(map->front().first, *value);
    options_.errors.push_back(
        format_text("Error when parsing {} key-value option {}: only one key-value is allowed and "
                    "value should be a string",
                    row_.name, text_form(item)));
  }

  void complain_of_shape() {
    options_.errors.push_back(format_text("{} options must be list or dict", row_.name));
  }

  ToolOptions result() { return std::move(options_); }

 private:
  void refuse(const std::string& name) {
    options_.errors.push_back(format_text("{} option for {} is not allowed", name, row_.name));
  }

  // The programs take any unambiguous beginning of an option's name.
  bool is_forbidden(const std::string& name, const std::string& value) const {
    const auto begins = [&](std::string_view option) { return option.starts_with(name); };
    if (name.empty() || name.starts_with('-')) return true;
    if (std::ranges::any_of(row_.forbidden, begins)) return true;
    if (tool_ != Tool::basebackup || !begins("compress")) return false;
    return major_version_ < 15 || !value.starts_with("server");
  }

  Tool tool_;
  ToolRow row_;
  std::int64_t major_version_;
  ToolOptions options_;
};

}  // namespace

ToolOptions tool_options(Tool tool, const Tree& options, std::int64_t major_version) {
  Collector collector(tool, major_version);
  if (const auto* list = options.as_list()) {
    for (const auto& item : *list) collector.take_item(item);
  } else if (const auto* map = options.as_map()) {
    for (const auto& [name, value] : *map) {
      if (value.truthy()) collector.take(name, text_form(value));
    }
  } else if (options.truthy()) {
    collector.complain_of_shape();
  }
  return collector.result();
}

Result<std::vector<std::string>> split_command(std::string_view command) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t at = 0; at < command.size(); ++at) {
    const char c = command[at];
    const bool space = std::string_view(" \t\r\n").find(c) != std::string_view::npos;
    if (quote == '\0' && space) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    const char next = at + 1 < command.size() ? command[at + 1] : '\0';
    const bool escapes =
        c == '\\' && (quote == '\0' || (quote == '"' && (next == '"' || next == '\\')));
    if (escapes) {
      if (++at == command.size()) return fail(Errc::invalid, "a command ends with a backslash");
      words.back() += command[at];
    } else if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '\'' || c == '"')) {
      quote = c;
    } else {
      words.back() += c;
    }
  }
  if (quote != '\0') return fail(Errc::invalid, "a command has an unclosed quote: {}", command);
  if (words.empty()) return fail(Errc::invalid, "a command is empty");
  return words;
}

std::vector<std::string> method_arguments(const Tree& section,
                                          const std::vector<std::string_view>& reserved) {
  std::vector<std::string> arguments;
  const auto* map = section.as_map();
  for (const auto& [key, value] : map != nullptr ? *map : Tree::Map{}) {
    if (std::ranges::find(reserved, key) != reserved.end()) continue;
    arguments.push_back("--" + key + "=" + text_form(value));
  }
  return arguments;
}

bool switched_on(const Tree& section, std::string_view key) {
  const auto* value = section.find(key);
  return value != nullptr && value->truthy();
}

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Reading of `log.format`, and the two forms of a line. Any thread.
#include "base/log_format.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"

namespace tanist {

LogFormat::LogFormat(const LogSettings& settings, WallTime started,
                     std::vector<std::string>& warnings)
    : json_(settings.json), context_{settings.date_format, started} {
  if (settings.static_fields.is_map()) static_fields_ = settings.static_fields;
  const auto* text = settings.format.as_string();
  const auto* list = settings.format.as_list();
  bool taken = false;
  if (text != nullptr) {
    taken = take_template(*text, warnings);
  } else if (list != nullptr && json_) {
    taken = take_list(*list, warnings);
  } else {
    warnings.emplace_back("log.format: expected a text (or a list with log.type json)");
  }
  if (taken) return;
  warnings.emplace_back("log.format: the default format is used");
  take_template(*LogSettings().format.as_string(), warnings);
}

bool LogFormat::take_template(const std::string& text, std::vector<std::string>& warnings) {
  const auto parts = parse_template(text);
  if (!parts) {
    warnings.push_back("log.format: " + parts.error().message);
    return false;
  }
  std::vector<Part> taken;
  for (const auto& part : *parts) {
    const auto field = find_log_field(part.name);
    if (!part.name.empty() && field == nullptr) {
      warnings.push_back(fmt::format("log.format: there is no field \"{}\"", part.name));
      return false;
    }
    if (!json_ || field != nullptr) taken.push_back({part, field, part.name});
  }
  parts_ = std::move(taken);
  return !parts_.empty();
}

bool LogFormat::take_list(const Tree::List& list, std::vector<std::string>& warnings) {
  for (const auto& item : list) take_list_item(item, warnings);
  return !parts_.empty();
}

// A field's name, or {field: key in the output}.
void LogFormat::take_list_item(const Tree& item, std::vector<std::string>& warnings) {
  std::string name;
  std::string key;
  const auto* map = item.as_map();
  if (const auto* text = item.as_string()) {
    name = key = *text;
  } else if (map != nullptr && map->size() == 1 && map->front().second.as_string() != nullptr) {
    name = map->front().first;
    key = *map->front().second.as_string();
  } else {
    warnings.push_back(fmt::format("log.format: {} is neither a field nor one {{field: key}}",
                                   to_json(item).substr(0, 80)));
    return;
  }
  const auto field = find_log_field(name);
  if (field == nullptr) {
    warnings.push_back(fmt::format("log.format: there is no field \"{}\"", name));
    return;
  }
  parts_.push_back({TemplatePart(), field, key});
}

std::string LogFormat::line(const LogRecord& record) const {
  return json_ ? json_line(record) : plain_line(record);
}

std::string LogFormat::plain_line(const LogRecord& record) const {
  std::string line;
  for (const auto& part : parts_) {
    line += part.field == nullptr ? part.text.literal
                                  : converted(part.text, part.field(record, context_));
  }
  return line;
}

std::string LogFormat::json_line(const LogRecord& record) const {
  Tree out = Tree::map();
  for (const auto& part : parts_) out.set(part.json_key, part.field(record, context_));
  if (const auto* fields = static_fields_.as_map()) {
    for (const auto& [key, value] : *fields) out.set(key, value);
  }
  return to_spaced_json(out);
}

}  // namespace tanist

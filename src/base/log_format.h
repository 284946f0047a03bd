// SPDX-License-Identifier: Apache-2.0
// A record's line: by one of Python's %-templates, or as JSON (contract config 4.2). Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/log_record.h"
#include "base/log_settings.h"
#include "base/log_template.h"

namespace tanist {

class LogFormat {
 public:
  // What cannot be used of the settings adds a sentence to `warnings` and becomes its default.
  LogFormat(const LogSettings& settings, WallTime started, std::vector<std::string>& warnings);

  // Without the line break at the end.
  std::string line(const LogRecord& record) const;

 private:
  struct Part {
    TemplatePart text;
    LogField field = nullptr;  // null: literal text
    std::string json_key;
  };

  bool take_template(const std::string& text, std::vector<std::string>& warnings);
  bool take_list(const Tree::List& list, std::vector<std::string>& warnings);
  void take_list_item(const Tree& item, std::vector<std::string>& warnings);
  std::string plain_line(const LogRecord& record) const;
  std::string json_line(const LogRecord& record) const;

  bool json_ = false;
  LogContext context_;
  Tree static_fields_;
  std::vector<Part> parts_;
};

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// What the log shall look like and where it goes: section `log` of the configuration.
// Values only; any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/tree.h"

namespace tanist {

// Section `log` (contract config 4.2).
struct LogSettings {
  bool json = false;
  std::string level = "INFO";
  std::string traceback_level = "ERROR";
  Tree format = Tree("%(asctime)s %(levelname)s: %(message)s");
  std::string date_format;
  Tree static_fields;
  std::int64_t queue_records_max = 1000;
  std::string directory;  // empty = stderr
  std::optional<std::int64_t> mode;
  std::int64_t file_bytes_max = 25'000'000;
  std::int64_t file_count = 4;
  std::map<std::string, std::string> loggers;
  bool deduplicate_heartbeat = false;

  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// What lies in the data directory: its kind, version and the files that steer recovery (contract ha
// 4.2, postgres 11.1). Everything blocks: not on the loop's thread.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.h"
#include "core/server_facts.h"

namespace tanist::postgres {

// Beside the data, so that no start mistakes it: pg_rewind began to copy and did not end (trap 54).
// A named pipe, because pg_rewind removes every other file that its source does not have.
inline constexpr std::string_view rewind_marker = "tanist.rewind_in_progress";

struct DataFacts {
  DataDirectory kind = DataDirectory::unknown;
  std::string error;               // why it is not accessible
  std::int64_t major_version = 0;  // 0 = unknown
  bool standby_signal = false;
  bool recovery_signal = false;
  bool backup_label = false;
  bool rewind_interrupted = false;
};

DataFacts look_at_data(const std::string& data_directory);

// 0 when PG_VERSION is missing or odd.
std::int64_t read_major_version(const std::string& data_directory);

// Permissions of new files: below the data directory 0600, or 0640 when it is open to its group;
// elsewhere 0666 without the process's umask at its start (contract postgres 6.1).
mode_t file_mode_for(const std::string& path, const std::string& data_directory);
mode_t folder_mode_for(const std::string& data_directory);

// Why the server would refuse to start because of the folder's owner or mode; empty = it would not.
std::string unfit_folder(const std::string& data_directory);

// The signal files for a start: standby.signal alone, or neither. On the disk when this returns
// (trap 39).
Result<void> set_standby_signal(const std::string& data_directory, bool standby);
// For recovery of a custom bootstrap.
Result<void> set_recovery_signal(const std::string& data_directory);

Result<void> set_rewind_marker(const std::string& data_directory);
Result<void> clear_rewind_marker(const std::string& data_directory);

}  // namespace tanist::postgres

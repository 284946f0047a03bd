// SPDX-License-Identifier: Apache-2.0
// The exclusive hold on the data directory: one agent for one server (trap 40). The directory is
// replaced in the life of a node (clone, a failed bootstrap set aside); the hold then moves to the
// new one. Blocking.
#pragma once

#include <optional>
#include <string>

#include "os/folder_lock.h"

namespace tanist::agent {

class DataHold {
 public:
  // Creates the directory (mode 0700) when there is none: an empty one counts as no data. Errors
  // name the directory and the remedy.
  static Result<DataHold> take(std::string data_directory);

  // Holds whatever stands there now. Cheap when nothing changed.
  Result<void> renew();

 private:
  explicit DataHold(std::string data_directory) : data_directory_(std::move(data_directory)) {}

  std::string data_directory_;
  std::optional<os::FolderLock> lock_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

}  // namespace tanist::agent

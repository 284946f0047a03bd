// SPDX-License-Identifier: Apache-2.0
// Following the data directory from inode to inode. Blocking.
#include "agent/data_hold.h"

#include <sys/stat.h>

#include "os/file.h"

namespace tanist::agent {

Result<DataHold> DataHold::take(std::string data_directory) {
  DataHold hold(std::move(data_directory));
  auto renewed = hold.renew();
  if (!renewed) return pass_on(renewed.error());
  return hold;
}

Result<void> DataHold::renew() {
  if (!os::exists(data_directory_)) {
    const auto made = os::create_folders(data_directory_, 0700);
    if (!made) {
      return fail(made.error().code,
                  "postgresql.data_dir: {}. Remedy: create {} and give it to the user that runs "
                  "tanist",
                  made.error().message, data_directory_);
    }
  }
  struct stat status{};
  if (stat(data_directory_.c_str(), &status) != 0) {
    return fail(Errc::not_found, "postgresql.data_dir: {} cannot be looked at", data_directory_);
  }
  if (lock_ && status.st_ino == inode_ && status.st_dev == device_) return {};
  auto lock = os::FolderLock::take(data_directory_);
  if (!lock) {
    if (lock.error().code != Errc::refused) return pass_on(lock.error());
    return fail(Errc::refused,
                "another tanist already runs for {}. Remedy: stop it first, or set another "
                "postgresql.data_dir",
                data_directory_);
  }
  lock_.emplace(std::move(*lock));
  device_ = status.st_dev;
  inode_ = status.st_ino;
  return {};
}

}  // namespace tanist::agent

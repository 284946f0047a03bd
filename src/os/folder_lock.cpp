// SPDX-License-Identifier: Apache-2.0
// flock on a folder.
#include "os/folder_lock.h"

#include <sys/file.h>

#include <cerrno>
#include <cstring>

namespace tanist::os {

Result<FolderLock> FolderLock::take(const std::string& folder) {
  Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.open()) {
    return fail(errno == ENOENT ? Errc::not_found : Errc::failed, "cannot open folder {}: {}",
                folder, std::strerror(errno));
  }
  if (flock(opened.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return fail(Errc::refused,
                  "another process holds the lock on {}: is a second agent running on this data "
                  "directory? (fuser {} tells)",
                  folder, folder);
    }
    return fail(Errc::failed, "cannot lock folder {}: {}", folder, std::strerror(errno));
  }
  return FolderLock(std::move(opened));
}

}  // namespace tanist::os

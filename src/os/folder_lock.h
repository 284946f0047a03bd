// SPDX-License-Identifier: Apache-2.0
// The exclusive hold on a folder (trap 40): flock on the folder itself, close-on-exec, so that
// neither the guard nor the server inherits it. Held as long as the object lives; the kernel lets
// go when the process ends. Taking it touches the disk: not on the loop's thread.
#pragma once

#include <string>

#include "base/result.h"
#include "os/descriptor.h"

namespace tanist::os {

class FolderLock {
 public:
  // Never waits. Errc::refused when another process holds it, not_found when there is no folder.
  static Result<FolderLock> take(const std::string& folder);

 private:
  explicit FolderLock(Descriptor folder) : folder_(std::move(folder)) {}

  Descriptor folder_;
};

}  // namespace tanist::os

// SPDX-License-Identifier: Apache-2.0
// posix_spawn as process.h wants it. Blocking (it waits for the program's file): runs on the disk
// pool. Internal to os/.
#pragma once

#include "os/process.h"

namespace tanist::os {

// A started child that nobody took over yet. If nobody does, it is killed: its caller gave up.
class Spawned {
 public:
  Spawned(pid_t pid, Descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  Spawned(Spawned&& other) noexcept = default;
  Spawned& operator=(Spawned&&) = delete;
  ~Spawned();

  // The child as a Process, and the reading ends of its captured streams.
  ProcessPtr take();
  Descriptor output;
  Descriptor errors;

 private:
  pid_t pid_;
  Descriptor pidfd_;
};

Result<Spawned> spawn_now(const SpawnRequest& request);

}  // namespace tanist::os

// SPDX-License-Identifier: Apache-2.0
// Starting, watching and ending other processes, by pidfd. A destructor never ends a process: who
// wants that says so. Loop thread only; whatever may wait for a disk runs on the disk pool.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/process_identity.h"
#include "base/result.h"
#include "os/deadline.h"
#include "os/descriptor.h"
#include "os/disk.h"

namespace tanist::os {

// A process known by its pidfd: a child of ours, or one that was adopted.
class Process {
 public:
  Process(ProcessIdentity identity, Descriptor pidfd, bool child)
      : identity_(identity), pidfd_(std::move(pidfd)), child_(child) {}

  const ProcessIdentity& identity() const { return identity_; }
  bool is_child() const { return child_; }
  // False as soon as it has ended, reaped or not.
  bool alive() const;
  // To this very process, never to another that got its pid. False when it is gone or refuses.
  bool send(int signal) const;
  // Ends with `done` when the process has ended (a child is then reaped). Any number may wait.
  Awaitable<Ended> exited(Limit limit);
  // The wait status (WIFEXITED ...) once exited() said `done`; -1 = unknown, as for adopted ones.
  int status() const { return status_; }

 private:
  friend Awaitable<bool> end_session(DiskPool* pool, std::shared_ptr<Process> leader,
                                     Duration grace);
  void reap();

  ProcessIdentity identity_;
  Descriptor pidfd_;
  bool child_;
  bool reaped_ = false;
  int status_ = -1;
};
using ProcessPtr = std::shared_ptr<Process>;

// Opens the pidfd first and then reads who that is, so that the answer is about one process. The
// caller compares start time, folder and executable. Errc::not_found when there is none. Blocking.
Result<ProcessPtr> adopt_process(std::int64_t pid);

enum class Output { inherit, discard, capture };

struct SpawnRequest {
  // [0] is a path, or a name to be found in our PATH.
  std::vector<std::string> arguments;
  std::vector<std::string> environment;  // NAME=value: all of it, nothing is inherited
  std::string working_folder;            // empty = ours
  bool own_session = true;               // setsid: survives us, and can be ended as a whole
  // Open in the child under the same numbers, each above 2. Standard input is empty; every other
  // descriptor is closed.
  std::vector<int> inherited;
  Output output = Output::capture;
  Output errors = Output::capture;
  // run_process keeps this much of the end of each captured stream.
  std::size_t captured_bytes_max = 256 * 1024;
  // Called on the loop's thread for each whole line of captured errors.
  std::function<void(std::string_view)> on_error_line;
};

// The environment of this process without the variables that begin with one of `prefixes`.
std::vector<std::string> environment_without(const std::vector<std::string_view>& prefixes);

// Starts a process and returns at once. Captured streams are not possible here (discarded). When
// `limit` passes before it is started, it is killed as soon as it is.
// Errc::not_found: no such program. The message names the program, never its arguments.
Awaitable<Result<ProcessPtr>> spawn_process(DiskPool* pool, SpawnRequest request, Limit limit);

struct ProcessEnd {
  int status = -1;  // as of waitpid
  std::string output;
  std::string errors;

  bool succeeded() const { return status == 0; }
};

// "exit code 2", "signal 9".
std::string describe_status(int status);

// Runs a program to its end. When `limit` passes (Errc::timeout) or stops it (Errc::cancelled) its
// whole session gets SIGTERM and, after `kill_grace`, SIGKILL; only then this returns.
inline constexpr Duration kill_grace = seconds{10};
Awaitable<Result<ProcessEnd>> run_process(DiskPool* pool, SpawnRequest request, Limit limit);

// Ends a process and everything in its session: SIGTERM, after `grace` SIGKILL until none is left.
// True when nothing is left. Requires: spawned with own_session.
Awaitable<bool> end_session(DiskPool* pool, ProcessPtr leader, Duration grace);

}  // namespace tanist::os

// SPDX-License-Identifier: Apache-2.0
// What /proc tells of processes. A process may vanish between any two calls: every answer is a
// Result. Reads of /proc can wait for the process's memory: not on the loop's thread.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/process_identity.h"
#include "base/result.h"
#include "base/time.h"

namespace tanist::os {

struct ProcessStat {
  ProcessIdentity identity;
  std::int64_t parent = 0;
  std::int64_t session = 0;
  char state = '?';  // Z = a zombie, T = stopped
  std::string name;  // at most 15 bytes

  friend bool operator==(const ProcessStat&, const ProcessStat&) = default;
};

// The text of /proc/PID/stat. The name may hold blanks and parentheses. Pure.
Result<ProcessStat> parse_process_stat(std::string_view text);

// Errc::not_found when there is no such process.
Result<ProcessStat> read_process(std::int64_t pid);
// All processes that can be seen; those that vanish meanwhile are left out.
std::vector<ProcessStat> all_processes();
// Living children (no zombies) of a process.
std::vector<ProcessStat> children_of(std::int64_t pid);

// Target of /proc/PID/exe without a " (deleted)", and of /proc/PID/cwd.
Result<std::string> executable_of(std::int64_t pid);
Result<std::string> folder_of_process(std::int64_t pid);
// Is the process's working folder this one (device and inode)? Fails when either is unreadable.
Result<bool> works_in(std::int64_t pid, const std::string& folder);
// The command line, or the title that the process gave itself; arguments joined by blanks, without
// trailing blanks. Empty for zombies and kernel threads.
Result<std::string> title_of(std::int64_t pid);
Result<uid_t> user_of(std::int64_t pid);

// When a process with these start ticks was started, by the wall clock; good to about a second.
Result<WallTime> started_at(std::uint64_t start_ticks);

struct OpenDescriptor {
  int number = -1;
  std::string target;  // "/path", "socket:[123]", "anon_inode:[pidfd]"
};
Result<std::vector<OpenDescriptor>> open_descriptors(std::int64_t pid);

}  // namespace tanist::os

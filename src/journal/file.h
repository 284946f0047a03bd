// SPDX-License-Identifier: Apache-2.0
// The journal of one node on disk: DIRECTORY/tanist.journal and, before it, tanist.journal.1. Only
// whole lines are appended; a file that reaches its bound becomes the older one. Nothing is synced:
// what was written survives the process, and the last seconds before a power failure are told by
// the other nodes. Every call waits for the disk: never on the loop's thread. One thread at a time.
#pragma once

#include <string>
#include <vector>

#include "journal/entry.h"
#include "os/descriptor.h"

namespace tanist::journal {

struct FileOptions {
  std::string directory;  // created when it is missing, for the server's user alone
  std::size_t file_bytes_max = 16 * 1024 * 1024;  // two files are kept
  std::string scope;
  MemberName member;
};

class File {
 public:
  explicit File(FileOptions options) : options_(std::move(options)) {}

  // Appends all or as much as goes; opens and rotates as needed. Errors name the file and the
  // remedy; the next call tries again.
  Result<void> append(const std::vector<Entry>& entries);

 private:
  Result<void> open(const Entry& first);
  Result<void> write(std::string_view lines);
  Result<void> rotate(const Entry& next);
  std::string begun(const Entry& first);

  FileOptions options_;
  SecretMask mask_;
  os::Descriptor descriptor_;
  std::size_t bytes_ = 0;
};

std::string newest_file(const std::string& directory);
std::string older_file(const std::string& directory);

}  // namespace tanist::journal

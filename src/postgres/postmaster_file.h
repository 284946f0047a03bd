// SPDX-License-Identifier: Apache-2.0
// postmaster.pid: what the server writes of itself, and whether a process is the one it means
// (contract postgres 3.1, trap 45).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "os/process.h"

namespace tanist::postgres {

struct PostmasterFile {
  std::int64_t pid = 0;       // negative: a single-user server
  std::int64_t started = 0;   // seconds since 1970
  std::uint16_t port = 0;     // 0 = not written yet
  std::string socket_folder;  // empty: none
  std::string listen_host;    // first listen address, "*" for all; empty: none
  std::string status;         // starting, stopping, ready, standby; empty: not written yet

  std::int64_t process() const { return pid < 0 ? -pid : pid; }
  bool is_single_user() const { return pid < 0; }

  friend bool operator==(const PostmasterFile&, const PostmasterFile&) = default;
};

// The file is written line by line: what is missing keeps its default. Errc::invalid without a pid.
// Pure.
Result<PostmasterFile> parse_postmaster_file(std::string_view content);

// What is known of the process with the file's pid.
struct PostmasterEvidence {
  bool is_relative = false;               // ourselves or our parent
  std::optional<std::string> executable;  // base name
  std::optional<bool> works_in_data;      // its working folder is the data directory
  std::optional<std::int64_t> started;    // seconds since 1970
};

// Is it the postmaster? `program`: base name of the configured server program. Pure.
bool is_postmaster(const PostmasterFile& file, const PostmasterEvidence& evidence,
                   std::string_view program);

struct FoundPostmaster {
  os::ProcessPtr process;
  PostmasterFile file;
};

// The living process that postmaster.pid names. Errc::not_found when there is no such file or no
// such process; refused when the pid now belongs to another one (its pid is in `foreign`).
// Blocking.
Result<FoundPostmaster> find_postmaster(const std::string& data_directory,
                                        const std::string& program, std::int64_t* foreign);

}  // namespace tanist::postgres

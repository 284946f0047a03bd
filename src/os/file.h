// SPDX-License-Identifier: Apache-2.0
// Small files, read and replaced whole. These calls wait for the disk: never on the loop's thread
// (os/disk.h runs them elsewhere).
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace tanist::os {

inline constexpr std::size_t file_bytes_max = 16 * 1024 * 1024;

// Errc::not_found when there is none, invalid when it is no regular file or longer than
// `bytes_max`, failed for the rest; the message names path and cause.
Result<std::string> read_file(const std::string& path, std::size_t bytes_max = file_bytes_max);

// Replaces the file so that after a crash either the old or the new content is there: temporary
// file beside it with `mode` from the start, fsync, rename, fsync of the folder.
Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode);

// Creates or truncates to nothing, fsynced with its folder. For signal files.
Result<void> create_empty_file(const std::string& path, mode_t mode);

// True when it was there. fsyncs the folder.
Result<bool> remove_file(const std::string& path);

bool exists(const std::string& path);

// Names in the folder, unsorted, without . and ..
Result<std::vector<std::string>> list_folder(const std::string& path);

// Creates missing folders of the path with `mode`.
Result<void> create_folders(const std::string& path, mode_t mode);

// fsync of a folder, so that renames and new names in it survive a crash.
Result<void> sync_folder(const std::string& path);

}  // namespace tanist::os

// SPDX-License-Identifier: Apache-2.0
// Removal and renaming of folders.
#include "postgres/data_removal.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "base/log.h"
#include "postgres/paths.h"

namespace tanist::postgres {

namespace {

namespace fs = std::filesystem;

// A link inside the data directory and the folder outside that it leads to.
struct OutsideFolder {
  fs::path link;
  fs::path target;
};

std::vector<OutsideFolder> outside_folders(const fs::path& data) {
  std::vector<OutsideFolder> found;
  std::error_code code;
  const auto add = [&](const fs::path& link) {
    std::error_code ignored;
    if (!fs::is_symlink(link, ignored)) return;
    auto target = fs::read_symlink(link, ignored);
    if (target.is_relative()) target = link.parent_path() / target;
    target = fs::canonical(target, ignored);
    if (!ignored && fs::is_directory(target, ignored)) found.push_back({link, target});
  };
  add(data / "pg_wal");
  for (const auto& entry : fs::directory_iterator(data / "pg_tblspc", code)) add(entry.path());
  return found;
}

// All in it, then itself if that is possible. The error is about what should have gone and did not.
Result<void> remove_folder(const fs::path& folder) {
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().filename() == "lost+found") continue;
    std::error_code failed;
    fs::remove_all(entry.path(), failed);
    if (failed) {
      return fail(Errc::failed, "cannot remove {}: {}", entry.path().string(), failed.message());
    }
  }
  if (code && code != std::errc::no_such_file_or_directory) {
    return fail(Errc::failed, "cannot list {}: {}", folder.string(), code.message());
  }
  fs::remove(folder, code);  // a mount point stays
  return {};
}

Result<void> remove_with_outside(const fs::path& data) {
  for (const auto& outside : outside_folders(data)) {
    log_info("Removing {} and what it leads to: {}", outside.link.string(),
             outside.target.string());
    if (auto removed = remove_folder(outside.target); !removed) return removed;
  }
  log_info("Removing data directory: {}", data.string());
  return remove_folder(data);
}

Result<void> rename_aside(const fs::path& folder) {
  const fs::path aside = folder.string() + ".failed";
  std::error_code code;
  fs::remove_all(aside, code);
  fs::rename(folder, aside, code);
  if (code) {
    return fail(Errc::failed, "cannot rename {} to {}: {}", folder.string(), aside.string(),
                code.message());
  }
  return {};
}

}  // namespace

Result<void> remove_data(const std::string& data_directory) {
  const fs::path data = without_trailing_slash(data_directory);
  std::error_code code;
  if (fs::is_symlink(data, code)) {
    fs::remove(data, code);
    if (code) return fail(Errc::failed, "cannot remove {}: {}", data.string(), code.message());
    return {};
  }
  const auto removed = remove_with_outside(data);
  if (removed) return {};
  log_error("{}; setting the data directory aside", removed.error().message);
  return set_data_aside(data_directory);
}

Result<void> set_data_aside(const std::string& data_directory) {
  const fs::path data = without_trailing_slash(data_directory);
  for (const auto& [link, target] : outside_folders(data)) {
    if (auto renamed = rename_aside(target); !renamed) return renamed;
    std::error_code code;
    fs::remove(link, code);
    fs::create_directory_symlink(target.string() + ".failed", link, code);
    if (code) return fail(Errc::failed, "cannot change {}: {}", link.string(), code.message());
  }
  log_info("Setting data directory aside: {}.failed", data.string());
  return rename_aside(data);
}

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// File calls with errors that name the path. Blocking.
#include "os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "os/descriptor.h"

namespace tanist::os {

namespace {

tl::unexpected<Error> system_failure(std::string_view doing, const std::string& path) {
  const int code = errno;
  return fail(code == ENOENT ? Errc::not_found : Errc::failed, "{} {}: {}", doing, path,
              std::strerror(code));
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const auto written = write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.open()) return system_failure("cannot read", path);
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return system_failure("cannot read", path);
  if (!S_ISREG(status.st_mode)) return fail(Errc::invalid, "{} is not a regular file", path);
  std::string content;
  char buffer[65536];
  for (;;) {
    const auto count = read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("cannot read", path);
    if (count == 0) return content;
    content.append(buffer, static_cast<std::size_t>(count));
    if (content.size() > bytes_max) {
      return fail(Errc::invalid, "{} is longer than {} bytes", path, bytes_max);
    }
  }
}

Result<void> replace_file(const std::string& path, std::string_view content, mode_t mode) {
  std::string temporary = path + ".XXXXXX";
  Descriptor file(mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.open()) return system_failure("cannot create a file beside", path);
  const auto give_up = [&](std::string_view doing) -> Result<void> {
    auto failure = system_failure(doing, path);
    unlink(temporary.c_str());
    return failure;
  };
  if (fchmod(file.get(), mode) != 0) return give_up("cannot set the mode of");
  if (!write_all(file.get(), content)) return give_up("cannot write");
  if (fsync(file.get()) != 0 || file.reset() != 0) return give_up("cannot write");
  if (rename(temporary.c_str(), path.c_str()) != 0) return give_up("cannot replace");
  return sync_folder(folder_of(path));
}

Result<void> create_empty_file(const std::string& path, mode_t mode) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
  if (!file.open()) return system_failure("cannot create", path);
  if (fsync(file.get()) != 0) return system_failure("cannot create", path);
  return sync_folder(folder_of(path));
}

Result<bool> remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0) {
    if (errno == ENOENT) return false;
    return system_failure("cannot remove", path);
  }
  const auto synced = sync_folder(folder_of(path));
  if (!synced) return pass_on(synced.error());
  return true;
}

bool exists(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0;
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  std::error_code code;
  std::vector<std::string> names;
  std::filesystem::directory_iterator at(path, code);
  while (!code && at != std::filesystem::directory_iterator()) {
    names.push_back(at->path().filename().string());
    at.increment(code);
  }
  if (code) {
    const bool missing = code == std::errc::no_such_file_or_directory;
    return fail(missing ? Errc::not_found : Errc::failed, "cannot list {}: {}", path,
                code.message());
  }
  return names;
}

Result<void> create_folders(const std::string& path, mode_t mode) {
  for (std::size_t at = 1; at != std::string::npos;) {
    at = path.find('/', at + 1);
    const auto part = path.substr(0, at);
    if (mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
      return system_failure("cannot create folder", part);
    }
  }
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) return system_failure("cannot create folder", path);
  if (!S_ISDIR(status.st_mode)) return fail(Errc::invalid, "{} is not a directory", path);
  return {};
}

Result<void> sync_folder(const std::string& path) {
  const Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.open() || fsync(folder.get()) != 0) return system_failure("cannot sync", path);
  return {};
}

}  // namespace tanist::os

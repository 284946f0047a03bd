// SPDX-License-Identifier: Apache-2.0
// Appending and rotating. Blocking; one thread at a time.
#include "journal/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "os/file.h"

namespace tanist::journal {

namespace {

tl::unexpected<Error> failed(const std::string& what) {
  return fail(Errc::failed,
              "journal: {}: {}. Remedy: let the server's user write there, or name another folder "
              "in journal.directory",
              what, std::strerror(errno));
}

}  // namespace

std::string newest_file(const std::string& directory) { return directory + "/tanist.journal"; }
std::string older_file(const std::string& directory) { return directory + "/tanist.journal.1"; }

std::string File::begun(const Entry& first) {
  const Begun body{.format = format_version,
                   .version = TANIST_VERSION,
                   .scope = options_.scope,
                   .member = options_.member};
  return text(Entry{first.at, first.instant, body}, mask_);
}

Result<void> File::open(const Entry& first) {
  if (descriptor_.open()) return {};
  const auto made = os::create_folders(options_.directory, 0700);
  if (!made) return pass_on(made.error(), "journal");
  const auto path = newest_file(options_.directory);
  os::Descriptor opened(
      ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat status{};
  if (!opened.open() || fstat(opened.get(), &status) != 0) return failed("open " + path);
  descriptor_ = std::move(opened);
  bytes_ = static_cast<std::size_t>(status.st_size);
  // A line that a crash tore must not swallow the next one.
  char last = '\n';
  const bool torn =
      bytes_ > 0 && pread(descriptor_.get(), &last, 1, status.st_size - 1) == 1 && last != '\n';
  return write((torn ? "\n" : "") + begun(first));
}

Result<void> File::write(std::string_view lines) {
  while (!lines.empty()) {
    const auto written = ::write(descriptor_.get(), lines.data(), lines.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const auto error = failed("write " + newest_file(options_.directory));
      descriptor_ = os::Descriptor();
      return error;
    }
    bytes_ += static_cast<std::size_t>(written);
    lines.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> File::rotate(const Entry& next) {
  descriptor_ = os::Descriptor();
  const auto path = newest_file(options_.directory);
  if (std::rename(path.c_str(), older_file(options_.directory).c_str()) != 0 && errno != ENOENT) {
    return failed("rename " + path);
  }
  return open(next);
}

Result<void> File::append(const std::vector<Entry>& entries) {
  for (const auto& entry : entries) {
    auto line = text(entry, mask_);
    if (line.size() > line_bytes_max) continue;  // of a cluster beyond all sizes; nobody reads it
    auto ready = open(entry);
    if (ready && bytes_ + line.size() > options_.file_bytes_max) ready = rotate(entry);
    if (ready) ready = write(line);
    if (!ready) return ready;
  }
  return {};
}

}  // namespace tanist::journal

// SPDX-License-Identifier: Apache-2.0
// Looking at the data directory and writing its marks.
#include "postgres/data_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/format.h"
#include "os/file.h"
#include "postgres/parameter_value.h"

namespace tanist::postgres {

namespace {

constexpr mode_t read_and_search_by_group = 0050;

// The umask cannot be read without setting it, so that happens once, before other threads begin.
mode_t umask_at_start() {
  const auto mask = umask(0022);
  umask(mask);
  return mask;
}
const mode_t original_umask = umask_at_start();

bool open_to_group(const std::string& data_directory) {
  struct stat status{};
  return stat(data_directory.c_str(), &status) == 0 &&
         (status.st_mode & read_and_search_by_group) == read_and_search_by_group;
}

bool counts_as_nothing(const std::string& name) {
  return name.starts_with('.') || name == "lost+found";
}

DataDirectory kind_of(const std::string& path, std::string& error) {
  struct stat status{};
  if (stat((path + "/global/pg_control").c_str(), &status) == 0) return DataDirectory::present;
  if (errno != ENOENT && errno != ENOTDIR) {
    error = format_text("cannot look into {}: {}", path, std::strerror(errno));
    return DataDirectory::not_accessible;
  }
  const auto names = os::list_folder(path);
  if (!names && names.error().code == Errc::not_found) return DataDirectory::absent_or_empty;
  if (!names) {
    error = names.error().message;
    return DataDirectory::not_accessible;
  }
  return std::ranges::all_of(*names, counts_as_nothing) ? DataDirectory::absent_or_empty
                                                        : DataDirectory::foreign;
}

std::string signal_path(const std::string& data_directory, std::string_view name) {
  return data_directory + "/" + std::string(name) + ".signal";
}

Result<void> set_signal(const std::string& data_directory, std::string_view name, bool wanted) {
  const auto path = signal_path(data_directory, name);
  if (wanted) return os::create_empty_file(path, file_mode_for(path, data_directory));
  const auto removed = os::remove_file(path);
  if (!removed) return pass_on(removed.error());
  return {};
}

}  // namespace

std::int64_t read_major_version(const std::string& data_directory) {
  const auto content = os::read_file(data_directory + "/PG_VERSION", 64);
  if (!content) return 0;
  const auto text = without_spaces_around(*content);
  std::int64_t major = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, major);
  return parsed.ec == std::errc{} && parsed.ptr == end && major > 0 ? major : 0;
}

DataFacts look_at_data(const std::string& data_directory) {
  DataFacts facts;
  facts.kind = kind_of(data_directory, facts.error);
  if (facts.kind != DataDirectory::present) return facts;
  facts.major_version = read_major_version(data_directory);
  facts.standby_signal = os::exists(signal_path(data_directory, "standby"));
  facts.recovery_signal = os::exists(signal_path(data_directory, "recovery"));
  facts.backup_label = os::exists(data_directory + "/backup_label");
  facts.rewind_interrupted = os::exists(data_directory + "/" + std::string(rewind_marker));
  return facts;
}

mode_t file_mode_for(const std::string& path, const std::string& data_directory) {
  if (!path.starts_with(data_directory + "/")) return 0666 & ~original_umask;
  return open_to_group(data_directory) ? 0640 : 0600;
}

mode_t folder_mode_for(const std::string& data_directory) {
  return open_to_group(data_directory) ? 0750 : 0700;
}

std::string unfit_folder(const std::string& data_directory) {
  constexpr mode_t not_for_others = 0027;
  struct stat status{};
  if (stat(data_directory.c_str(), &status) != 0) {
    return format_text("cannot look into {}: {}", data_directory, std::strerror(errno));
  }
  if (status.st_uid != geteuid()) {
    return format_text("{} belongs to user {}, the server would run as user {}. Remedy: chown it",
                       data_directory, status.st_uid, geteuid());
  }
  if ((status.st_mode & not_for_others) == 0) return {};
  return format_text("{} has mode {:04o}, the server demands 0700 or 0750. Remedy: chmod it",
                     data_directory, status.st_mode & 07777);
}

Result<void> set_standby_signal(const std::string& data_directory, bool standby) {
  // The new one first: at no moment a standby's data has neither.
  if (auto done = set_signal(data_directory, "standby", standby); !done) return done;
  return set_signal(data_directory, "recovery", false);
}

Result<void> set_recovery_signal(const std::string& data_directory) {
  if (auto done = set_signal(data_directory, "recovery", true); !done) return done;
  return set_signal(data_directory, "standby", false);
}

Result<void> set_rewind_marker(const std::string& data_directory) {
  const auto path = data_directory + "/" + std::string(rewind_marker);
  if (mkfifo(path.c_str(), 0600) != 0 && errno != EEXIST) {
    return fail(Errc::failed, "cannot create {}: {}", path, std::strerror(errno));
  }
  return os::sync_folder(data_directory);
}

Result<void> clear_rewind_marker(const std::string& data_directory) {
  const auto removed = os::remove_file(data_directory + "/" + std::string(rewind_marker));
  if (!removed) return pass_on(removed.error());
  return {};
}

}  // namespace tanist::postgres

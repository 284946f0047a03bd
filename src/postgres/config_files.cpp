// SPDX-License-Identifier: Apache-2.0
// Configuration files on the disk.
#include "postgres/config_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/log.h"
#include "os/file.h"
#include "postgres/bootstrap_method.h"
#include "postgres/data_directory.h"
#include "postgres/parameter_value.h"
#include "postgres/password_file.h"
#include "postgres/programs.h"

namespace tanist::postgres {

// ---- Preparing -------------------------------------------------------------------------------

namespace {

os::Awaitable<std::vector<std::string>> bootstrap_lines(Job job) {
  std::vector<std::string> addresses;
  const auto address = local_address(*job.settings);
  if (!address.host.empty() && !address.host.starts_with('/')) {
    auto found = co_await job.server->addresses.find(address.host, job.limit());
    if (found) addresses = std::move(*found);
  }
  co_return bootstrap_hba_lines(*job.settings, addresses);
}

std::optional<std::string> managed_lines(const std::vector<std::string>& lines) {
  if (lines.empty()) return std::nullopt;
  return lines_file_text(lines);
}

// Is the file at `path` ours to write: the server reads this one and no other?
bool reads_file(const Values& parameters, std::string_view name, const std::string& path) {
  const auto* value = find_value(parameters, name);
  return value == nullptr || value->empty() || *value == path;
}

}  // namespace

os::Awaitable<Result<PreparedFiles>> prepare_files(Job job, ServerGoal goal,
                                                   std::int64_t major_version) {
  const auto& settings = *job.settings;
  const bool custom = job.server->in_custom_bootstrap;
  const auto bootstrap = custom ? bootstrap_recovery_of(settings, major_version) : std::nullopt;
  ParameterInput input{.major_version = major_version, .custom_bootstrap = custom};
  input.hot_standby_off = bootstrap && bootstrap->hot_standby_off;
  PreparedFiles files;
  files.parameters = effective_parameters(settings, goal, input);
  if (!files.parameters.unknown.empty()) {
    auto described = co_await described_parameters(job);
    if (!described) co_return pass_on(described.error());
    input.described = std::move(*described);
    files.parameters = effective_parameters(settings, goal, input);
  }
  files.recovery = bootstrap ? bootstrap->settings : wanted_recovery(settings, goal, major_version);
  files.keep_auto_conf = bootstrap && bootstrap->kept_as_found;
  files.main = main_file_text({.included = job.paths.included,
                               .parameters = files.parameters.values,
                               .hba_file = job.paths.hba,
                               .ident_file = job.paths.ident,
                               .recovery = files.recovery});
  if (reads_file(files.parameters.values, "hba_file", job.paths.hba)) {
    files.hba = managed_lines(lines_for_role(settings.pg_hba, settings.pg_hba_by_role, goal.role));
  }
  if (custom) {
    const auto lines = co_await bootstrap_lines(job);
    files.hba = managed_lines(lines);
  }
  if (reads_file(files.parameters.values, "ident_file", job.paths.ident)) {
    files.ident =
        managed_lines(lines_for_role(settings.pg_ident, settings.pg_ident_by_role, goal.role));
  }
  if (files.recovery.contains("primary_conninfo") && goal.upstream) {
    files.password_for = goal.upstream;
  }
  co_return files;
}

// ---- Writing ---------------------------------------------------------------------------------

namespace {

Result<bool> write_if_different(const std::string& path, const std::string& text,
                                const Paths& paths) {
  const auto present = os::read_file(path);
  if (present && *present == text) return false;
  auto written = os::replace_file(path, text, file_mode_for(path, paths.data));
  if (!written) return pass_on(written.error());
  return true;
}

// The original configuration becomes the base file, once.
Result<void> keep_original(const Paths& paths, const ServerSettings& settings) {
  if (!settings.custom_conf.empty() || os::exists(paths.base)) return {};
  const auto original =
      os::exists(paths.main) ? paths.main : paths.in_data(settings.config_base_name + ".conf");
  const auto text = os::read_file(original);
  if (!text) return {};  // the server will say that it has no configuration
  return os::replace_file(paths.base, *text, file_mode_for(paths.base, paths.data));
}

Result<void> need_folder(std::string_view setting, const std::string& folder, mode_t mode) {
  if (!os::exists(folder)) {
    if (auto made = os::create_folders(folder, mode); !made) {
      return fail(Errc::failed, "'{}' is defined in {}, couldn't create the directory: {}", folder,
                  setting, made.error().message);
    }
  }
  struct stat status{};
  if (stat(folder.c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
    return fail(Errc::failed, "'{}' is defined in {}, and is not a directory", folder, setting);
  }
  if (access(folder.c_str(), W_OK) != 0) {
    return fail(Errc::failed, "'{}' is defined in {}, the directory is not writable", folder,
                setting);
  }
  return {};
}

Result<void> need_folders(const Values& parameters, const ServerSettings& settings,
                          const Paths& paths) {
  const auto mode = folder_mode_for(paths.data);
  if (const auto* list = find_value(parameters, "unix_socket_directories")) {
    std::string_view rest = *list;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(','), rest.size());
      const std::string folder(without_spaces_around(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (!folder.starts_with('/')) continue;
      if (auto made = need_folder("unix_socket_directories", folder, mode); !made) return made;
    }
  }
  const auto* statistics = find_value(parameters, "stats_temp_directory");
  if (statistics != nullptr && !statistics->empty()) {
    const auto folder = absolute_path(*statistics, paths.data);
    if (auto made = need_folder("stats_temp_directory", folder, mode); !made) return made;
  }
  if (!settings.pgpass.empty()) {
    return need_folder("postgresql.pgpass", folder_of(settings.pgpass), 0700);
  }
  return {};
}

struct PlannedText {
  std::string path;
  std::string text;
};

// What the files are to hold, given what the present ones hold. Blocking.
std::vector<PlannedText> planned_texts(const PreparedFiles& files, const Paths& paths) {
  std::vector<PlannedText> planned{{paths.main, files.main}};
  if (files.keep_recovery_block) {
    const auto present = os::read_file(paths.main).value_or("");
    planned[0].text = without_recovery_block(files.main) + recovery_block_of(present);
  }
  const auto auto_conf = os::read_file(paths.auto_conf);
  if (auto_conf && !files.keep_auto_conf) {
    planned.push_back({paths.auto_conf, without_recovery_settings(*auto_conf)});
  }
  if (files.hba) planned.push_back({paths.hba, *files.hba});
  if (files.ident) planned.push_back({paths.ident, *files.ident});
  return planned;
}

Result<bool> write_all(const PreparedFiles& files, const ServerSettings& settings,
                       const Paths& paths) {
  if (auto made = need_folders(files.parameters.values, settings, paths); !made) {
    return pass_on(made.error());
  }
  if (auto kept = keep_original(paths, settings); !kept) return pass_on(kept.error());
  if (files.password_for) {
    const auto written = write_password_for(settings, settings.replication, *files.password_for);
    if (!written) return pass_on(written.error());
  }
  bool changed = false;
  for (const auto& [path, text] : planned_texts(files, paths)) {
    const auto written = write_if_different(path, text, paths);
    if (!written) return pass_on(written.error());
    changed = changed || *written;
  }
  return changed;
}

}  // namespace

os::Awaitable<Result<bool>> write_files(Job job, PreparedFiles files) {
  for (const auto& warning : files.parameters.warnings) log_warning("{}", warning);
  auto write = [files = std::move(files), settings = job.settings, paths = job.paths] {
    return write_all(files, *settings, paths);
  };
  co_return co_await job.on_disk(std::move(write));
}

FilesOnDisk compare_files(const PreparedFiles& files, const Paths& paths) {
  FilesOnDisk result;
  for (const auto& [path, text] : planned_texts(files, paths)) {
    if (os::read_file(path).value_or("") != text) result.as_prepared = false;
    // When others change their part of postgresql.auto.conf, loading it is their decision.
    if (path == paths.auto_conf) continue;
    struct stat status{};
    if (stat(path.c_str(), &status) != 0) continue;
    const auto modified = WallTime(seconds(status.st_mtim.tv_sec) +
                                   std::chrono::microseconds(status.st_mtim.tv_nsec / 1000));
    result.modified_at = std::max(result.modified_at, modified);
  }
  return result;
}

Result<void> write_password_for(const ServerSettings& settings, const Credentials& user,
                                const Upstream& upstream) {
  if (user.password.empty() || settings.pgpass.empty()) return {};
  return write_password_file(settings.pgpass,
                             {upstream.host, upstream.port, user.username, user.password});
}

// ---- Backups ---------------------------------------------------------------------------------

Result<void> save_config_backups(const Paths& paths) {
  for (const auto& path : paths.backed_up) {
    const auto text = os::read_file(path);
    if (!text) continue;
    const auto written = write_if_different(paths.backup_of(path), *text, paths);
    if (!written) return pass_on(written.error());
  }
  return {};
}

Result<void> restore_config_files(const Paths& paths) {
  for (const auto& path : paths.backed_up) {
    if (os::exists(path)) continue;
    const auto text = os::read_file(paths.backup_of(path));
    const bool may_be_empty = path == paths.ident;
    if (!text && !may_be_empty) continue;
    const auto mode = file_mode_for(path, paths.data);
    if (auto done = os::replace_file(path, text.value_or(""), mode); !done) return done;
  }
  return {};
}

}  // namespace tanist::postgres

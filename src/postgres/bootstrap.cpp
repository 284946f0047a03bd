// SPDX-License-Identifier: Apache-2.0
// initdb, or the custom method.
#include "postgres/bootstrap.h"

#include <unistd.h>

#include <cstdlib>

#include "base/format.h"
#include "base/log.h"
#include "os/file.h"
#include "postgres/bootstrap_method.h"
#include "postgres/config_files.h"
#include "postgres/data_directory.h"
#include "postgres/parameters.h"
#include "postgres/programs.h"
#include "postgres/sessions.h"
#include "postgres/start.h"
#include "postgres/tool_options.h"

namespace tanist::postgres {

namespace {

constexpr Duration initdb_time_max = std::chrono::hours{1};

// A private file with the superuser's password, removed at the end.
class PasswordForInitdb {
 public:
  explicit PasswordForInitdb(std::string path) : path_(std::move(path)) {}
  PasswordForInitdb(PasswordForInitdb&&) noexcept = default;
  PasswordForInitdb& operator=(PasswordForInitdb&&) = delete;
  ~PasswordForInitdb() {
    if (!path_.empty()) unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<std::string> write_private_file(const Secret& content) {
  std::string path = "/tmp/tanist-initdb.XXXXXX";
  const os::Descriptor file(mkostemp(path.data(), O_CLOEXEC));
  const auto text = content.reveal() + "\n";
  if (!file.open() ||
      write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    if (file.open()) unlink(path.c_str());
    return fail(Errc::failed, "cannot write the superuser's password for initdb to /tmp");
  }
  return path;
}

os::Awaitable<Result<void>> run_initdb(Job job) {
  const auto& settings = *job.settings;
  auto options = tool_options(Tool::initdb, settings.initdb_options, 0);
  if (!options.errors.empty()) co_return fail(Errc::invalid, "{}", options.errors.front());
  ToolRun run{
      .name = "initdb", .arguments = std::move(options.arguments), .time_max = initdb_time_max};
  const auto& superuser = superuser_of(settings);
  if (!superuser.username.empty()) run.arguments.push_back("--username=" + superuser.username);
  std::optional<PasswordForInitdb> password_file;
  if (!superuser.password.empty()) {
    auto write_it = [password = superuser.password] { return write_private_file(password); };
    auto path = co_await job.on_disk(std::move(write_it));
    if (!path) co_return pass_on(path.error());
    password_file.emplace(std::move(*path));
    run.arguments.push_back("--pwfile=" + password_file->path());
  }
  run.arguments.push_back(job.paths.data);
  const auto end = co_await run_tool(job, std::move(run));
  if (!end) co_return pass_on(end.error());
  if (!end->succeeded()) co_return tl::unexpected(failure_of("initdb", *end));
  co_return Result<void>{};
}

os::Awaitable<Result<void>> run_custom_method(Job job) {
  auto command = custom_bootstrap_command(*job.settings);
  if (!command) co_return pass_on(command.error());
  log_info("Running custom bootstrap script: {}", command->front());
  const auto end = co_await run_command(job, std::move(*command), {});
  if (!end) co_return pass_on(end.error());
  if (!end->succeeded()) {
    co_return tl::unexpected(
        failure_of("custom bootstrap " + job.settings->bootstrap_method, *end));
  }
  co_return Result<void>{};
}

// The lines that matter once: only where nobody configured the whole file (contract config 4.6).
Result<void> append_bootstrap_hba(const Paths& paths, const ServerSettings& settings) {
  const bool managed = !settings.pg_hba.empty() || find_value(settings.parameters, "hba_file");
  if (managed || settings.bootstrap_pg_hba.empty()) return {};
  auto text = os::read_file(paths.hba);
  if (!text && text.error().code != Errc::not_found) return pass_on(text.error());
  auto whole = text.value_or("");
  for (const auto& line : settings.bootstrap_pg_hba) whole += line + "\n";
  return os::replace_file(paths.hba, whole, file_mode_for(paths.hba, paths.data));
}

// Files of initdb that the server will read in a configuration folder of its own.
Result<void> copy_into_config_folder(const Paths& paths) {
  if (paths.config_folder == paths.data) return {};
  for (const auto& path : {paths.hba, paths.ident}) {
    const auto text = os::read_file(paths.in_data(file_name_of(path)));
    if (os::exists(path) || !text) continue;
    const auto mode = file_mode_for(path, paths.data);
    if (auto done = os::replace_file(path, *text, mode); !done) return done;
  }
  return {};
}

Result<void> settle_bootstrap(const Paths& paths, const ServerSettings& settings) {
  if (auto done = settle_new_data(paths, settings); !done) return done;
  if (auto done = copy_into_config_folder(paths); !done) return done;
  if (auto done = append_bootstrap_hba(paths, settings); !done) return done;
  return save_config_backups(paths);
}

}  // namespace

Result<void> settle_new_data(const Paths& paths, const ServerSettings& settings) {
  if (auto done = restore_config_files(paths); !done) return done;
  const auto* configured = find_value(configured_recovery(settings), "promote_trigger_file");
  const auto trigger = configured == nullptr || configured->empty() ? "promote" : *configured;
  const auto removed = os::remove_file(absolute_path(trigger, paths.data));
  if (!removed && removed.error().code != Errc::not_found) return pass_on(removed.error());
  return {};
}

os::Awaitable<ServerResult> initialize_data(Job job) {
  if (geteuid() == 0) {
    co_return failed(
        "PostgreSQL refuses to run as root. Remedy: run the agent as the user who owns the data");
  }
  auto look = [data = job.paths.data] { return look_at_data(data); };
  const auto data = co_await job.on_disk(std::move(look));
  if (!data) co_return failed(data.error());
  if (data->kind != DataDirectory::absent_or_empty) {
    co_return failed(format_text("{} is not empty: nothing is initialized there", job.paths.data));
  }
  job.server->control.reset();
  auto made = Result<void>{};
  if (has_custom_bootstrap(*job.settings)) {
    made = co_await run_custom_method(job);
  } else {
    made = co_await run_initdb(job);
  }
  if (!made) co_return failed(made.error());
  auto settle = [paths = job.paths, settings = job.settings] {
    return settle_bootstrap(paths, *settings);
  };
  const auto settled = co_await job.on_disk(std::move(settle));
  if (!settled) co_return failed(settled.error());
  co_return succeeded();
}

}  // namespace tanist::postgres

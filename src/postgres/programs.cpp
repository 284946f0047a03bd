// SPDX-License-Identifier: Apache-2.0
// Programs and their environments.
#include "postgres/programs.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/format.h"
#include "postgres/parameter_value.h"

namespace tanist::postgres {

std::string program_path(const ServerSettings& settings, const std::string& name) {
  const auto replaced = settings.bin_name.find(name);
  const auto& file = replaced == settings.bin_name.end() ? name : replaced->second;
  if (settings.bin_dir.empty() || file.starts_with('/')) return file;
  return without_trailing_slash(settings.bin_dir) + "/" + file;
}

Result<std::string> find_program(const std::string& path_or_name) {
  if (path_or_name.find('/') != std::string::npos) {
    return std::filesystem::absolute(path_or_name).string();
  }
  const char* searched = std::getenv("PATH");
  std::string_view folders = searched != nullptr ? searched : "/usr/bin:/bin";
  while (!folders.empty()) {
    const auto end = std::min(folders.find(':'), folders.size());
    const auto path = std::string(folders.substr(0, end)) + "/" + path_or_name;
    if (path.starts_with('/') && access(path.c_str(), X_OK) == 0) return path;
    folders.remove_prefix(std::min(end + 1, folders.size()));
  }
  return fail(Errc::not_found, "there is no program {} in PATH. Remedy: set postgresql.bin_dir",
              path_or_name);
}

namespace {

std::string_view name_of_variable(std::string_view entry) {
  return entry.substr(0, std::min(entry.find('='), entry.size()));
}

void set_variables(Environment& environment, const Environment& extra) {
  for (const auto& variable : extra) {
    std::erase_if(environment, [&](const std::string& entry) {
      return name_of_variable(entry) == name_of_variable(variable);
    });
    environment.push_back(variable);
  }
}

}  // namespace

Environment environment_for_command(const ServerSettings& settings, const Environment& extra) {
  auto environment = os::environment_without({"NOTIFY_SOCKET="});
  if (!settings.krbsrvname.empty()) {
    set_variables(environment, {"PGKRBSRVNAME=" + settings.krbsrvname});
  }
  set_variables(environment, extra);
  return environment;
}

Environment environment_for_tool(const ServerSettings& settings, const Environment& extra) {
  auto environment = environment_for_command(settings, {"LANG=C", "LC_ALL=C"});
  std::erase_if(environment, [](const std::string& entry) {
    return entry.starts_with("PATRONI_") || entry.starts_with("TANIST_");
  });
  set_variables(environment, extra);
  return environment;
}

Environment environment_for_server(std::int64_t foreign_pid) {
  auto environment =
      os::environment_without({"PATRONI_", "TANIST_", "KUBERNETES_", "NOTIFY_SOCKET=", "WATCHDOG_",
                               "LISTEN_", "MAINPID=", "PG_GRANDPARENT_PID="});
  constexpr std::string_view arenas = "PG_MALLOC_ARENA_MAX=";
  Environment replaced;
  for (const auto& entry : environment) {
    if (entry.starts_with(arenas)) {
      replaced.push_back("MALLOC_ARENA_MAX=" + entry.substr(arenas.size()));
    }
  }
  std::erase_if(environment, [&](const std::string& entry) { return entry.starts_with(arenas); });
  if (foreign_pid != 0) replaced.push_back(format_text("PG_GRANDPARENT_PID={}", foreign_pid));
  set_variables(environment, replaced);
  return environment;
}

os::Awaitable<Result<os::ProcessEnd>> run_tool(Job job, ToolRun run) {
  os::SpawnRequest request;
  request.arguments = {program_path(*job.settings, run.name)};
  request.arguments.insert(request.arguments.end(), run.arguments.begin(), run.arguments.end());
  request.environment = environment_for_tool(*job.settings, run.environment);
  request.on_error_line = std::move(run.on_error_line);
  const auto limit = job.within(run.time_max);
  co_return co_await os::run_process(job.server->disk, std::move(request), limit);
}

os::Awaitable<Result<os::ProcessEnd>> run_command(Job job, std::vector<std::string> arguments,
                                                  Environment extra) {
  os::SpawnRequest request;
  request.arguments = std::move(arguments);
  request.environment = environment_for_command(*job.settings, extra);
  const auto limit = job.limit();
  co_return co_await os::run_process(job.server->disk, std::move(request), limit);
}

std::string last_words(const os::ProcessEnd& end) {
  constexpr std::size_t bytes_max = 600;
  const auto& source = without_spaces_around(end.errors).empty() ? end.output : end.errors;
  auto text = std::string(without_spaces_around(source));
  if (text.size() > bytes_max) text.erase(0, text.size() - bytes_max);
  std::ranges::replace(text, '\n', ' ');
  return text;
}

Error failure_of(std::string_view program, const os::ProcessEnd& end) {
  return {Errc::failed, format_text("{} failed ({}): {}", program, os::describe_status(end.status),
                                    last_words(end))};
}

os::Awaitable<Result<std::string>> configured_value(Job job, std::string name) {
  ToolRun run{.name = "postgres",
              .arguments = {"-D", job.paths.data, "-C", name, "--config-file=" + job.paths.main}};
  auto end = co_await run_tool(job, std::move(run));
  if (!end) co_return pass_on(end.error());
  if (!end->succeeded()) co_return tl::unexpected(failure_of("postgres -C " + name, *end));
  co_return std::string(without_spaces_around(end->output));
}

os::Awaitable<Result<std::int64_t>> installed_major_version(Job job) {
  ToolRun run{.name = "postgres", .arguments = {"--version"}};
  auto end = co_await run_tool(job, std::move(run));
  if (!end) co_return pass_on(end.error());
  constexpr std::string_view before_number = "(PostgreSQL) ";
  const auto at = end->output.find(before_number);
  std::int64_t major = 0;
  if (at != std::string::npos) {
    const auto text = std::string_view(end->output).substr(at + before_number.size());
    std::from_chars(text.data(), text.data() + text.size(), major);
  }
  if (major == 0) co_return tl::unexpected(failure_of("postgres --version", *end));
  co_return major;
}

os::Awaitable<Result<std::set<std::string>>> described_parameters(Job job) {
  ToolRun run{.name = "postgres", .arguments = {"--describe-config"}};
  auto end = co_await run_tool(job, std::move(run));
  if (!end) co_return pass_on(end.error());
  if (!end->succeeded()) co_return tl::unexpected(failure_of("postgres --describe-config", *end));
  std::set<std::string> names;
  std::string_view text = end->output;
  while (!text.empty()) {
    const auto line_end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, line_end);
    names.insert(lower_case(line.substr(0, std::min(line.find('\t'), line.size()))));
    text.remove_prefix(std::min(line_end + 1, text.size()));
  }
  co_return names;
}

}  // namespace tanist::postgres

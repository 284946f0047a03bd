// SPDX-License-Identifier: Apache-2.0
// Running the server's programs and the users' commands: where they are, their environment, their
// output (contract postgres 2). Loop thread only.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "postgres/local_server.h"

namespace tanist::postgres {

// bin_dir and bin_name applied: a path, or a name for PATH. Pure.
std::string program_path(const ServerSettings& settings, const std::string& name);

// The absolute path of a program by program_path(). Errc::not_found when PATH has none. Blocking.
Result<std::string> find_program(const std::string& path_or_name);

using Environment = std::vector<std::string>;

// Ours without NOTIFY_SOCKET and with `extra` (NAME=value) replacing what it names.
Environment environment_for_command(const ServerSettings& settings, const Environment& extra = {});
// For the server's own programs: messages in English, LC_ALL=C.
Environment environment_for_tool(const ServerSettings& settings, const Environment& extra = {});
// For the server: without the agent's secrets and variables (traps 132 and 140). `foreign_pid`: a
// process that postmaster.pid names and that is no server, so that the server ignores it; 0 = none.
Environment environment_for_server(std::int64_t foreign_pid);

struct ToolRun {
  std::string name;                    // initdb, pg_rewind, ...
  std::vector<std::string> arguments;  // without the program
  Environment environment;             // additional variables
  Duration time_max = tool_time_max;
  std::function<void(std::string_view)> on_error_line{};
};

// Runs one of the server's programs to its end.
os::Awaitable<Result<os::ProcessEnd>> run_tool(Job job, ToolRun run);

// Runs a user's command (already split) to its end, without a time limit of its own.
os::Awaitable<Result<os::ProcessEnd>> run_command(Job job, std::vector<std::string> arguments,
                                                  Environment extra);

// The last lines of what a program said, as one line for an error text.
std::string last_words(const os::ProcessEnd& end);
// "pg_rewind failed (exit code 1): last words".
Error failure_of(std::string_view program, const os::ProcessEnd& end);

// `postgres -C NAME`: the value that the configuration files give (contract postgres 2).
os::Awaitable<Result<std::string>> configured_value(Job job, std::string name);
// Major version of the installed server program.
os::Awaitable<Result<std::int64_t>> installed_major_version(Job job);
// Names of `postgres --describe-config`, in lower case.
os::Awaitable<Result<std::set<std::string>>> described_parameters(Job job);

}  // namespace tanist::postgres

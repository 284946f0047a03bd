// SPDX-License-Identifier: Apache-2.0
// Titles of server processes, and the agent's own sweep.
#include "postgres/server_processes.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <thread>

#include "os/clock.h"
#include "os/process.h"
#include "postgres/paths.h"

namespace tanist::postgres {

namespace {

// "[local]", or "10.0.0.1(53422)".
bool is_client_address(std::string_view word) {
  if (word == "[local]") return true;
  const auto open = word.rfind('(');
  if (open == std::string_view::npos || open == 0 || !word.ends_with(')')) return false;
  const auto port = word.substr(open + 1, word.size() - open - 2);
  return !port.empty() &&
         std::ranges::all_of(port, [](unsigned char c) { return std::isdigit(c) != 0; });
}

bool begins_walsender(std::string_view text) {
  return text.starts_with("walsender ") || text.starts_with("wal sender process ");
}

}  // namespace

bool is_client_backend(std::string_view title) {
  constexpr std::string_view prefix = "postgres: ";
  if (!title.starts_with(prefix)) return true;
  title.remove_prefix(prefix.size());
  const auto cluster_name_end = title.find(": ");
  const auto rest = cluster_name_end == std::string_view::npos ? std::string_view()
                                                               : title.substr(cluster_name_end + 2);
  if (begins_walsender(title) || begins_walsender(rest)) return false;
  while (!title.empty()) {
    const auto end = std::min(title.find(' '), title.size());
    if (is_client_address(title.substr(0, end))) return true;
    title.remove_prefix(std::min(end + 1, title.size()));
  }
  return false;
}

std::vector<std::int64_t> client_backends(std::int64_t postmaster) {
  std::vector<std::int64_t> clients;
  for (const auto& child : os::children_of(postmaster)) {
    const auto title = os::title_of(child.identity.pid);
    if (title && is_client_backend(*title)) clients.push_back(child.identity.pid);
  }
  return clients;
}

std::vector<os::ProcessStat> processes_of_server(const std::string& data_directory,
                                                 const std::string& program) {
  const std::set<std::string> names{file_name_of(program), "postgres", "postmaster"};
  auto found = os::all_processes();
  std::erase_if(found, [&](const os::ProcessStat& process) {
    const auto pid = process.identity.pid;
    if (process.state == 'Z' || pid == getpid() || os::user_of(pid) != geteuid()) return true;
    const auto executable = os::executable_of(pid);
    if (!executable || !names.contains(file_name_of(*executable))) return true;
    return !os::works_in(pid, data_directory).value_or(false);
  });
  return found;
}

Result<int> sweep_processes(const std::string& data_directory, const std::string& program) {
  const auto give_up_at = os::now() + seconds{5};
  std::set<std::int64_t> ended;
  for (;;) {
    auto living = processes_of_server(data_directory, program);
    for (const auto& process : living) {
      const auto handle = os::adopt_process(process.identity.pid);
      if (handle && (*handle)->identity() == process.identity) (*handle)->send(SIGKILL);
      ended.insert(process.identity.pid);
    }
    std::erase_if(living, [](const os::ProcessStat& process) { return process.state == 'D'; });
    if (living.empty()) return static_cast<int>(ended.size());
    if (os::now() > give_up_at) {
      return fail(Errc::failed, "process {} of the server in {} cannot be ended",
                  living.front().identity.pid, data_directory);
    }
    std::this_thread::sleep_for(milliseconds{5});
  }
}

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// The processes of a server: which are clients, and ending those that a dead postmaster left.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "os/proc.h"

namespace tanist::postgres {

// Can this child of a postmaster commit for a client? By its title, 12 to 18: clients show where
// they come from ("[local]" or "host(port)"); auxiliary processes and background workers do not,
// and WAL senders say so. A child that has no title yet counts as a client. Pure. Source: contract
// postgres 3.3, trap 170.
bool is_client_backend(std::string_view title);

// Living children of the postmaster that are client backends. Blocking.
std::vector<std::int64_t> client_backends(std::int64_t postmaster);

// Processes of this user that work in `data_directory` and whose program is the server's
// (`program`, "postgres" or "postmaster" by base name). Blocking.
std::vector<os::ProcessStat> processes_of_server(const std::string& data_directory,
                                                 const std::string& program);

// SIGKILLs them until none is left but those with SIGKILL pending in uninterruptible sleep (safety
// 2.5). Returns how many were found. Errc::failed when some survive for five seconds. Blocking.
Result<int> sweep_processes(const std::string& data_directory, const std::string& program);

}  // namespace tanist::postgres

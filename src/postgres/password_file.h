// SPDX-License-Identifier: Apache-2.0
// The password file that libpq reads (contract postgres 13): one for all uses, holding the
// credentials of the latest. Pure text, and writing it with mode 0600 from the start (trap 134).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace tanist::postgres {

struct PasswordEntry {
  std::string host;  // may be a comma list; empty = any
  std::string port;  // a comma list pairs with the hosts
  std::string user;
  Secret password;
};

// "host:port:*:user:password" for each host, ':' and '\' escaped; for sockets a line "localhost"
// too. Pure.
Secret password_file_text(const PasswordEntry& entry);

// Does the file hold exactly the lines of `entry`? Pure.
bool same_password_lines(std::string_view content, const PasswordEntry& entry);

// Replaces the file. Errc::refused when the path exists and is no regular file. Blocking.
Result<void> write_password_file(const std::string& path, const PasswordEntry& entry);

}  // namespace tanist::postgres

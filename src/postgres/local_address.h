// SPDX-License-Identifier: Apache-2.0
// Where the agent reaches its own server (contract postgres 13, config 4.7). Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/settings.h"
#include "postgres/postmaster_file.h"

namespace tanist::postgres {

struct LocalAddress {
  // A name, an address, or a folder with sockets; empty = libpq's default folder.
  std::string host;
  std::string replication_host;
  std::uint16_t port = 5432;
  std::string socket_folder;  // as the server wrote it; for an empty host

  friend bool operator==(const LocalAddress&, const LocalAddress&) = default;
};

LocalAddress local_address(const ServerSettings& settings);

// The same for a server that runs already: its own port and folder count (trap 41).
LocalAddress local_address(const ServerSettings& settings, const PostmasterFile& file);

}  // namespace tanist::postgres

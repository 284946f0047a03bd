// SPDX-License-Identifier: Apache-2.0
// The two questions put to a server over its replication protocol. Requires: a connection opened
// with `replication`. Loop thread only.
#pragma once

#include <cstdint>
#include <string>

#include "sql/connection.h"

namespace tanist::sql {

struct SystemIdentity {
  std::string system_id;
  std::uint32_t timeline = 0;
  std::string position;  // "X/X"
};

// IDENTIFY_SYSTEM.
os::Awaitable<SqlResult<SystemIdentity>> identify_system(ConnectionPtr connection, os::Limit limit);

// TIMELINE_HISTORY: the content of the history file of `timeline`.
os::Awaitable<SqlResult<std::string>> timeline_history(ConnectionPtr connection,
                                                       std::uint32_t timeline, os::Limit limit);

}  // namespace tanist::sql

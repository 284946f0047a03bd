// SPDX-License-Identifier: Apache-2.0
// PgBouncer's admin console: a connection to its database `pgbouncer`, simple queries only. Loop
// thread only.
#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "os/disk.h"
#include "sql/connection.h"

namespace tanist::routing {

struct PgbouncerTarget {
  std::string host;  // an address, or a folder with the socket
  std::string port;
  std::string username;
  Secret password;
  std::vector<std::string> databases;  // empty = all
};

// A host as settings and store have it, "ADDRESS:PORT" or "FOLDER:PORT".
PgbouncerTarget target_of(const std::string& host_and_port, std::string username, Secret password,
                          std::vector<std::string> databases);

os::Awaitable<sql::SqlResult<sql::ConnectionPtr>> open_console(os::DiskPool* disk,
                                                               sql::AddressBook* addresses,
                                                               PgbouncerTarget target,
                                                               os::Limit limit);

// One row of SHOW DATABASES.
struct PooledDatabase {
  std::string name;
  bool paused = false;
  bool by_transaction = false;  // or by statement: no session holds a connection for long

  friend bool operator==(const PooledDatabase&, const PooledDatabase&) = default;
};

// Those of `wanted` (empty = all) without the console's own. `default_mode`: pool_mode of SHOW
// CONFIG, for databases without one of their own. Pure.
std::vector<PooledDatabase> databases_of(const sql::Rows& shown, const std::string& default_mode,
                                         const std::vector<std::string>& wanted);

}  // namespace tanist::routing

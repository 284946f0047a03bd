// SPDX-License-Identifier: Apache-2.0
// Opening the console and reading what it shows.
#include "routing/pgbouncer_console.h"

#include <algorithm>

namespace tanist::routing {

PgbouncerTarget target_of(const std::string& host_and_port, std::string username, Secret password,
                          std::vector<std::string> databases) {
  const auto colon = host_and_port.rfind(':');
  const bool has_port = colon != std::string::npos;
  return {host_and_port.substr(0, colon), has_port ? host_and_port.substr(colon + 1) : "6432",
          std::move(username), std::move(password), std::move(databases)};
}

os::Awaitable<sql::SqlResult<sql::ConnectionPtr>> open_console(os::DiskPool* disk,
                                                               sql::AddressBook* addresses,
                                                               PgbouncerTarget target,
                                                               os::Limit limit) {
  sql::ConnectRequest request;
  request.keywords = {{"host", target.host},
                      {"port", target.port},
                      {"user", target.username},
                      {"dbname", "pgbouncer"},
                      {"gssencmode", "disable"}};
  request.password = target.password;
  request.bare = true;  // the console refuses whoever brings settings
  co_return co_await sql::Connection::open(disk, addresses, std::move(request), std::move(limit));
}

std::vector<PooledDatabase> databases_of(const sql::Rows& shown, const std::string& default_mode,
                                         const std::vector<std::string>& wanted) {
  std::vector<PooledDatabase> found;
  for (std::size_t row = 0; row < shown.rows.size(); ++row) {
    PooledDatabase database{.name = shown.at(row, "name").value_or("")};
    const bool is_wanted = wanted.empty() || std::ranges::count(wanted, database.name) > 0;
    if (database.name.empty() || database.name == "pgbouncer" || !is_wanted) continue;
    const auto mode = shown.at(row, "pool_mode").value_or("");
    const auto& counts = mode.empty() ? default_mode : mode;
    database.by_transaction = counts == "transaction" || counts == "statement";
    database.paused = shown.at(row, "paused").value_or("0") != "0";
    found.push_back(std::move(database));
  }
  return found;
}

}  // namespace tanist::routing

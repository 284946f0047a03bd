// SPDX-License-Identifier: Apache-2.0
// Connections that the agent makes (contract postgres 13): to its own server as superuser, to its
// own server for replication, to another member or a remote as the rewind user. Loop thread only.
#pragma once

#include <string>
#include <vector>

#include "postgres/local_server.h"
#include "sql/readiness.h"

namespace tanist::postgres {

// Statements of the agent end after this on the server; we wait a second longer.
inline constexpr Duration statement_time = seconds{2};
inline constexpr Duration query_time_max = seconds{3};

// Pure parts.
const Credentials& superuser_of(const ServerSettings& settings);
const Credentials& rewind_user_of(const ServerSettings& settings);
sql::ConnectRequest local_request(const ServerSettings& settings, const LocalAddress& address,
                                  std::string database);
sql::ConnectRequest local_replication_request(const ServerSettings& settings,
                                              const LocalAddress& address);
// For reading facts of, and rewinding from, `upstream`: only a server out of recovery.
sql::ConnectRequest upstream_request(const ServerSettings& settings, const Upstream& upstream);
sql::ConnectRequest upstream_replication_request(const ServerSettings& settings,
                                                 const Upstream& upstream);
// The same as a connection string without any secret, for programs (tool_passwords.h).
std::string upstream_conninfo(const ServerSettings& settings, const Credentials& credentials,
                              const Upstream& upstream);

// A session that goes back to be used again when it still works and the server is the same.
class HeldSession {
 public:
  HeldSession(LocalServerPtr server, std::uint64_t generation, sql::ConnectionPtr connection)
      : server_(std::move(server)), generation_(generation), connection_(std::move(connection)) {}
  HeldSession(HeldSession&&) noexcept = default;
  HeldSession& operator=(HeldSession&&) = delete;
  ~HeldSession();
  const sql::ConnectionPtr& operator->() const { return connection_; }

 private:
  LocalServerPtr server_;
  std::uint64_t generation_;
  sql::ConnectionPtr connection_;
};

// The superuser session on the own server: the idle one, or a new one.
os::Awaitable<sql::SqlResult<HeldSession>> hold_session(Job job);

// One statement on it. A session that turns out to be broken is replaced once; what the server
// refused or did not do in time is not tried again.
os::Awaitable<sql::SqlResult<sql::Rows>> query_local(Job job, std::string statement,
                                                     std::vector<sql::Value> parameters);
os::Awaitable<sql::SqlResult<std::vector<sql::Rows>>> script_local(
    Job job, std::function<std::string(std::int64_t server_version)> statements);

// A session of its own without a statement timeout, for what may take long.
os::Awaitable<sql::SqlResult<sql::ConnectionPtr>> patient_session(Job job, std::string database);

os::Awaitable<sql::SqlResult<sql::ConnectionPtr>> connect(Job job, sql::ConnectRequest request);

// Does the own server answer?
os::Awaitable<Readiness> ask_readiness(Job job, Duration time_max);

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// One connection to a PostgreSQL server, with hard deadlines. A wait that ends without its answer
// closes the connection: what the server made of it is then unknown. The only user of libpq.
// Loop thread only; the steps of connecting, which read key files, run on the disk pool.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "os/deadline.h"
#include "os/disk.h"
#include "sql/address_book.h"
#include "sql/conninfo.h"

struct pg_conn;

namespace tanist::sql {

// Errc::failed with an SQLSTATE: the server said so. unavailable: no connection, or it broke.
// timeout, cancelled: our own limit; the connection is closed.
struct SqlError {
  Errc code = Errc::failed;
  std::string message;  // one line
  std::string sqlstate;

  Error plain() const { return {code, message}; }
};
template <class T>
using SqlResult = tl::expected<T, SqlError>;

struct Notice {
  std::string severity;  // NOTICE, WARNING, ... never translated
  std::string sqlstate;
  std::string message;
};

using Value = std::optional<std::string>;  // absent = NULL

struct Rows {
  std::vector<std::string> columns;
  std::vector<std::uint32_t> types;  // of the columns: OIDs of pg_type
  std::vector<std::vector<Value>> rows;
  std::vector<Notice> notices;

  // The value in `row` under `column`; absent also when there is no such row or column.
  Value at(std::size_t row, std::string_view column) const;
};

struct ConnectRequest {
  Keywords keywords;  // without passwords; `host` may be a list; no `hostaddr`
  Secret password;
  Secret sslpassword;
  // Server settings of the session; these are always added: search_path=pg_catalog,
  // client_encoding=UTF8, DateStyle=ISO (traps 79 and 131 are the callers' and ours).
  std::map<std::string, std::string> settings;
  bool replication = false;  // physical replication protocol
  // None of those settings: a person's session, where PGOPTIONS and those of the role count, or
  // PgBouncer's console.
  bool bare = false;
};

// Time for one host of a list.
inline constexpr Duration connect_time_max = seconds{3};

class Connection;
using ConnectionPtr = std::shared_ptr<Connection>;

class Connection {
 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Tries the hosts (and the addresses of their names) in order.
  static os::Awaitable<SqlResult<ConnectionPtr>> open(os::DiskPool* pool, AddressBook* addresses,
                                                      ConnectRequest request, os::Limit limit);

  // False once it broke or was closed.
  bool usable() const { return handle_ != nullptr; }
  // Also while a statement runs, which then fails at its next wait.
  void close();
  std::int64_t server_version() const { return server_version_; }  // 150002
  std::int64_t backend_pid() const { return backend_pid_; }

  // One statement with parameters $1, $2, ... in text form. One at a time.
  os::Awaitable<SqlResult<Rows>> query(std::string statement, std::vector<Value> parameters,
                                       os::Limit limit);
  // Statements separated by semicolons, in one round trip and one transaction; also the commands of
  // the replication protocol. One Rows for each statement.
  os::Awaitable<SqlResult<std::vector<Rows>>> script(std::string statements, os::Limit limit);

  // The password as the server would store it, so that clear text is never sent (trap 130).
  // `method`: md5 or scram-sha-256, as the server's password_encryption says.
  Result<Secret> hashed_password(const std::string& user, const Secret& password,
                                 const std::string& method);

 private:
  struct Handle;  // the PGconn and the notices that came on it
  explicit Connection(std::shared_ptr<Handle> handle);

  static os::Awaitable<SqlResult<std::shared_ptr<Handle>>> connect_one(os::DiskPool* pool,
                                                                       ConnectRequest request,
                                                                       os::Limit limit);
  os::Awaitable<SqlResult<std::vector<Rows>>> finish(bool sent, os::Limit limit);
  os::Awaitable<SqlResult<void>> flush(os::Limit limit);
  os::Awaitable<SqlResult<void>> receive(os::Limit limit);
  SqlError broken();
  std::optional<SqlError> after_wait(os::Ended how);

  std::shared_ptr<Handle> handle_;
  std::int64_t server_version_ = 0;
  std::int64_t backend_pid_ = 0;
  bool busy_ = false;
};

}  // namespace tanist::sql

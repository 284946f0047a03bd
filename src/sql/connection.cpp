// SPDX-License-Identifier: Apache-2.0
// libpq without its waiting: every wait is ours, on a fresh duplicate of the socket.
#include "sql/connection.h"

#include <libpq-fe.h>

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace tanist::sql {

struct Connection::Handle {
  PGconn* connection = nullptr;
  std::vector<Notice> notices;

  Handle() = default;
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { PQfinish(connection); }

  int socket() const { return PQsocket(connection); }
};

namespace {

using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

// libpq's texts span lines and end with one.
std::string one_line(const char* text) {
  std::string line = text != nullptr ? text : "";
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  for (auto at = line.find('\n'); at != std::string::npos; at = line.find('\n', at)) {
    line.replace(at, 1, "; ");
  }
  return line;
}

std::string field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? text : "";
}

extern "C" void keep_notice(void* to, const PGresult* result) {
  auto& notices = *static_cast<std::vector<Notice>*>(to);
  notices.push_back({field(result, PG_DIAG_SEVERITY_NONLOCALIZED), field(result, PG_DIAG_SQLSTATE),
                     field(result, PG_DIAG_MESSAGE_PRIMARY)});
}

Rows rows_of(const PGresult* result) {
  Rows rows;
  const int columns = PQnfields(result);
  for (int column = 0; column < columns; ++column) {
    rows.columns.emplace_back(PQfname(result, column));
    rows.types.push_back(PQftype(result, column));
  }
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& values = rows.rows.emplace_back();
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        values.emplace_back();
      } else {
        const auto length = static_cast<std::size_t>(PQgetlength(result, row, column));
        values.emplace_back(std::string(PQgetvalue(result, row, column), length));
      }
    }
  }
  return rows;
}

bool is_error(ExecStatusType status) {
  return status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY;
}

// The keywords as libpq's two parallel arrays.
struct Parameters {
  explicit Parameters(const Keywords& keywords) {
    for (const auto& [keyword, value] : keywords) {
      names.push_back(keyword.c_str());
      values.push_back(value.c_str());
    }
    names.push_back(nullptr);
    values.push_back(nullptr);
  }
  std::vector<const char*> names;
  std::vector<const char*> values;
};

Keywords complete_keywords(const ConnectRequest& request) {
  auto keywords = request.keywords;
  auto settings = request.settings;
  if (!request.bare) {
    settings.emplace("search_path", "pg_catalog");
    settings.emplace("DateStyle", "ISO");
  }
  if (!settings.empty()) keywords["options"] = format_options(settings);
  keywords["client_encoding"] = "UTF8";
  if (!request.password.empty()) keywords["password"] = request.password.reveal();
  if (!request.sslpassword.empty()) keywords["sslpassword"] = request.sslpassword.reveal();
  if (request.replication) keywords["replication"] = "true";
  drop_newer_keywords(keywords, PQlibVersion() / 10000);
  return keywords;
}

}  // namespace

Value Rows::at(std::size_t row, std::string_view column) const {
  const auto found = std::ranges::find(columns, column);
  if (row >= rows.size() || found == columns.end()) return std::nullopt;
  return rows[row][static_cast<std::size_t>(found - columns.begin())];
}

// ---- Connecting ------------------------------------------------------------------------------

Connection::Connection(std::shared_ptr<Handle> handle)
    : handle_(std::move(handle)),
      server_version_(PQserverVersion(handle_->connection)),
      backend_pid_(PQbackendPID(handle_->connection)) {
  PQsetnonblocking(handle_->connection, 1);
}

Connection::~Connection() = default;

void Connection::close() { handle_ = nullptr; }

os::Awaitable<SqlResult<std::shared_ptr<Connection::Handle>>> Connection::connect_one(
    os::DiskPool* pool, ConnectRequest request, os::Limit limit) {
  auto handle = std::make_shared<Handle>();
  auto begin = [handle, keywords = complete_keywords(request)] {
    const Parameters parameters(keywords);
    handle->connection = PQconnectStartParams(parameters.names.data(), parameters.values.data(), 0);
    PQsetNoticeReceiver(handle->connection, keep_notice, &handle->notices);
  };
  const auto begun = co_await os::on_disk(*pool, limit, std::move(begin));
  if (!begun) co_return tl::unexpected(SqlError{begun.error().code, begun.error().message, ""});
  auto state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED || PQstatus(handle->connection) == CONNECTION_BAD) {
      co_return tl::unexpected(
          SqlError{Errc::unavailable, one_line(PQerrorMessage(handle->connection)), ""});
    }
    auto how = os::Ended::done;
    if (state == PGRES_POLLING_READING) {
      how = co_await os::readable(handle->socket(), limit);
    } else {
      how = co_await os::writable(handle->socket(), limit);
    }
    if (how != os::Ended::done) {
      const auto error = os::not_done(how, "connecting to the server");
      co_return tl::unexpected(SqlError{error.code, error.message, ""});
    }
    auto step = [handle] { return PQconnectPoll(handle->connection); };
    const auto next = co_await os::on_disk(*pool, limit, std::move(step));
    if (!next) co_return tl::unexpected(SqlError{next.error().code, next.error().message, ""});
    state = *next;
  }
  co_return handle;
}

os::Awaitable<SqlResult<ConnectionPtr>> Connection::open(os::DiskPool* pool, AddressBook* addresses,
                                                         ConnectRequest request, os::Limit limit) {
  SqlError last{Errc::unavailable, "there is no host to connect to", ""};
  for (const auto& [host, port] : hosts_of(request.keywords)) {
    auto one = request;
    one.keywords["host"] = host;
    one.keywords["port"] = port;
    std::vector<std::string> found{""};  // a folder with sockets needs no address
    if (!host.empty() && !host.starts_with('/') && !host.starts_with('@')) {
      auto looked_up = co_await addresses->find(host, limit);
      if (!looked_up) {
        last = {looked_up.error().code, looked_up.error().message, ""};
        continue;
      }
      found = std::move(*looked_up);
    }
    for (const auto& address : found) {
      one.keywords["hostaddr"] = address;
      auto handle = co_await connect_one(pool, one, limit.within(connect_time_max));
      if (handle) co_return ConnectionPtr(new Connection(std::move(*handle)));
      last = std::move(handle.error());
      if (limit.over()) co_return tl::unexpected(std::move(last));
    }
  }
  co_return tl::unexpected(std::move(last));
}

// ---- Statements ------------------------------------------------------------------------------

namespace {

SqlError closed_before() { return {Errc::unavailable, "the connection is closed", ""}; }

}  // namespace

SqlError Connection::broken() {
  SqlError error{Errc::unavailable, one_line(PQerrorMessage(handle_->connection)), ""};
  if (error.message.empty()) error.message = "the connection to the server broke";
  close();
  return error;
}

// After a wait: nothing, or why the statement is over.
std::optional<SqlError> Connection::after_wait(os::Ended how) {
  if (!usable()) return closed_before();  // by its owner, meanwhile
  if (how != os::Ended::done) {
    close();
    const auto error = os::not_done(how, "waiting for the server's answer");
    return SqlError{error.code, error.message, ""};
  }
  if (PQconsumeInput(handle_->connection) == 0) return broken();
  return std::nullopt;
}

os::Awaitable<SqlResult<void>> Connection::flush(os::Limit limit) {
  for (;;) {
    const int left = PQflush(handle_->connection);
    if (left < 0) co_return tl::unexpected(broken());
    if (left == 0) co_return SqlResult<void>{};
    const auto how = co_await os::writable(handle_->socket(), limit);
    if (auto error = after_wait(how)) co_return tl::unexpected(std::move(*error));
  }
}

// Reads until PQgetResult would not wait.
os::Awaitable<SqlResult<void>> Connection::receive(os::Limit limit) {
  while (PQisBusy(handle_->connection) != 0) {
    const auto how = co_await os::readable(handle_->socket(), limit);
    if (auto error = after_wait(how)) co_return tl::unexpected(std::move(*error));
  }
  co_return SqlResult<void>{};
}

os::Awaitable<SqlResult<std::vector<Rows>>> Connection::finish(bool sent, os::Limit limit) {
  if (!sent) co_return tl::unexpected(broken());
  auto flushed = co_await flush(limit);
  if (!flushed) co_return tl::unexpected(std::move(flushed.error()));
  std::vector<Rows> all;
  std::optional<SqlError> error;
  for (;;) {
    auto received = co_await receive(limit);
    if (!received) {  // what the server said before it hung up tells more
      co_return tl::unexpected(error ? std::move(*error) : std::move(received.error()));
    }
    const ResultPtr result(PQgetResult(handle_->connection), &PQclear);
    if (!result) break;
    const auto status = PQresultStatus(result.get());
    if (status == PGRES_COPY_BOTH || status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
      close();
      co_return tl::unexpected(SqlError{Errc::invalid, "the server began to copy data", ""});
    }
    if (!is_error(status)) {
      all.push_back(rows_of(result.get()));
      all.back().notices = std::exchange(handle_->notices, {});
    } else if (!error) {
      error = SqlError{Errc::failed, one_line(PQresultErrorMessage(result.get())),
                       field(result.get(), PG_DIAG_SQLSTATE)};
      if (error->sqlstate.empty()) error->code = Errc::unavailable;
    }
  }
  if (PQstatus(handle_->connection) != CONNECTION_OK) close();
  if (error) co_return tl::unexpected(std::move(*error));
  co_return all;
}

namespace {

// Marks the connection as busy; two statements at once would mix their answers.
class Turn {
 public:
  explicit Turn(bool& busy) : busy_(busy) {
    TANIST_REQUIRE(!busy_);
    busy_ = true;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { busy_ = false; }

 private:
  bool& busy_;
};

}  // namespace

os::Awaitable<SqlResult<Rows>> Connection::query(std::string statement,
                                                 std::vector<Value> parameters, os::Limit limit) {
  if (!usable()) co_return tl::unexpected(closed_before());
  const Turn turn(busy_);
  std::vector<const char*> values;
  for (const auto& value : parameters) values.push_back(value ? value->c_str() : nullptr);
  const bool sent =
      PQsendQueryParams(handle_->connection, statement.c_str(), static_cast<int>(values.size()),
                        nullptr, values.data(), nullptr, nullptr, 0) == 1;
  auto all = co_await finish(sent, std::move(limit));
  if (!all) co_return tl::unexpected(std::move(all.error()));
  co_return all->empty() ? Rows{} : std::move(all->front());
}

os::Awaitable<SqlResult<std::vector<Rows>>> Connection::script(std::string statements,
                                                               os::Limit limit) {
  if (!usable()) co_return tl::unexpected(closed_before());
  const Turn turn(busy_);
  const bool sent = PQsendQuery(handle_->connection, statements.c_str()) == 1;
  co_return co_await finish(sent, std::move(limit));
}

Result<Secret> Connection::hashed_password(const std::string& user, const Secret& password,
                                           const std::string& method) {
  if (!usable()) return fail(Errc::unavailable, "the connection is closed");
  char* hashed = PQencryptPasswordConn(handle_->connection, password.reveal().c_str(), user.c_str(),
                                       method.c_str());
  if (hashed == nullptr) {
    return fail(Errc::failed, "cannot hash the password of \"{}\" as {}", user, method);
  }
  Secret secret{std::string(hashed)};
  PQfreemem(hashed);
  return secret;
}

}  // namespace tanist::sql

// SPDX-License-Identifier: Apache-2.0
// Connection requests and the one idle session.
#include "postgres/sessions.h"

#include "base/format.h"
#include "postgres/recovery_settings.h"

namespace tanist::postgres {

namespace {

const Credentials operating_system_user{};

// Trap 79: no session of ours waits for a standby. Trap 131: search_path is set by sql/.
std::map<std::string, std::string> agent_settings() {
  return {{"statement_timeout", std::to_string(in_milliseconds(statement_time))},
          {"synchronous_commit", "local"},
          {"pg_stat_statements.track", "none"}};
}

}  // namespace

const Credentials& superuser_of(const ServerSettings& settings) {
  return settings.superuser ? *settings.superuser : operating_system_user;
}

const Credentials& rewind_user_of(const ServerSettings& settings) {
  return settings.rewind ? *settings.rewind : superuser_of(settings);
}

namespace {

sql::ConnectRequest request_as(const Credentials& credentials, const ServerSettings& settings) {
  sql::ConnectRequest request;
  request.keywords = credential_keywords(credentials);
  request.keywords.erase("sslpassword");
  request.password = credentials.password;
  request.sslpassword = credentials.sslpassword;
  if (!settings.krbsrvname.empty()) request.keywords["krbsrvname"] = settings.krbsrvname;
  request.settings = agent_settings();
  return request;
}

void go_to(sql::ConnectRequest& request, const std::string& host, const std::string& port) {
  request.keywords["host"] = host;
  request.keywords["port"] = port;
}

void for_replication(sql::ConnectRequest& request) {
  request.replication = true;
  request.settings.erase("pg_stat_statements.track");
}

}  // namespace

sql::ConnectRequest local_request(const ServerSettings& settings, const LocalAddress& address,
                                  std::string database) {
  auto request = request_as(superuser_of(settings), settings);
  go_to(request, address.host, std::to_string(address.port));
  request.keywords["dbname"] = std::move(database);
  request.keywords["gssencmode"] = "disable";
  request.settings["application_name"] = "Patroni heartbeat";
  return request;
}

sql::ConnectRequest local_replication_request(const ServerSettings& settings,
                                              const LocalAddress& address) {
  auto request = request_as(settings.replication, settings);
  go_to(request, address.replication_host, std::to_string(address.port));
  request.keywords["gssencmode"] = "disable";
  for_replication(request);
  return request;
}

sql::ConnectRequest upstream_request(const ServerSettings& settings, const Upstream& upstream) {
  auto request = request_as(rewind_user_of(settings), settings);
  go_to(request, upstream.host, upstream.port);
  request.keywords["dbname"] = database_of(settings, upstream);
  request.keywords["target_session_attrs"] = "read-write";
  return request;
}

sql::ConnectRequest upstream_replication_request(const ServerSettings& settings,
                                                 const Upstream& upstream) {
  auto request = request_as(settings.replication, settings);
  go_to(request, upstream.host, upstream.port);
  request.keywords["target_session_attrs"] = "read-write";
  for_replication(request);
  return request;
}

std::string upstream_conninfo(const ServerSettings& settings, const Credentials& credentials,
                              const Upstream& upstream) {
  auto keywords = credential_keywords(credentials);
  keywords.erase("sslpassword");
  keywords["host"] = upstream.host;
  keywords["port"] = upstream.port;
  keywords["dbname"] = database_of(settings, upstream);
  return sql::format_conninfo(keywords);
}

// ---- Sessions on the own server --------------------------------------------------------------

HeldSession::~HeldSession() {
  if (!connection_ || !connection_->usable()) return;
  if (server_->generation == generation_ && server_->runs()) server_->idle_session = connection_;
}

os::Awaitable<sql::SqlResult<sql::ConnectionPtr>> connect(Job job, sql::ConnectRequest request) {
  const auto limit = job.within(query_time_max);
  co_return co_await sql::Connection::open(job.server->disk, &job.server->addresses,
                                           std::move(request), limit);
}

namespace {

LocalAddress address_of(const Job& job) {
  return job.server->address ? *job.server->address : local_address(*job.settings);
}

os::Awaitable<sql::SqlResult<HeldSession>> new_session(Job job) {
  const auto generation = job.server->generation;
  auto request = local_request(*job.settings, address_of(job), job.settings->database);
  auto opened = co_await connect(job, std::move(request));
  if (!opened) co_return tl::unexpected(std::move(opened.error()));
  co_return HeldSession(job.server, generation, std::move(*opened));
}

}  // namespace

os::Awaitable<sql::SqlResult<HeldSession>> hold_session(Job job) {
  auto idle = std::exchange(job.server->idle_session, nullptr);
  if (idle && idle->usable()) {
    co_return HeldSession(job.server, job.server->generation, std::move(idle));
  }
  co_return co_await new_session(job);
}

os::Awaitable<sql::SqlResult<sql::Rows>> query_local(Job job, std::string statement,
                                                     std::vector<sql::Value> parameters) {
  const bool was_idle = job.server->idle_session != nullptr;
  for (int attempt = 0;; ++attempt) {
    auto session = co_await hold_session(job);
    if (!session) co_return tl::unexpected(std::move(session.error()));
    const auto limit = job.within(query_time_max);
    auto rows = co_await (*session)->query(statement, parameters, limit);
    const bool worth_another = !rows && rows.error().code == Errc::unavailable && was_idle;
    if (!worth_another || attempt > 0) co_return rows;
  }
}

os::Awaitable<sql::SqlResult<std::vector<sql::Rows>>> script_local(
    Job job, std::function<std::string(std::int64_t server_version)> statements) {
  const bool was_idle = job.server->idle_session != nullptr;
  for (int attempt = 0;; ++attempt) {
    auto session = co_await hold_session(job);
    if (!session) co_return tl::unexpected(std::move(session.error()));
    const auto limit = job.within(query_time_max);
    auto text = statements((*session)->server_version());
    auto rows = co_await (*session)->script(std::move(text), limit);
    const bool worth_another = !rows && rows.error().code == Errc::unavailable && was_idle;
    if (!worth_another || attempt > 0) co_return rows;
  }
}

os::Awaitable<sql::SqlResult<sql::ConnectionPtr>> patient_session(Job job, std::string database) {
  auto request = local_request(*job.settings, address_of(job), std::move(database));
  request.settings["statement_timeout"] = "0";
  co_return co_await connect(job, std::move(request));
}

// ---- Readiness -------------------------------------------------------------------------------

namespace {

Readiness readiness_of(sql::Answer answer) {
  switch (answer) {
    case sql::Answer::accepting: return Readiness::accepting;
    case sql::Answer::rejecting: return Readiness::rejecting;
    case sql::Answer::none: return Readiness::no_answer;
    case sql::Answer::unknown: break;
  }
  return Readiness::unknown;
}

}  // namespace

os::Awaitable<Readiness> ask_readiness(Job job, Duration time_max) {
  const auto limit = job.within(time_max);
  const auto address = address_of(job);
  auto host = address.host.empty() ? address.socket_folder : address.host;
  if (host.empty()) host = "/var/run/postgresql";
  std::vector<std::string> found{host};
  if (!host.starts_with('/')) {
    auto looked_up = co_await job.server->addresses.find(host, limit);
    if (!looked_up) co_return Readiness::unknown;
    found = std::move(*looked_up);
  }
  auto user = superuser_of(*job.settings).username;
  auto answer = sql::Answer::none;
  for (const auto& each : found) {
    sql::ProbeTarget target{each, address.port, user.empty() ? "postgres" : user,
                            job.settings->database};
    answer = co_await sql::probe(std::move(target), limit);
    if (answer != sql::Answer::none) break;
  }
  co_return readiness_of(answer);
}

}  // namespace tanist::postgres

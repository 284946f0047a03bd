// SPDX-License-Identifier: Apache-2.0
// Roles, post_bootstrap, and the end of a custom bootstrap.
#include "postgres/finish_bootstrap.h"

#include "base/format.h"
#include "base/log.h"
#include "os/file.h"
#include "postgres/config_files.h"
#include "postgres/data_directory.h"
#include "postgres/parameters.h"
#include "postgres/programs.h"
#include "postgres/reload.h"
#include "postgres/role_statements.h"
#include "postgres/sessions.h"
#include "postgres/start.h"
#include "postgres/stop.h"
#include "postgres/tool_options.h"
#include "postgres/tool_passwords.h"

namespace tanist::postgres {

namespace {

constexpr Duration role_time_max = seconds{60};

struct WantedRole {
  Credentials credentials;
  std::string_view attributes;
};

os::Awaitable<Result<Secret>> hash_for_server(Job job, sql::ConnectionPtr session,
                                              Credentials user) {
  if (user.password.empty() || is_hashed(user.password)) co_return user.password;
  const auto limit = job.within(role_time_max);
  auto method = co_await session->query("SHOW password_encryption", {}, limit);
  if (!method) co_return tl::unexpected(method.error().plain());
  const auto name = method->rows.empty() ? std::string() : method->rows[0][0].value_or("");
  co_return session->hashed_password(user.username, user.password, name);
}

os::Awaitable<Result<void>> make_role(Job job, sql::ConnectionPtr session, WantedRole wanted) {
  const auto limit = job.within(role_time_max);
  const auto& name = wanted.credentials.username;
  auto hashed = co_await hash_for_server(job, session, wanted.credentials);
  if (!hashed) co_return pass_on(hashed.error());
  std::vector<sql::Value> which{name};
  auto present = co_await session->query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1",
                                         std::move(which), limit);
  if (!present) co_return tl::unexpected(present.error().plain());
  const auto statement = role_statement(!present->rows.empty(), name, wanted.attributes, *hashed);
  auto made = co_await session->query(statement.reveal(), {}, limit);
  if (!made) co_return pass_on(made.error().plain(), "cannot create role \"{}\"", name);
  co_return Result<void>{};
}

os::Awaitable<Result<void>> make_roles(Job job, sql::ConnectionPtr session,
                                       std::vector<WantedRole> roles) {
  for (const auto& role : roles) {
    if (role.credentials.username.empty()) continue;
    auto made = co_await make_role(job, session, role);
    if (!made) co_return made;
  }
  co_return Result<void>{};
}

os::Awaitable<Result<void>> grant_rewind(Job job, sql::ConnectionPtr session, std::string role) {
  const auto limit = job.within(role_time_max);
  for (const auto& statement : rewind_grants(role)) {
    auto granted = co_await session->query(statement, {}, limit);
    if (!granted) co_return pass_on(granted.error().plain(), "cannot grant to role \"{}\"", role);
  }
  co_return Result<void>{};
}

os::Awaitable<Result<sql::ConnectionPtr>> silent_session(Job job) {
  auto opened = co_await patient_session(job, job.settings->database);
  if (!opened) co_return tl::unexpected(opened.error().plain());
  const auto limit = job.within(role_time_max);
  auto silenced = co_await (*opened)->script(std::string(silence_session), limit);
  if (!silenced) co_return tl::unexpected(silenced.error().plain());
  co_return std::move(*opened);
}

// ---- The user's script -----------------------------------------------------------------------

Upstream ourselves(const Job& job) {
  const auto address = job.server->address.value_or(local_address(*job.settings));
  Upstream self;
  self.host = address.host;
  self.port = std::to_string(address.port);
  return self;
}

os::Awaitable<Result<void>> run_post_bootstrap(Job job) {
  const auto& settings = *job.settings;
  auto words = split_command(settings.post_bootstrap);
  if (!words) co_return pass_on(words.error(), "bootstrap.post_bootstrap");
  const auto& superuser = superuser_of(settings);
  const auto self = ourselves(job);
  words->push_back(upstream_conninfo(settings, superuser, self));
  Environment environment{"PGOPTIONS=-c synchronous_commit=local -c statement_timeout=0"};
  const auto passwords = co_await password_environment(job, superuser, self);
  if (!passwords) co_return pass_on(passwords.error());
  environment.insert(environment.end(), passwords->begin(), passwords->end());
  const auto script = words->front();
  const auto end = co_await run_command(job, std::move(*words), std::move(environment));
  if (!end) co_return pass_on(end.error(), "post_init script {}", script);
  if (!end->succeeded()) {
    log_error("{}", failure_of(script, *end).message);
    co_return fail(Errc::failed, "post_init script {} returned non-zero code: {}", script,
                   os::describe_status(end->status));
  }
  co_return Result<void>{};
}

os::Awaitable<Result<void>> make_everything(Job job) {
  const auto& settings = *job.settings;
  auto session = co_await silent_session(job);
  if (!session) co_return pass_on(session.error());
  const auto& superuser = superuser_of(settings);
  if (!superuser.username.empty() && !superuser.password.empty()) {
    std::vector<WantedRole> first{{superuser, "SUPERUSER"}};
    auto made = co_await make_roles(job, *session, std::move(first));
    if (!made) co_return made;
  }
  if (!settings.post_bootstrap.empty()) {
    auto ran = co_await run_post_bootstrap(job);
    if (!ran) co_return ran;
  }
  std::vector<WantedRole> roles{{settings.replication, "REPLICATION"}};
  const bool own_rewind_user = settings.rewind && !(*settings.rewind == superuser);
  if (own_rewind_user) roles.push_back({*settings.rewind, ""});
  auto made = co_await make_roles(job, *session, std::move(roles));
  if (!made || !own_rewind_user) co_return made;
  co_return co_await grant_rewind(job, *session, settings.rewind->username);
}

// ---- The end of a custom bootstrap -----------------------------------------------------------

// The method's own pg_hba.conf comes back where none is configured, and recovery's traces go.
Result<void> restore_after_bootstrap(const Paths& paths, const ServerSettings& settings) {
  const auto original = os::read_file(paths.backup_of(paths.hba));
  if (settings.pg_hba.empty() && original) {
    const auto mode = file_mode_for(paths.hba, paths.data);
    if (auto done = os::replace_file(paths.hba, *original, mode); !done) return done;
  }
  return set_standby_signal(paths.data, false);
}

os::Awaitable<Result<void>> leave_custom_bootstrap(Job job) {
  job.server->in_custom_bootstrap = false;
  auto restore = [paths = job.paths, settings = job.settings] {
    return restore_after_bootstrap(paths, *settings);
  };
  const auto restored = co_await job.on_disk(std::move(restore));
  if (!restored) co_return restored;
  ReloadServer reload;
  reload.goal.role = Role::primary;
  reload.always = true;
  const auto reloaded = co_await reload_quietly(job, reload);
  if (!reloaded.ok) co_return fail(Errc::failed, "{}", reloaded.error);
  const bool other_hba = find_value(job.settings->parameters, "hba_file") != nullptr;
  if (reloaded.pending_restart.empty() && !other_hba) co_return Result<void>{};
  StopServer stop;
  stop.run_before_stop = false;
  const auto stopped = co_await stop_server(job, stop);
  if (!stopped.ok) co_return fail(Errc::failed, "{}", stopped.error);
  StartServer start;
  start.goal = reload.goal;
  start.timeout = job.settings->pg_ctl_timeout;
  const auto started = co_await start_server(job, start);
  if (started.start == StartOutcome::ready) co_return Result<void>{};
  co_return fail(Errc::failed, "the restart after the custom bootstrap did not succeed: {}",
                 started.error);
}

}  // namespace

os::Awaitable<ServerResult> finish_bootstrap(Job job) {
  if (!job.server->runs()) co_return failed("the server is not running");
  const auto made = co_await make_everything(job);
  if (!made) co_return failed(made.error());
  if (job.server->in_custom_bootstrap) {
    const auto left = co_await leave_custom_bootstrap(job);
    if (!left) co_return failed(left.error());
  }
  co_return succeeded();
}

}  // namespace tanist::postgres

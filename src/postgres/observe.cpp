// SPDX-License-Identifier: Apache-2.0
// Facts from files, process, query and pg_control.
#include "postgres/observe.h"

#include "base/log.h"
#include "os/clock.h"
#include "postgres/control_file.h"
#include "postgres/data_directory.h"
#include "postgres/monitoring_query.h"
#include "postgres/reload.h"
#include "postgres/sessions.h"
#include "postgres/start.h"
#include "sql/replication.h"

namespace tanist::postgres {

namespace {

constexpr std::string_view query_canceled = "57014";

void take_data_facts(ServerFacts& facts, const DataFacts& data) {
  facts.data = data.kind;
  facts.data_error = data.error;
  facts.major_version = data.major_version;
  facts.standby_signal = data.standby_signal;
  facts.recovery_signal = data.recovery_signal;
  facts.backup_label = data.backup_label;
  facts.rewind_interrupted = data.rewind_interrupted;
  if (data.kind == DataDirectory::present && data.major_version == 0) {
    log_warning("PG_VERSION is missing or damaged: nothing is done until the version is known");
  }
}

// The timeline by IDENTIFY_SYSTEM of the own server; 0 when it cannot be asked.
os::Awaitable<Timeline> timeline_by_replication(Job job) {
  const auto address = job.server->address ? *job.server->address : local_address(*job.settings);
  auto opened = co_await connect(job, local_replication_request(*job.settings, address));
  if (!opened) {
    log_warning("cannot ask the server for its timeline: {}", opened.error().message);
    co_return Timeline();
  }
  const auto limit = job.within(query_time_max);
  const auto identity = co_await sql::identify_system(*opened, limit);
  co_return identity ? Timeline(identity->timeline) : Timeline();
}

void note_failed_query(ServerFacts& facts, const sql::SqlError& error) {
  facts.query_error = error.message;
  facts.query_timed_out = error.sqlstate == query_canceled || error.code == Errc::timeout;
}

os::Awaitable<Result<MonitoringAnswer>> ask(Job job, MonitoringParts parts, ServerFacts* facts) {
  std::int64_t version = 0;
  auto statements = [&version, parts](std::int64_t server_version) {
    version = server_version;
    return monitoring_query(server_version, parts);
  };
  auto rows = co_await script_local(job, statements);
  if (!rows) {
    note_failed_query(*facts, rows.error());
    co_return tl::unexpected(rows.error().plain());
  }
  auto answer = read_monitoring(version, parts, *rows);
  if (!answer) facts->query_error = answer.error().message;
  co_return answer;
}

// The query and what depends on its answer.
os::Awaitable<void> ask_server(Job job, ObserveServer wanted, ServerFacts* facts) {
  const MonitoringParts parts{.replication = wanted.replication, .slots = wanted.slots};
  auto answer = co_await ask(job, parts, facts);
  if (!answer) {
    facts->readiness = co_await ask_readiness(job, seconds{1});
    co_return;
  }
  facts->readiness = Readiness::accepting;
  facts->query = std::move(answer->facts);
  // Without a receiver the query knows none, and others compare us by position alone.
  auto& query = *facts->query;
  const bool unknown = query.in_recovery && query.received_timeline == Timeline();
  if (unknown || (wanted.local_timeline && query.in_recovery)) {
    query.received_timeline = co_await timeline_by_replication(job);
  }
  co_await save_backups_if_due(job);
  // Somebody may have changed the files behind our back (trap 118).
  auto& known = job.server->configuration_loaded_at;
  const bool first = known.empty();
  if (known != answer->configuration_loaded_at && !job.server->in_custom_bootstrap) {
    known = answer->configuration_loaded_at;
    if (!first || job.server->pending_restart.empty()) {
      co_await refresh_pending_restart(job);
    }
  }
}

}  // namespace

os::Awaitable<ServerResult> observe_server(Job job, ObserveServer wanted) {
  auto facts = std::make_shared<ServerFacts>();
  facts->observed_at = os::now();
  auto look = [data = job.paths.data] { return look_at_data(data); };
  const auto data = co_await job.on_disk(std::move(look), seconds{10});
  if (data) {
    take_data_facts(*facts, *data);
  } else {
    facts->data = DataDirectory::not_accessible;
    facts->data_error = data.error().message;
  }
  co_await look_for_postmaster(job);
  if (job.server->runs()) facts->postmaster = job.server->postmaster->identity();
  if (facts->postmaster && !job.server->is_single_user) {
    co_await ask_server(job, wanted, facts.get());
  }
  const bool can_read = facts->data == DataDirectory::present && facts->major_version != 0;
  if (can_read && (!facts->postmaster || wanted.control_data)) {
    auto control = co_await read_control(job);
    if (control) {
      facts->control = std::move(*control);
    } else {
      log_warning("{}", control.error().message);
    }
  }
  // It may have ended while it was being asked.
  if (facts->postmaster && !job.server->runs()) facts->postmaster.reset();
  facts->pending_restart = job.server->pending_restart;
  auto result = succeeded();
  result.facts = std::move(facts);
  co_return result;
}

}  // namespace tanist::postgres

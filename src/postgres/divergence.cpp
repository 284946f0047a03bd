// SPDX-License-Identifier: Apache-2.0
// The local point first, then the leader's: so that WAL which arrives meanwhile never makes the
// local one look beyond the leader's.
#include "postgres/divergence.h"

#include "base/format.h"
#include "base/log.h"
#include "postgres/control_file.h"
#include "postgres/sessions.h"
#include "postgres/start.h"
#include "postgres/timeline_history.h"
#include "postgres/wal_location.h"
#include "sql/replication.h"

namespace tanist::postgres {

namespace {

// ---- The local point -------------------------------------------------------------------------

// Timeline by IDENTIFY_SYSTEM, because the receiver's runs ahead of what is replayed (trap 62).
os::Awaitable<Result<void>> ask_local_server(Job job, DivergenceFacts* facts) {
  auto rows = co_await query_local(
      job,
      "SELECT pg_catalog.pg_is_in_recovery() AS recovery, CASE WHEN "
      "pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() END AS replayed",
      {});
  if (!rows) co_return tl::unexpected(rows.error().plain());
  if (rows->at(0, "recovery") != "t") {
    co_return fail(Errc::refused, "the local server is not in recovery");
  }
  const auto replayed = parse_lsn(rows->at(0, "replayed").value_or(""));
  if (!replayed) co_return pass_on(replayed.error(), "the replayed position");
  const auto address = job.server->address.value_or(local_address(*job.settings));
  auto opened = co_await connect(job, local_replication_request(*job.settings, address));
  if (!opened) co_return tl::unexpected(opened.error().plain());
  const auto limit = job.within(query_time_max);
  const auto identity = co_await sql::identify_system(*opened, limit);
  if (!identity) co_return tl::unexpected(identity.error().plain());
  facts->local_is_standby = true;
  facts->local_timeline = Timeline(identity->timeline);
  facts->local_lsn = *replayed;
  co_return Result<void>{};
}

os::Awaitable<Result<void>> read_local_control(Job job, DivergenceFacts* facts) {
  const auto control = co_await read_control(job);
  if (!control) co_return pass_on(control.error());
  const auto state = control->state;
  const bool standby =
      state == ControlState::shut_down_in_recovery || state == ControlState::in_archive_recovery;
  if (!standby && state != ControlState::shut_down) {
    co_return fail(Errc::refused, "pg_control says \"{}\": the local position is not known",
                   name_of(state));
  }
  const bool has_minimum =
      control->min_recovery_end != Lsn() && control->min_recovery_timeline != Timeline();
  facts->local_is_standby = standby && has_minimum;
  if (facts->local_is_standby) {
    facts->local_timeline = control->min_recovery_timeline;
    facts->local_lsn = control->min_recovery_end;
    co_return Result<void>{};
  }
  facts->local_timeline = control->checkpoint_timeline;
  facts->local_lsn = control->checkpoint;
  facts->checkpoint_end = co_await end_of_checkpoint(job, *control);
  co_return Result<void>{};
}

// A server that accepts connections knows more than its files do.
os::Awaitable<Result<void>> find_local_point(Job job, DivergenceFacts* facts) {
  co_await look_for_postmaster(job);
  if (job.server->runs() && !job.server->is_single_user) {
    auto asked = co_await ask_local_server(job, facts);
    if (asked) co_return asked;
    const auto readiness = co_await ask_readiness(job, seconds{1});
    if (readiness == Readiness::accepting) co_return asked;
  }
  co_return co_await read_local_control(job, facts);
}

// ---- The leader's point ----------------------------------------------------------------------

os::Awaitable<Result<void>> ask_leader(Job job, Upstream leader, DivergenceFacts* facts) {
  auto opened = co_await connect(job, upstream_request(*job.settings, leader));
  if (!opened) co_return tl::unexpected(opened.error().plain());
  const auto limit = job.within(query_time_max);
  auto rows = co_await (*opened)->query(
      "SELECT pg_catalog.pg_is_in_recovery() AS recovery, CASE WHEN NOT "
      "pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_current_wal_flush_lsn() END AS flushed",
      {}, limit);
  if (!rows) co_return tl::unexpected(rows.error().plain());
  facts->leader_in_recovery = rows->at(0, "recovery") != "f";
  if (facts->leader_in_recovery) co_return Result<void>{};
  const auto flushed = parse_lsn(rows->at(0, "flushed").value_or(""));
  if (!flushed) co_return pass_on(flushed.error(), "its position");
  facts->leader_lsn = *flushed;
  co_return Result<void>{};
}

os::Awaitable<Result<void>> ask_leader_for_history(Job job, Upstream leader,
                                                   DivergenceFacts* facts) {
  auto opened = co_await connect(job, upstream_replication_request(*job.settings, leader));
  if (!opened) co_return tl::unexpected(opened.error().plain());
  const auto limit = job.within(query_time_max);
  const auto identity = co_await sql::identify_system(*opened, limit);
  if (!identity) co_return tl::unexpected(identity.error().plain());
  facts->leader_system_id = SystemId(identity->system_id);
  facts->leader_timeline = Timeline(identity->timeline);
  if (facts->local_timeline >= facts->leader_timeline) co_return Result<void>{};
  const auto content = co_await sql::timeline_history(*opened, identity->timeline, limit);
  if (!content) co_return tl::unexpected(content.error().plain());
  facts->leader_history = parse_history(*content);
  co_return Result<void>{};
}

// The same connection string may lead somewhere else than it should (trap 63).
os::Awaitable<Result<void>> compare_system_id(Job job, SystemId of_leader) {
  const auto control = co_await read_control(job);
  if (!control) co_return pass_on(control.error());
  if (control->system_id == of_leader) co_return Result<void>{};
  co_return fail(Errc::refused, "it has the system identifier {}, this node {}", of_leader.value(),
                 control->system_id.value());
}

os::Awaitable<Result<void>> find_leader_point(Job job, Upstream leader, DivergenceFacts* facts) {
  const auto asked = co_await ask_leader(job, leader, facts);
  if (!asked) co_return pass_on(asked.error());
  facts->leader_known = true;
  if (facts->leader_in_recovery) co_return Result<void>{};
  const auto history = co_await ask_leader_for_history(job, std::move(leader), facts);
  if (!history) co_return pass_on(history.error());
  co_return co_await compare_system_id(job, facts->leader_system_id);
}

}  // namespace

os::Awaitable<ServerResult> examine_divergence(Job job, ExamineDivergence wanted) {
  DivergenceFacts facts;
  const auto local = co_await find_local_point(job, &facts);
  facts.local_known = local.has_value();
  if (local) {
    const auto leader = co_await find_leader_point(job, wanted.leader, &facts);
    if (!leader) {
      facts.error = format_text("the leader at {}:{}: {}", wanted.leader.host, wanted.leader.port,
                                leader.error().message);
    }
  } else {
    facts.error = local.error().message;
  }
  auto result = succeeded();
  result.divergence = std::move(facts);
  co_return result;
}

}  // namespace tanist::postgres

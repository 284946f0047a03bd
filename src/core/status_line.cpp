// SPDX-License-Identifier: Apache-2.0
// The table of status lines. {0} is the Why's subject, {1} its detail. Pure; any thread.
// tidy: table
#include "core/status_line.h"

#include <charconv>

#include "base/format.h"
#include "core/local_server.h"

namespace tanist {

namespace {

struct Row {
  Reason reason;
  LineLevel level;
  std::string_view text;
};

using R = Reason;
constexpr auto info = LineLevel::info;

// Do not reword: dashboards and alerts match these (contract ha 26).
constexpr std::array rows{
    Row{R::starting_up, info, "waiting for the store"},
    Row{R::observing, info, ""},
    Row{R::leader_steady, info, "no action. I am ({0}), the leader with the lock"},
    Row{R::leader_acquired_lock, info, "acquired session lock as a leader"},
    Row{R::leader_promoting_after_race, info, "promoted self to leader by acquiring session lock"},
    Row{R::leader_promoting_with_lock, info,
        "promoted self to leader because I had the session lock"},
    Row{R::leader_promoted, info, "promoted self to leader"},
    Row{R::leader_awaits_evidence, info,
        "holding the lock; waiting for evidence that {0} is no primary any more"},
    Row{R::leader_awaits_watchdog, info, "holding the lock; waiting for the watchdog to start"},
    Row{R::released_without_watchdog, info,
        "Not promoting self because watchdog could not be activated"},
    Row{R::demoting_without_watchdog, info,
        "Demoting self because watchdog could not be activated"},
    Row{R::leader_awaits_sync_key, info,
        "Postponing promotion because synchronous replication state was updated by somebody else"},
    Row{R::leader_by_failsafe, info,
        "continue to run as a leader because failsafe mode is enabled and all members are "
        "accessible"},
    Row{R::leader_lost_lock, info, "demoted self because failed to update leader lock in DCS"},
    Row{R::leader_lost_lock_in_pause, info,
        "continue to run as primary after failing to update leader lock in DCS"},
    Row{R::leader_deadline_near, info, "demoted self because failed to update leader lock in DCS"},
    Row{R::standby_lost_lock, info, "not promoting because failed to update leader lock in DCS"},
    Row{R::lock_not_primary_in_pause, info,
        "removed leader lock because postgres is not running as primary"},
    Row{R::pre_promote_failed, info, "Promotion cancelled because the pre-promote script failed"},
    Row{R::lost_leader_before_promote, info, "lost leader before promote"},
    Row{R::lost_leader_during_action, info, "lost leader lock during {0}"},
    Row{R::awaiting_promotion_in_pause, info, "waiting to become primary after promote..."},
    Row{R::following_leader, info,
        "no action. I am ({0}), a secondary, and following a leader ({1})"},
    Row{R::following_standby_leader, info,
        "no action. I am ({0}), a secondary, and following a standby leader ({1})"},
    Row{R::following_nobody, info, "no action. I am ({0})"},
    Row{R::following_old_standby_leader, info, "continue following the old known standby leader"},
    Row{R::following_failsafe_caller, info,
        "no action. I am ({0}), a secondary, and following a leader ({1})"},
    Row{R::awaiting_failsafe_caller, info,
        "no leader race yet: failsafe mode is on and a primary without store may still call"},
    Row{R::demoting_without_lock, info,
        "demoting self because I do not have the lock and I was a leader"},
    Row{R::primary_without_lock_in_pause, info, "continue to run as primary without lock"},
    Row{R::changing_upstream, info, "changing primary_conninfo and restarting"},
    Row{R::examining_divergence, info, "comparing timelines with {0}"},
    Row{R::rewinding, info, "running pg_rewind from {0}"},
    Row{R::reinitializing_diverged, info, "reinitializing due to diverged timelines"},
    Row{R::standby_leader_steady, info, "no action. I am ({0}), the standby leader with the lock"},
    Row{R::standby_leader_after_race, info,
        "promoted self to a standby leader by acquiring session lock"},
    Row{R::standby_leader_with_lock, info,
        "promoted self to a standby leader because i had the session lock"},
    Row{R::demoting_cluster, info, "cannot be a real primary in a standby cluster"},
    Row{R::race_not_allowed, info,
        "following a different leader because I am not allowed to promote"},
    Row{R::race_not_healthiest, info,
        "following a different leader because i am not the healthiest node"},
    Row{R::race_asking_peers, info, ""},
    Row{R::race_taking_lock, info, ""},
    Row{R::race_lost, info, "following new leader after trying and failing to obtain lock"},
    Row{R::race_backoff, info,
        "My ({0}) wal position moved since last heart beat loop, {1} seconds until leader race"},
    Row{R::demoting_not_healthiest, info, "demoting self because i am not the healthiest node"},
    Row{R::demoting_not_allowed, info, "demoting self because I am not allowed to become primary"},
    Row{R::bootstrap_claiming, info, ""},
    Row{R::bootstrap_claim_lost, info, "failed to acquire initialize lock"},
    Row{R::bootstrap_started, info, "trying to bootstrap a new cluster"},
    Row{R::bootstrap_standby_started, info, "trying to bootstrap a new standby leader"},
    Row{R::bootstrap_in_progress, info, "{0} in progress"},
    Row{R::bootstrap_done, info, "initialized a new cluster"},
    Row{R::bootstrap_failed, info,
        "removing initialize key after failed attempt to bootstrap the cluster"},
    Row{R::cloning_from_leader, info, "trying to bootstrap from leader '{0}'"},
    Row{R::cloning_from_replica, info, "trying to bootstrap from replica '{0}'"},
    Row{R::cloning_without_leader, info, "trying to bootstrap (without leader)"},
    Row{R::waiting_for_leader, info, "waiting for leader to bootstrap"},
    Row{R::waiting_for_standby_leader, info, "waiting for standby_leader to bootstrap"},
    Row{R::empty_in_pause, info, "running with empty data directory"},
    Row{R::data_not_accessible, LineLevel::error, "data directory is not accessible: {1}"},
    Row{R::data_foreign, LineLevel::error,
        "the data directory of {0} is not empty and holds no PostgreSQL data (no "
        "global/pg_control); nothing was touched: empty it or correct postgresql.data_dir"},
    Row{R::data_lost_lock_released, info,
        "released leader key voluntarily as data dir empty and currently leader"},
    Row{R::data_not_accessible_lock_released, info,
        "released leader key voluntarily as data dir not accessible and currently leader"},
    Row{R::system_id_invalid, info,
        "data dir for the cluster is not empty, but system ID is invalid; consider doing "
        "reinitialize"},
    Row{R::system_id_mismatch, LineLevel::critical,
        "system ID mismatch, node {0} belongs to a different cluster: {1}"},
    Row{R::system_id_mismatch_in_pause, LineLevel::warning,
        "released leader key voluntarily due to the system ID mismatch"},
    Row{R::no_initialize_key_on_replica, LineLevel::error,
        "No initialize key in DCS and PostgreSQL is running as replica, aborting start. "
        "Please first start Patroni on the node running as primary"},
    Row{R::starting_secondary, info, "starting as a secondary"},
    Row{R::starting_primary_after_failure, info, "starting primary after failure"},
    Row{R::starting_readonly_with_lock, info,
        "starting as readonly because i had the session lock"},
    Row{R::starting_standby_leader, info,
        "starting as a standby leader because i had the session lock"},
    Row{R::starting_toward_remote, info,
        "trying to follow a remote member because standby cluster is unhealthy"},
    Row{R::recovering_single_user, info, "doing crash recovery in a single user mode"},
    Row{R::recovery_timed_out, info, "terminated crash recovery because of startup timeout"},
    Row{R::start_failed, info, "failed to start postgres"},
    Row{R::start_failed_lock_released, info,
        "removed leader key after trying and failing to start postgres"},
    Row{R::still_starting, info, "PostgreSQL is still starting up, {1} seconds until timeout"},
    Row{R::start_timed_out, info, "stopped PostgreSQL because of startup timeout"},
    Row{R::start_timed_out_no_candidate, info,
        "primary start has timed out, but continuing to wait because failover is not possible"},
    Row{R::crash_failover, info, "stopped PostgreSQL to fail over after a crash"},
    Row{R::not_running_in_pause, info, "postgres is not running"},
    Row{R::not_running_in_pause_lock_released, info,
        "removed leader lock because postgres is not running"},
    Row{R::store_unreachable, info, "DCS is not accessible"},
    Row{R::demoting_store_unreachable, info,
        "demoted self because DCS is not accessible and I was a leader"},
    Row{R::switchover_demoting, info, "{0}: demoting myself"},
    Row{R::switchover_aborted, LineLevel::warning, "{0} is given up: {1}"},
    Row{R::scheduled_restart_refused, info, "Scheduled restart: {1}"},
    Row{R::action_in_progress, info, "{0} in progress"},
    Row{R::action_in_progress_with_lock, info, "updated leader lock during {0}"},
    Row{R::name_clash, LineLevel::critical,
        "Can't start; there is already a node named '{0}' running (it answers at {1})"},
    Row{R::shutting_down, info, "shutting down"},
    Row{R::shut_down, info, ""},
    Row{R::shut_down_in_pause, info, ""},
};

const Row* row_of(Reason reason) {
  const auto at = std::ranges::find(rows, reason, &Row::reason);
  return at == rows.end() ? nullptr : &*at;
}

// What an interrupted rewind or a failed start adds for the operator.
std::string with_detail(const Why& why, std::string text) {
  const bool appended = why.reason == R::start_failed && !why.detail.empty();
  return appended ? text + ": " + why.detail : text;
}

// 0 for a text that begins with no number.
int major_of(std::string_view version) {
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

// Patroni before 4.0 reads `quorum` as off: it would promote itself without a vote (safety 6).
std::optional<LogLine> danger_of_neighbours(const Observation& obs) {
  if (obs.cluster->synchronous_mode != SynchronousMode::quorum || !obs.store.view) return {};
  for (const auto& [name, member] : obs.view().members) {
    if (member.is_tanist() || member.version.empty() || major_of(member.version) >= 4) continue;
    return LogLine{LineLevel::critical,
                   format_text("member {} runs Patroni {}, which does not know synchronous_mode "
                               "quorum and may lose acknowledged writes. Remedy: set another mode, "
                               "or upgrade it to 4.0",
                               name.value(), member.version)};
  }
  return {};
}

}  // namespace

StatusLine status_line(const Why& why, const Observation& obs) {
  const auto* row = row_of(why.reason);
  if (row == nullptr || row->text.empty()) return {};
  auto text = fmt::format(fmt::runtime(row->text), why.subject, why.detail);
  text = with_detail(why, std::move(text));
  if (paused(obs)) text = "PAUSE: " + text;
  StatusLine line{row->level, std::move(text), {}};
  if (why.reason == R::store_unreachable) {
    line.before.push_back({LineLevel::error, "Error communicating with DCS"});
  }
  if (auto danger = danger_of_neighbours(obs)) line.before.push_back(std::move(*danger));
  return line;
}

}  // namespace tanist

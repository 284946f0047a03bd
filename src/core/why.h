// SPDX-License-Identifier: Apache-2.0
// Why a decision is what it is: one enumerator and its arguments. The status line that operators
// know (contract ha), the metric's label and a test's expectation are all made from it
// (core/status_line). Values only; any thread. (tidy: table)
#pragma once

#include <string>

#include "core/types.h"

namespace tanist {

// Do not rename: journals and metrics carry these names.
enum class Reason {
  // Before anything is known.
  starting_up,
  observing,
  // The lock and the running server.
  leader_steady,
  leader_acquired_lock,
  leader_promoting_after_race,
  leader_promoting_with_lock,
  leader_promoted,
  leader_awaits_evidence,
  leader_awaits_watchdog,     // required, and about to run
  released_without_watchdog,  // required, and unusable: before a promotion
  demoting_without_watchdog,  // the same of a primary
  leader_awaits_sync_key,
  leader_by_failsafe,
  leader_lost_lock,
  leader_lost_lock_in_pause,
  leader_deadline_near,
  standby_lost_lock,
  lock_not_primary_in_pause,
  pre_promote_failed,
  lost_leader_before_promote,
  lost_leader_during_action,
  awaiting_promotion_in_pause,
  // Following.
  following_leader,
  following_standby_leader,
  following_nobody,
  following_old_standby_leader,
  following_failsafe_caller,
  awaiting_failsafe_caller,
  demoting_without_lock,
  primary_without_lock_in_pause,
  changing_upstream,
  examining_divergence,
  rewinding,
  reinitializing_diverged,
  standby_leader_steady,
  standby_leader_after_race,
  standby_leader_with_lock,
  demoting_cluster,
  // Race.
  race_not_allowed,
  race_not_healthiest,
  race_asking_peers,
  race_taking_lock,
  race_lost,
  race_backoff,
  demoting_not_healthiest,
  demoting_not_allowed,
  // Empty node and bootstrap.
  bootstrap_claiming,
  bootstrap_claim_lost,
  bootstrap_started,
  bootstrap_standby_started,
  bootstrap_in_progress,
  bootstrap_done,
  bootstrap_failed,
  cloning_from_leader,
  cloning_from_replica,
  cloning_without_leader,
  waiting_for_leader,
  waiting_for_standby_leader,
  empty_in_pause,
  data_not_accessible,
  data_foreign,
  data_lost_lock_released,
  data_not_accessible_lock_released,
  // System identifier.
  system_id_invalid,
  system_id_mismatch,
  system_id_mismatch_in_pause,
  no_initialize_key_on_replica,
  // Dead or starting server.
  starting_secondary,
  starting_primary_after_failure,
  starting_readonly_with_lock,
  starting_standby_leader,
  starting_toward_remote,
  recovering_single_user,
  recovery_timed_out,
  start_failed,
  start_failed_lock_released,
  still_starting,
  start_timed_out,
  start_timed_out_no_candidate,
  crash_failover,
  not_running_in_pause,
  not_running_in_pause_lock_released,
  // Store.
  store_unreachable,
  demoting_store_unreachable,
  // Requests.
  switchover_demoting,
  switchover_aborted,
  scheduled_restart_refused,
  action_in_progress,
  action_in_progress_with_lock,
  // The end.
  name_clash,
  shutting_down,
  shut_down,
  shut_down_in_pause,
};

constexpr auto names_of(Reason) {
  using R = Reason;
  using N = EnumName<R>;
  return std::array{
      N{R::starting_up, "starting_up"},
      N{R::observing, "observing"},
      N{R::leader_steady, "leader_steady"},
      N{R::leader_acquired_lock, "leader_acquired_lock"},
      N{R::leader_promoting_after_race, "leader_promoting_after_race"},
      N{R::leader_promoting_with_lock, "leader_promoting_with_lock"},
      N{R::leader_promoted, "leader_promoted"},
      N{R::leader_awaits_evidence, "leader_awaits_evidence"},
      N{R::leader_awaits_watchdog, "leader_awaits_watchdog"},
      N{R::released_without_watchdog, "released_without_watchdog"},
      N{R::demoting_without_watchdog, "demoting_without_watchdog"},
      N{R::leader_awaits_sync_key, "leader_awaits_sync_key"},
      N{R::leader_by_failsafe, "leader_by_failsafe"},
      N{R::leader_lost_lock, "leader_lost_lock"},
      N{R::leader_lost_lock_in_pause, "leader_lost_lock_in_pause"},
      N{R::leader_deadline_near, "leader_deadline_near"},
      N{R::standby_lost_lock, "standby_lost_lock"},
      N{R::lock_not_primary_in_pause, "lock_not_primary_in_pause"},
      N{R::pre_promote_failed, "pre_promote_failed"},
      N{R::lost_leader_before_promote, "lost_leader_before_promote"},
      N{R::lost_leader_during_action, "lost_leader_during_action"},
      N{R::awaiting_promotion_in_pause, "awaiting_promotion_in_pause"},
      N{R::following_leader, "following_leader"},
      N{R::following_standby_leader, "following_standby_leader"},
      N{R::following_nobody, "following_nobody"},
      N{R::following_old_standby_leader, "following_old_standby_leader"},
      N{R::following_failsafe_caller, "following_failsafe_caller"},
      N{R::awaiting_failsafe_caller, "awaiting_failsafe_caller"},
      N{R::demoting_without_lock, "demoting_without_lock"},
      N{R::primary_without_lock_in_pause, "primary_without_lock_in_pause"},
      N{R::changing_upstream, "changing_upstream"},
      N{R::examining_divergence, "examining_divergence"},
      N{R::rewinding, "rewinding"},
      N{R::reinitializing_diverged, "reinitializing_diverged"},
      N{R::standby_leader_steady, "standby_leader_steady"},
      N{R::standby_leader_after_race, "standby_leader_after_race"},
      N{R::standby_leader_with_lock, "standby_leader_with_lock"},
      N{R::demoting_cluster, "demoting_cluster"},
      N{R::race_not_allowed, "race_not_allowed"},
      N{R::race_not_healthiest, "race_not_healthiest"},
      N{R::race_asking_peers, "race_asking_peers"},
      N{R::race_taking_lock, "race_taking_lock"},
      N{R::race_lost, "race_lost"},
      N{R::race_backoff, "race_backoff"},
      N{R::demoting_not_healthiest, "demoting_not_healthiest"},
      N{R::demoting_not_allowed, "demoting_not_allowed"},
      N{R::bootstrap_claiming, "bootstrap_claiming"},
      N{R::bootstrap_claim_lost, "bootstrap_claim_lost"},
      N{R::bootstrap_started, "bootstrap_started"},
      N{R::bootstrap_standby_started, "bootstrap_standby_started"},
      N{R::bootstrap_in_progress, "bootstrap_in_progress"},
      N{R::bootstrap_done, "bootstrap_done"},
      N{R::bootstrap_failed, "bootstrap_failed"},
      N{R::cloning_from_leader, "cloning_from_leader"},
      N{R::cloning_from_replica, "cloning_from_replica"},
      N{R::cloning_without_leader, "cloning_without_leader"},
      N{R::waiting_for_leader, "waiting_for_leader"},
      N{R::waiting_for_standby_leader, "waiting_for_standby_leader"},
      N{R::empty_in_pause, "empty_in_pause"},
      N{R::data_not_accessible, "data_not_accessible"},
      N{R::data_foreign, "data_foreign"},
      N{R::data_lost_lock_released, "data_lost_lock_released"},
      N{R::data_not_accessible_lock_released, "data_not_accessible_lock_released"},
      N{R::system_id_invalid, "system_id_invalid"},
      N{R::system_id_mismatch, "system_id_mismatch"},
      N{R::system_id_mismatch_in_pause, "system_id_mismatch_in_pause"},
      N{R::no_initialize_key_on_replica, "no_initialize_key_on_replica"},
      N{R::starting_secondary, "starting_secondary"},
      N{R::starting_primary_after_failure, "starting_primary_after_failure"},
      N{R::starting_readonly_with_lock, "starting_readonly_with_lock"},
      N{R::starting_standby_leader, "starting_standby_leader"},
      N{R::starting_toward_remote, "starting_toward_remote"},
      N{R::recovering_single_user, "recovering_single_user"},
      N{R::recovery_timed_out, "recovery_timed_out"},
      N{R::start_failed, "start_failed"},
      N{R::start_failed_lock_released, "start_failed_lock_released"},
      N{R::still_starting, "still_starting"},
      N{R::start_timed_out, "start_timed_out"},
      N{R::start_timed_out_no_candidate, "start_timed_out_no_candidate"},
      N{R::crash_failover, "crash_failover"},
      N{R::not_running_in_pause, "not_running_in_pause"},
      N{R::not_running_in_pause_lock_released, "not_running_in_pause_lock_released"},
      N{R::store_unreachable, "store_unreachable"},
      N{R::demoting_store_unreachable, "demoting_store_unreachable"},
      N{R::switchover_demoting, "switchover_demoting"},
      N{R::switchover_aborted, "switchover_aborted"},
      N{R::scheduled_restart_refused, "scheduled_restart_refused"},
      N{R::action_in_progress, "action_in_progress"},
      N{R::action_in_progress_with_lock, "action_in_progress_with_lock"},
      N{R::name_clash, "name_clash"},
      N{R::shutting_down, "shutting_down"},
      N{R::shut_down, "shut_down"},
      N{R::shut_down_in_pause, "shut_down_in_pause"},
  };
}

struct Why {
  Reason reason = Reason::starting_up;
  std::string subject;  // a member's name, an action's name: what the line speaks of
  std::string detail;   // the rest of it: an error, a number

  static constexpr auto fields() {
    return std::tuple{field("reason", &Why::reason), field("subject", &Why::subject),
                      field("detail", &Why::detail)};
  }
  friend bool operator==(const Why&, const Why&) = default;
};
static_assert(lists_all_fields<Why>);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Dead and starting servers. Pure; any thread.
#include "core/recovery.h"

#include "core/callbacks.h"
#include "core/candidates.h"
#include "core/divergence.h"
#include "core/failover_request.h"
#include "core/job_progress.h"
#include "core/local_server.h"
#include "core/promotion_evidence.h"
#include "core/published_values.h"
#include "core/start_job.h"

namespace tanist {

namespace {

ControlState control_state(const Observation& obs) {
  return obs.local.server.control ? obs.local.server.control->state : ControlState::unknown;
}

bool is_one_of(ControlState state, std::initializer_list<ControlState> states) {
  return std::ranges::find(states, state) != states.end();
}

void give_lock_away(Draft& draft) {
  Memory demoted = draft.next;
  demoted.role = Role::demoted;
  draft.next.role = Role::demoted;
  if (earlier_leader_may_write(draft)) return;
  draft.start(Task::release_lock,
              ReleaseLock{.reign = *draft.obs.lock.reign,
                          .status = std::nullopt,
                          .member = text_form(member_value(draft.obs, demoted))},
              Duration(draft.obs.timing.retry_timeout));
}

// What we stopped ourselves, to rewind it after a switchover, is brought up again (contract ha
// 9.1); what somebody else stopped is not (trap 96).
bool rests_in_pause(const Draft& draft) {
  return paused(draft.obs) && (draft.obs.holds_lock() || !draft.next.stopped_for_rewind);
}

Why rest_in_pause(Draft& draft) {
  draft.next.state = ServerState::stopped;
  if (!draft.obs.holds_lock()) return because(Reason::not_running_in_pause);
  give_lock_away(draft);
  return because(Reason::not_running_in_pause_lock_released);
}

// One attempt per loop (trap 47): whatever keeps a server from starting seldom ends by itself.
std::optional<Why> await_next_attempt(Draft& draft) {
  const auto& failed_at = draft.next.last_start_failed_at;
  if (!failed_at) return std::nullopt;
  const auto again = *failed_at + Duration(draft.obs.timing.loop_wait);
  if (draft.obs.now >= again) return std::nullopt;
  draft.wake(again);
  return because(Reason::start_failed);
}

// Row 10 of the cycle: the last attempt to start failed.
std::optional<Why> after_failed_start(Draft& draft) {
  if (!draft.next.recovering) return std::nullopt;
  const bool rewind_pending =
      draft.next.rewind == RewindState::check || draft.next.rewind == RewindState::need;
  if (rewind_pending) {
    draft.next.recovering = false;
    return std::nullopt;
  }
  if (draft.obs.holds_lock()) {
    draft.next.recovering = false;
    const auto role = draft.next.role;
    give_lock_away(draft);
    // Whoever moves addresses by callbacks must not leave one here (trap 31).
    const bool led = role == Role::primary || role == Role::standby_leader;
    if (led) fire_callback(draft, "on_role_change");
    return because(Reason::start_failed_lock_released);
  }
  if (auto why = await_next_attempt(draft)) return why;
  draft.next.recovering = false;
  return std::nullopt;
}

bool may_fail_over_at_once(Draft& draft, bool* asking) {
  const CandidateSearch search;
  auto round = draft.next.last_round;
  const auto good = good_candidates(draft, round, search);
  *asking = !good.has_value();
  return good && failover_possible(draft, *good, search);
}

// Row 1: primary_start_timeout = 0 asks for failover instead of recovery.
std::optional<Why> fail_over_after_crash(Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.holds_lock() || obs.cluster->primary_start_timeout != seconds(0)) return std::nullopt;
  bool asking = false;
  const bool possible = may_fail_over_at_once(draft, &asking);
  if (asking) return because(Reason::crash_failover);
  if (!possible) return std::nullopt;
  draft.log(LineLevel::info, "Primary crashed. Failing over.");
  draft.log(LineLevel::info, "Demoting self (immediate)");
  give_lock_away(draft);
  return because(Reason::crash_failover);
}

// Row 2: the crash of a primary whose lock still holds is recovered in place (trap 52).
bool starts_in_place(const Draft& draft) {
  const auto& obs = draft.obs;
  const auto& server = obs.local.server;
  return obs.holds_lock() && draft.next.state == ServerState::crashed &&
         draft.next.role == Role::primary && !server.standby_signal && !server.recovery_signal &&
         !in_standby_cluster(obs) &&
         is_one_of(control_state(obs),
                   {ControlState::in_production, ControlState::in_crash_recovery,
                    ControlState::shutting_down, ControlState::shut_down});
}

Why start_in_place(Draft& draft) {
  auto job = make_job(JobKind::start_primary, "starting primary after failure");
  job.start_timeout = std::max(draft.obs.cluster->primary_start_timeout, seconds(1));
  begin(draft, std::move(job));
  return because(Reason::starting_primary_after_failure);
}

// Row 4. Never beside a backup_label (trap 42): that directory is somebody's copy.
bool needs_single_user_recovery(const Draft& draft) {
  const auto& obs = draft.obs;
  return is_one_of(control_state(obs), {ControlState::in_production, ControlState::shutting_down,
                                        ControlState::in_crash_recovery}) &&
         !obs.local.server.backup_label && !draft.next.single_user_tried &&
         (!obs.view().locked() || rewind_is_possible(obs));
}

Why recover_single_user(Draft& draft) {
  begin(draft, make_job(JobKind::recover, "doing crash recovery in a single user mode"));
  return because(Reason::recovering_single_user);
}

Why start_as_secondary(Draft& draft) {
  // Else what starts now would be taken for a primary without lock, and stopped.
  const bool was_primary = draft.next.role == Role::primary || draft.next.role == Role::promoted;
  if (was_primary && !draft.obs.holds_lock()) draft.next.role = Role::demoted;
  begin_standby(draft, "restarting after failure");
  const auto& leader = draft.obs.view().leader;
  auto reason = Reason::starting_secondary;
  if (leads_standby_cluster(draft.obs)) reason = Reason::starting_standby_leader;
  if (in_standby_cluster(draft.obs) && !leader) reason = Reason::starting_toward_remote;
  return because(reason, leader ? leader->name.value() : std::string());
}

// Row 5: a lock holder whose server ended cleanly comes up read-only and is promoted next.
Why start_readonly(Draft& draft) {
  draft.next.rewind = RewindState::initial;
  auto job = make_job(JobKind::start_standby, "starting as readonly");
  job.goal.standby = true;
  begin(draft, std::move(job));
  return because(Reason::starting_readonly_with_lock);
}

// An unclean standby must be recovered before pg_rewind takes it (row 7).
bool unclean_standby(const Draft& draft) {
  return draft.next.rewind == RewindState::need && !draft.next.single_user_tried &&
         control_state(draft.obs) == ControlState::in_archive_recovery &&
         rewind_is_possible(draft.obs);
}

std::optional<Why> settle_before_start(Draft& draft) {
  if (draft.obs.local.server.rewind_interrupted && draft.next.rewind != RewindState::failed) {
    draft.next.rewind = RewindState::need;
  }
  if (draft.next.rewind == RewindState::initial || draft.next.rewind == RewindState::not_need) {
    need_divergence_check(draft);
  }
  if (unclean_standby(draft)) return recover_single_user(draft);
  return settle_divergence(draft);
}

// A half-rewound directory is never started (trap 54).
Why refuse_half_rewound(const Draft& draft) {
  return because(Reason::start_failed, draft.obs.node->name.value(),
                 "an interrupted pg_rewind left the data directory unusable; reinitialize this "
                 "member or set remove_data_directory_on_rewind_failure");
}

}  // namespace

Why recover_dead_server(Draft& draft) {
  const auto& obs = draft.obs;
  const bool crashed = draft.next.state == ServerState::crashed;
  if (crashed && obs.memory->state != ServerState::crashed) {
    draft.log(LineLevel::warning, "Postgresql is not running.");
  }
  if (rests_in_pause(draft)) return rest_in_pause(draft);
  if (draft.busy(Task::release_lock)) return because(Reason::observing);
  if (auto why = after_failed_start(draft)) return *why;
  if (auto why = fail_over_after_crash(draft)) return *why;
  if (starts_in_place(draft)) return start_in_place(draft);
  if (needs_single_user_recovery(draft)) return recover_single_user(draft);
  if (obs.holds_lock() && !in_standby_cluster(obs)) return start_readonly(draft);
  if (auto why = settle_before_start(draft)) return *why;
  if (obs.local.server.rewind_interrupted) {
    if (!obs.holds_lock()) return refuse_half_rewound(draft);
    give_lock_away(draft);  // nobody could reinitialize the leader (seed 9300703)
    return because(Reason::start_failed_lock_released);
  }
  // The examination above may have been pending without anybody to compare with.
  if (auto why = await_next_attempt(draft)) return *why;
  return start_as_secondary(draft);
}

namespace {

Duration start_time_left(const Draft& draft) {
  return draft.next.state_since + Duration(draft.obs.cluster->primary_start_timeout) -
         draft.obs.now;
}

// As after a start that failed: the lock goes when the server has ended (contract ha inv. 6), for
// until then its recovery may end and let clients in.
void end_starting_server(Draft& draft) {
  draft.log(LineLevel::info, "Demoting self (immediate)");
  draft.start(Task::fence, ServerAction(FenceServer{milliseconds(500)}), no_limit);
  draft.next.role = Role::demoted;
  draft.next.recovering = true;
  draft.next.rewind = RewindState::initial;
}

Why give_up_starting(Draft& draft) {
  draft.log(LineLevel::info, "Demoting self because primary startup is taking too long");
  end_starting_server(draft);
  return because(Reason::start_timed_out);
}

}  // namespace

std::optional<Why> bear_starting_server(Draft& draft) {
  if (draft.next.state != ServerState::starting || paused(draft.obs)) return std::nullopt;
  draft.wake(milliseconds(500));  // nothing announces the end of recovery
  if (!draft.obs.holds_lock()) {
    draft.log(LineLevel::info, "Still starting up as a standby.");
    return std::nullopt;
  }
  const auto left = start_time_left(draft);
  if (left > Duration(0)) {
    if (serves_failover_while_starting(draft)) {
      end_starting_server(draft);
      return because(Reason::switchover_demoting, request_name(draft.obs));
    }
    return because(Reason::still_starting, {},
                   format_text("{}", std::chrono::ceil<seconds>(left).count()));
  }
  bool asking = false;
  const bool possible = may_fail_over_at_once(draft, &asking);
  if (possible) return give_up_starting(draft);
  return because(Reason::start_timed_out_no_candidate);
}

}  // namespace tanist

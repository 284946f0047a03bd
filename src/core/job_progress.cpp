// SPDX-License-Identifier: Apache-2.0
// The engine of long actions. Pure; any thread.
#include "core/job_progress.h"

#include "core/callbacks.h"
#include "core/failover_request.h"
#include "core/job_steps.h"
#include "core/local_server.h"
#include "core/logical_slots.h"
#include "core/requests.h"
#include "core/start_job.h"
#include "core/upstream.h"

namespace tanist {

namespace {

void end_failed_bootstrap(Draft& draft, const Job& job, const std::string& error) {
  draft.log(LineLevel::error, "{} failed: {}", job.label, error);
  draft.ended = because(Reason::bootstrap_failed);
  begin(draft, make_job(JobKind::abandon_bootstrap, "bootstrap"));
}

void end_abandoned_bootstrap(Draft& draft) {
  draft.log(LineLevel::critical, "Failed to bootstrap cluster");
  draft.next.bootstrapping = false;
  draft.next.exit_code = 1;
  draft.order(Leave{1});
}

void end_bootstrap(Draft& draft, const Job& job) {
  const bool primary = job.kind == JobKind::bootstrap;
  draft.next.bootstrapping = false;
  draft.next.checkpoint_needed = primary;
  draft.next.joined = true;
  draft.next.role = primary ? Role::primary : Role::standby_leader;
  fire_callback(draft, "on_start");
  draft.ended = because(Reason::bootstrap_done);
}

// A server that could not be started: the next cycle gives the lock away (contract ha 4, row 10).
void end_failed_start(Draft& draft, const Job& job, const std::string& error) {
  draft.log(LineLevel::error, "{} failed: {}", job.label, error);
  draft.next.state = ServerState::start_failed;
  draft.next.recovering = true;
  draft.next.last_start_failed_at = draft.obs.now;
}

void end_start(Draft& draft, const Job& job) {
  draft.next.recovering = false;
  draft.next.stopped_for_rewind = false;
  draft.next.single_user_tried = false;
  draft.next.demoting = false;
  if (draft.next.rewind == RewindState::success) draft.next.rewind = RewindState::initial;
  doubt_logical_slots(draft);
  fire_start_callback(draft, job);
}

// A source that went away decides nothing: the question is asked again (contract postgres 9.4).
void end_rewind(Draft& draft, bool ok, const std::string& error) {
  const auto& result = draft.obs.local.job_result;
  const bool source_lost = !ok && result && result->source_lost;
  draft.next.rewind =
      ok ? RewindState::success : (source_lost ? RewindState::check : RewindState::failed);
  if (ok) return;
  const auto source = rewind_source(draft.obs);
  const auto name = source ? name_of_source(*source) : "unknown";
  if (source_lost) {
    draft.log(LineLevel::error, "Failed to rewind because primary {} become unreachable: {}", name,
              error);
  } else {
    draft.log(LineLevel::error, "Failed to rewind from healthy primary: {}: {}", name, error);
  }
}

// A server that ended while it was promoted is started again at once. When that happens twice in a
// loop_wait something keeps it from writing, a full disk most likely: as after a start that failed
// the lock is given away.
void note_death_in_promotion(Draft& draft) {
  if (server_alive(draft.obs)) return;
  const auto before = draft.next.last_start_failed_at;
  draft.next.last_start_failed_at = draft.obs.now;
  draft.next.recovering = before && draft.obs.now < *before + Duration(draft.obs.timing.loop_wait);
}

void end_promotion(Draft& draft, const Job& job, bool ok, const std::string& error) {
  if (ok) {
    draft.next.role = Role::primary;
    draft.ended = because(Reason::leader_promoted);
    return;
  }
  draft.log(LineLevel::error, "promotion failed: {}", error);
  note_death_in_promotion(draft);
  if (current_step(job) == Step::pre_promote) draft.next.pre_promote_failed_at = draft.obs.now;
}

// All or nothing (safety 3.1): without a successor the old leader goes on.
void end_failed_hand_over(Draft& draft, const Job& job, const std::string& error) {
  draft.ended = because(Reason::switchover_aborted, job.label, error);
  clear_request(draft);
  draft.next.demoting = false;
  if (server_alive(draft.obs) || !draft.obs.holds_lock()) return;
  // By what the server was, not by the settings: these may have changed meanwhile, and a standby
  // that is started as a primary writes on the timeline of the server that it followed.
  const auto& server = draft.obs.local.server;
  if (in_standby_cluster(draft.obs) || server.standby_signal || server.recovery_signal) {
    return begin_standby(draft, "restarting after failure");
  }
  auto again = make_job(JobKind::start_primary, "starting primary after failure");
  again.start_timeout = draft.obs.cluster->primary_start_timeout;
  begin(draft, std::move(again));
}

// Before the stop nothing has changed; after it a start is due like after any other stop.
void end_slot_copy(Draft& draft, const Job& job, bool ok, const std::string& error) {
  if (ok) return end_start(draft, job);
  draft.next.slot_copy_failed_at = draft.obs.now;
  if (current_step(job) == Step::start_server) return end_failed_start(draft, job, error);
  draft.log(LineLevel::error, "Failed to copy logical slots from the leader: {}", error);
}

void end_job(Draft& draft, const Job& job, bool ok, const std::string& error) {
  switch (job.kind) {
    case JobKind::bootstrap:
    case JobKind::bootstrap_standby:
      return ok ? end_bootstrap(draft, job) : end_failed_bootstrap(draft, job, error);
    case JobKind::abandon_bootstrap: return end_abandoned_bootstrap(draft);
    case JobKind::promote: return end_promotion(draft, job, ok, error);
    case JobKind::rewind: return end_rewind(draft, ok, error);
    case JobKind::copy_slots: return end_slot_copy(draft, job, ok, error);
    case JobKind::recover:
      draft.next.single_user_tried = true;
      if (!ok) draft.log(LineLevel::error, "{}", error);
      return;
    case JobKind::demote_handing_over:
      return ok ? end_start(draft, job) : end_failed_hand_over(draft, job, error);
    case JobKind::stop_for_good:
    case JobKind::stop_empty:
      if (!ok) draft.log(LineLevel::error, "{} failed: {}", job.label, error);
      draft.next.state = ok ? ServerState::stopped : ServerState::stop_failed;
      return;
    case JobKind::reinitialize:
    case JobKind::clone:
      if (ok) draft.next.rewind = RewindState::initial;
      [[fallthrough]];
    default: return ok ? end_start(draft, job) : end_failed_start(draft, job, error);
  }
}

// What a finished step means beyond "the next one".
void note_step(Draft& draft, const Job& job) {
  switch (current_step(job)) {
    case Step::promote:
      draft.next.role = Role::promoted;
      draft.next.rewind = RewindState::initial;
      draft.next.checkpoint_needed = true;
      fire_callback(draft, "on_role_change");
      return;
    case Step::stop_server:
      draft.next.stopped_for_rewind = job.kind == JobKind::rewind;
      [[fallthrough]];
    case Step::hand_over:
    case Step::stop_immediately: return note_stop(draft, job);
    default: return;
  }
}

void finish(Draft& draft, bool ok, const std::string& error) {
  const Job job = *draft.next.job;
  draft.next.job.reset();
  draft.next.leaving_sync = false;
  end_job(draft, job, ok, error);
  if (job.request) finish_request(draft, *job.request, ok, error);
}

// How long each step of a change of leader took, for the operator who wants it shorter.
void tell_time(Draft& draft, const Job& job) {
  const bool tells = job.kind == JobKind::demote_handing_over ||
                     job.kind == JobKind::stop_for_good || job.kind == JobKind::promote;
  const bool skipped = current_step(job) == Step::pause_poolers && !job.step_started;
  if (!tells || skipped) return;
  draft.log(LineLevel::info, "{}: {} took {} ms, {} ms in all", job.label,
            name_of(current_step(job)), in_milliseconds(draft.obs.now - job.step_began),
            in_milliseconds(draft.obs.now - job.began));
}

}  // namespace

void continue_job(Draft& draft) {
  while (draft.next.job) {
    const auto state = advance_step(draft);
    if (std::holds_alternative<StepGoesOn>(state)) return;
    if (const auto* failed = std::get_if<StepFailed>(&state)) {
      return finish(draft, false, failed->error);
    }
    Job& job = *draft.next.job;
    note_step(draft, job);
    tell_time(draft, job);
    ++job.step;
    job.step_started = false;
    job.step_began = draft.obs.now;
    if (at_end(job)) return finish(draft, true, {});
  }
}

void abandon_job(Draft& draft, std::string error) {
  if (!draft.next.job) return;
  if (draft.busy(Task::server)) draft.order(CancelServer{});
  finish(draft, false, error);
}

Why job_status(const Draft& draft) {
  const auto& job = *draft.next.job;
  if (draft.next.bootstrapping && job.kind != JobKind::abandon_bootstrap) {
    return because(Reason::bootstrap_in_progress, job.label);
  }
  if (job.kind == JobKind::abandon_bootstrap) return because(Reason::bootstrap_failed);
  const bool promotes = job.kind == JobKind::promote && current_step(job) == Step::await_primary;
  if (promotes && paused(draft.obs)) return because(Reason::awaiting_promotion_in_pause);
  const bool leads = draft.obs.holds_lock();
  return because(leads ? Reason::action_in_progress_with_lock : Reason::action_in_progress,
                 job.label);
}

}  // namespace tanist

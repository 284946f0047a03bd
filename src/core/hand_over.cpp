// SPDX-License-Identifier: Apache-2.0
// The hand-over step. Pure; any thread.
#include "core/hand_over.h"

#include "core/candidates.h"
#include "core/failover_request.h"
#include "core/leader_upkeep.h"
#include "core/local_server.h"
#include "core/promotion_evidence.h"
#include "core/published_values.h"
#include "core/start_job.h"
#include "core/synchronous_view.h"

namespace tanist {

namespace {

constexpr Duration ask_again = milliseconds(20);
// Safety 3.1: within this time after the stop began a candidate must have reported everything.
constexpr Duration candidate_limit = seconds(10);

Duration limit_of(const Draft& draft) {
  const auto& configured = draft.obs.cluster->primary_stop_timeout;
  return configured > seconds(0) ? Duration(configured) : candidate_limit;
}

// Where the time goes, for the operator who wants it shorter.
void tell(Draft& draft, std::string_view what) {
  const Job& job = *draft.next.job;
  draft.log(LineLevel::info, "{}: {} {} ms after the stop began", job.label, what,
            in_milliseconds(draft.obs.now - job.step_began));
}

bool for_good(const Draft& draft) { return draft.next.job->kind == JobKind::stop_for_good; }

StepState begin_stop(Draft& draft) {
  Job& job = *draft.next.job;
  StopServer stop{.mode = StopMode::fast};
  const bool bounded = !for_good(draft) || draft.obs.cluster->primary_stop_timeout > seconds(0);
  if (bounded && draft.obs.holds_lock()) stop.limit = limit_of(draft);
  job.step_started = true;
  draft.next.demoting = true;
  draft.start(Task::server, ServerAction(stop), no_limit);
  return StepGoesOn{};
}

}  // namespace

// No client can commit any more: the shutdown checkpoint may take its time (safety 2.6).
void disarm_at_safe_point(Draft& draft) {
  const auto& progress = draft.obs.local.stop_progress;
  const bool watched = draft.obs.local.guard == GuardState::armed ||
                       draft.obs.local.watchdog.state == WatchdogState::active;
  if (progress && progress->safe_point && watched) {
    tell(draft, "no session left");
    draft.order(GuardOrder{GuardOrder::What::disarm, {}, {}});
  }
}

namespace {

bool shut_down_is_recorded(const Observation& obs) {
  const auto& progress = obs.local.stop_progress;
  if (progress && progress->control_state == ControlState::shut_down) return true;
  const auto& control = obs.local.server.control;
  return !server_alive(obs) && control && control->state == ControlState::shut_down;
}

// Where the shutdown checkpoint lies; false while that is being found out.
bool shutdown_is_located(Draft& draft) {
  Job& job = *draft.next.job;
  if (job.shutdown_lsn) return true;
  const auto& found = draft.obs.local.shutdown_location;
  if (!found || !found->ok) {
    if (!draft.busy(Task::locate_shutdown)) tell(draft, "shut down");
    draft.start(Task::locate_shutdown, LocateShutdown{}, no_limit);
    return false;
  }
  tell(draft, "shutdown checkpoint found");
  job.shutdown_lsn = found->shutdown_checkpoint;
  job.shutdown_previous = found->shutdown_previous;
  job.shutdown_timeline = found->shutdown_timeline;
  // Without the record's end: one byte more than its start, so that part of it arrived.
  job.shutdown_end = found->shutdown_end != Lsn() ? found->shutdown_end
                                                  : Lsn(found->shutdown_checkpoint.value() + 1);
  return true;
}

bool is_manual_failover(const Observation& obs) {
  const auto& failover = obs.view().failover;
  return failover && failover->present() && !failover->is_switchover();
}

CandidateSearch search_for(const Draft& draft) {
  return {.candidate = draft.next.job->candidate,
          .exclude = false,
          .manual_failover = is_manual_failover(draft.obs),
          .received_at_least = draft.next.job->shutdown_end,
          .streaming_from_us = false,
          .action = request_name(draft.obs)};
}

void release(Draft& draft) {
  tell(draft, "giving the lock away");
  const Job& job = *draft.next.job;
  Memory demoted = draft.next;
  demoted.role = Role::demoted;
  if (for_good(draft)) demoted.state = ServerState::stopped;
  demoted.job.reset();
  ReleaseLock release{.reign = *draft.obs.lock.reign,
                      .status = std::nullopt,
                      .member = text_form(member_value(draft.obs, demoted))};
  if (job.shutdown_lsn) {
    release.status =
        text_form(released_status_value(draft.obs, job.shutdown_previous, job.shutdown_timeline));
  }
  draft.start(Task::release_lock, std::move(release), Duration(draft.obs.timing.retry_timeout));
}

enum class Offer { asking, taken, nobody };

// Is there somebody who has received the shutdown checkpoint?
Offer offer_lock(Draft& draft) {
  Job& job = *draft.next.job;
  const auto search = search_for(draft);
  auto good = good_candidates(draft, job.round, search, true);
  if (!good) return Offer::asking;
  if (!for_good(draft)) {
    std::erase_if(*good, [&](const auto& name) { return !std::ranges::count(job.eligible, name); });
  }
  if (failover_possible(draft, *good, search, true)) return Offer::taken;
  job.round = 0;  // answers change as WAL arrives: ask anew
  return Offer::nobody;
}

bool released(Draft& draft) {
  Job& job = *draft.next.job;
  const auto end = draft.obs.ends.find(Task::release_lock);
  const bool ended = end != draft.obs.ends.end() && end->second.at >= job.step_began;
  if (ended && end->second.ok && !job.released) {
    job.released = true;
    draft.next.role = Role::demoted;
    draft.log(LineLevel::info, "Leader key released");
  }
  return job.released;
}

// A lock that was taken before the earlier leader was proven to have ended: who takes it next would
// not know of that one. No matter where nobody is promoted.
bool keeps_lock(const Draft& draft) {
  return !in_standby_cluster(draft.obs) && earlier_leader_may_write(draft);
}

// While the server stops: as soon as `shut down` is on disk and somebody has it, release.
StepState while_stopping(Draft& draft) {
  disarm_at_safe_point(draft);
  const bool nothing_to_release = !draft.obs.holds_lock() || keeps_lock(draft);
  if (draft.next.job->released || nothing_to_release || draft.busy(Task::release_lock) ||
      !shut_down_is_recorded(draft.obs)) {
    return StepGoesOn{};
  }
  if (!shutdown_is_located(draft)) return StepGoesOn{};
  const auto offer = offer_lock(draft);
  if (offer == Offer::taken) release(draft);
  if (offer == Offer::nobody) draft.wake(ask_again);
  return StepGoesOn{};
}

// The server is down, but pg_control tells of no clean shutdown (or was not read yet). It had to be
// killed: a switchover is given up, for it may lose nothing. Who asks for a failover wants the
// leadership to leave this node, above all when its server hangs (trap 38).
StepState after_unclean_stop(Draft& draft) {
  if (draft.obs.local.server.observed_at <= draft.next.job->step_began) {
    draft.start(Task::observe, ObserveServer{.control_data = true}, no_limit);
    return StepGoesOn{};
  }
  const auto& request = draft.obs.view().failover;
  // A lock that was given away is the candidate's without a vote, but nobody knows here whether
  // that one or another voter has the last commits: in quorum mode the votes decide, once the
  // lease has ended.
  const bool needs_votes = quorum_active(draft.obs) && request && request->present();
  if (needs_votes && for_good(draft)) return StepDone{};
  if (!for_good(draft)) {
    if (needs_votes || !is_manual_failover(draft.obs)) {
      return StepFailed{"the server did not shut down cleanly"};
    }
    draft.log(LineLevel::warning,
              "{}: the server had to be killed; what nobody has received of its last transactions "
              "is lost",
              draft.next.job->label);
  }
  release(draft);
  return StepGoesOn{};
}

// The server of a standby leader was no primary: there is no shutdown checkpoint to wait for, and
// the others have what they need from the remote server (contract ha 18.6).
bool stopped_as_standby(const Observation& obs) {
  const auto& control = obs.local.server.control;
  return in_standby_cluster(obs) && !server_alive(obs) && control &&
         control->state == ControlState::shut_down_in_recovery;
}

StepState after_stop(Draft& draft) {
  if (draft.busy(Task::release_lock)) return StepGoesOn{};
  if (!draft.obs.holds_lock() || keeps_lock(draft)) return StepDone{};
  if (stopped_as_standby(draft.obs)) {
    release(draft);
    return StepGoesOn{};
  }
  if (!shut_down_is_recorded(draft.obs)) return after_unclean_stop(draft);
  if (!shutdown_is_located(draft)) return StepGoesOn{};
  const auto offer = offer_lock(draft);
  if (offer == Offer::asking) return StepGoesOn{};
  if (offer == Offer::taken || for_good(draft)) {
    release(draft);
    return StepGoesOn{};
  }
  if (draft.obs.now >= draft.next.job->step_began + limit_of(draft)) {
    return StepFailed{"no candidate has received the shutdown checkpoint"};
  }
  draft.wake(ask_again);
  return StepGoesOn{};
}

}  // namespace

StepState hand_over(Draft& draft) {
  Job& job = *draft.next.job;
  if (!job.step_started) {
    if (draft.busy(Task::server) || !history_is_told(draft)) return StepGoesOn{};
    return begin_stop(draft);
  }
  if (released(draft) && !draft.busy(Task::server)) return StepDone{};
  if (draft.busy(Task::server)) return while_stopping(draft);
  const auto& result = draft.obs.local.job_result;
  if (result && !result->ok) return StepFailed{result->error};
  return after_stop(draft);
}

}  // namespace tanist

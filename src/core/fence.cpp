// SPDX-License-Identifier: Apache-2.0
// Fencing of the own server. Pure; any thread.
#include "core/fence.h"

#include "core/failsafe.h"
#include "core/job_progress.h"
#include "core/local_server.h"
#include "core/start_job.h"

namespace tanist {

namespace {

// A view that is being rebuilt is no outage yet.
constexpr Duration doubt_limit = seconds(2);

// A server that no agent of this cluster has managed yet: nobody can hold a lock against it, and it
// is taken over running (contract ha 23; safety 2.7 allows nothing else outside pause). The view
// may show its own claim and its own lock before the answer of the attempt that made them; an
// attempt that ends without the lock ends the exemption as well.
bool is_being_taken_over(const Observation& obs) {
  const auto& initialize = obs.view().initialize;
  const bool attempts = obs.running(Task::take_lock);
  const bool unclaimed = !initialize || initialize->system_id.value().empty();
  const bool own_claim = !unclaimed && attempts && initialize->system_id == local_system_id(obs);
  const bool own_lock = attempts && obs.view().locked_by(obs.node->name);
  return (unclaimed || own_claim) && (own_lock || !obs.view().locked()) &&
         !obs.memory->bootstrapping && !obs.lock.lost && obs.lock.until == Instant();
}

// Why a server that may be writable must stop now; nothing when it may go on.
std::optional<Reason> cause(Draft& draft) {
  const auto& obs = draft.obs;
  if (obs.lock.lost) return Reason::leader_lost_lock;
  if (!obs.holds_lock()) {
    if (obs.lock.adopting && obs.now < obs.lock.until - guard_margin(obs.timing.ttl)) return {};
    if (is_being_taken_over(obs)) return {};
    return Reason::demoting_without_lock;
  }
  draft.wake(fence_at(obs));
  if (obs.now >= fence_at(obs)) return Reason::leader_deadline_near;
  return {};
}

Duration time_before_killing(const Observation& obs) {
  const auto left = obs.lock.until - guard_margin(obs.timing.ttl) - obs.now;
  return std::clamp<Duration>(left, milliseconds(200), milliseconds(500));
}

}  // namespace

bool past_safe_point(const Observation& obs) {
  return obs.local.stop_progress && obs.local.stop_progress->safe_point;
}

std::optional<Why> fence(Draft& draft) {
  const auto& obs = draft.obs;
  if (obs.running(Task::fence)) return because(Reason::leader_lost_lock, obs.node->name.value());
  const bool exempt = paused(obs) || draft.next.bootstrapping || past_safe_point(obs);
  if (exempt || !may_be_writable(obs)) return std::nullopt;
  const auto reason = cause(draft);
  if (!reason) return std::nullopt;
  const auto action = draft.next.job ? draft.next.job->label : std::string();
  abandon_job(draft, "the server is stopped at once");
  draft.next.demoting = true;
  draft.next.role = Role::demoted;
  draft.log(LineLevel::info, "Demoting self (immediate-nolock)");
  if (*reason == Reason::leader_lost_lock) {
    draft.log(LineLevel::error, "failed to update leader lock");
  }
  draft.start(Task::fence, ServerAction(FenceServer{time_before_killing(obs)}), no_limit);
  if (!action.empty()) return because(Reason::lost_leader_during_action, action);
  return because(*reason, obs.node->name.value());
}

namespace {

// When a primary without store begins to stop in good order, so that it is done before it would
// have to be killed.
Instant orderly_stop_at(const Observation& obs) {
  const Duration quarter = Duration(obs.timing.ttl) / 4;
  return fence_at(obs) - std::min(quarter, Duration(obs.timing.retry_timeout));
}

Why stop_in_good_order(Draft& draft) {
  draft.log(LineLevel::info, "demoting self because DCS is not accessible and I was a leader");
  draft.log(LineLevel::info, "Demoting self (offline)");
  abandon_job(draft, "the store is not accessible");
  auto job = make_job(JobKind::demote_offline, "demoting because the store is not accessible");
  job.goal.standby = true;
  begin(draft, std::move(job));
  return because(Reason::demoting_store_unreachable, draft.obs.node->name.value());
}

bool demotes_already(const Draft& draft) {
  return draft.next.job && (draft.next.job->kind == JobKind::demote_offline ||
                            draft.next.job->kind == JobKind::demote_handing_over ||
                            draft.next.job->kind == JobKind::stop_for_good);
}

}  // namespace

std::optional<Why> bear_store_outage(Draft& draft) {
  const auto& obs = draft.obs;
  const bool writable = may_be_writable(obs) && obs.holds_lock() && !paused(obs);
  if (writable && obs.lock.unanswered && !demotes_already(draft)) {
    ask_for_consent(draft);
    draft.wake(orderly_stop_at(obs));
    if (obs.now >= orderly_stop_at(obs)) return stop_in_good_order(draft);
  }
  if (obs.store.current) return std::nullopt;
  const auto doubted_until = obs.store.doubtful_since + doubt_limit;
  if (obs.now < doubted_until) {
    draft.wake(doubted_until);  // never once it has passed: the loop would come back at once
    return std::nullopt;
  }
  if (draft.next.job || (writable && !obs.lock.unanswered)) return std::nullopt;
  if (writable && obs.lock.by_failsafe) return because(Reason::leader_by_failsafe);
  return because(Reason::store_unreachable);
}

}  // namespace tanist

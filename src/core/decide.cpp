// SPDX-License-Identifier: Apache-2.0
// The order of decisions (contract ha 4 under the safety rules). Pure; any thread.
#include "core/decide.h"

#include "core/callbacks.h"
#include "core/digest.h"
#include "core/draft.h"
#include "core/empty_node.h"
#include "core/fence.h"
#include "core/identity.h"
#include "core/job_limits.h"
#include "core/job_progress.h"
#include "core/leader.h"
#include "core/leader_race.h"
#include "core/local_server.h"
#include "core/recovery.h"
#include "core/replica.h"
#include "core/requests.h"
#include "core/scheduled_restart.h"
#include "core/shutdown.h"
#include "core/slots_plan.h"
#include "core/start_job.h"
#include "core/storage.h"
#include "core/synchronous_view.h"

namespace tanist {

namespace {

constexpr Duration observe_again = seconds(2);

// In an unlocked cluster a standby's timeline counts, which is asked for only then; and a voter's
// position since it is known that it has left the former leader.
bool facts_suffice(const Draft& draft) {
  const auto& obs = draft.obs;
  const auto& since = draft.next.unlocked_since;
  const auto looked_at = obs.local.server.observed_at;
  if (!facts_are_fresh(obs) || (since && looked_at < *since)) return false;
  const auto& compared = obs.local.comparison;
  return !since || !quorum_active(obs) || !compared || compared->at <= looked_at;
}

std::optional<Why> await_fresh_facts(Draft& draft) {
  if (facts_suffice(draft)) return std::nullopt;
  ObserveServer observe;
  observe.slots = draft.obs.node->use_slots;
  observe.replication = draft.obs.holds_lock();
  observe.local_timeline = !draft.obs.view().locked();
  observe.control_data = !draft.obs.local.server.control || draft.next.checkpoint_needed;
  draft.start(Task::observe, observe, no_limit);
  draft.wake(observe_again);
  return because(Reason::observing);
}

// A lock in our name that no confirmed attempt took (safety 1.3) is given up and raced for anew. A
// writable server outside pause is fenced before. In pause the lock may be that of the agent which
// this one replaces (safety 2.7), or of an own reign that ended in an outage: that one hangs on our
// living lease and would never end by itself. Only a primary gives it up there, because in pause
// nobody else could take it.
std::optional<Why> release_stray_lock(Draft& draft) {
  const auto& obs = draft.obs;
  const bool stray = obs.view().locked_by(obs.node->name) && !obs.holds_lock();
  const bool attempts = draft.busy(Task::take_lock) || draft.busy(Task::retake_lock);
  if (!stray || obs.lock.adopting || attempts) return std::nullopt;
  const bool released = paused(obs) ? is_primary(obs) : !may_be_writable(obs);
  if (!released || leaves_lock_to_end(obs)) return because(Reason::observing);
  draft.start(Task::release_stray_lock, ReleaseStrayLock{obs.view().leader->create_revision},
              Duration(obs.timing.retry_timeout));
  return because(Reason::observing);
}

// The first look at a server that ran before this process (contract ha 2.2 and 4, epilogue).
void join_running_server(Draft& draft) {
  if (draft.next.joined || !server_alive(draft.obs) || !draft.obs.local.server.query) return;
  draft.next.joined = true;
  if (!is_primary(draft.obs)) {
    draft.next.rewind = RewindState::check;
  } else {
    // The agent before this one may have died between promotion and checkpoint.
    draft.next.checkpoint_needed = true;
  }
  // Of a server that we started ourselves its start has told.
  if (!draft.obs.memory->callbacks_fired) fire_callback(draft, "on_start");
}

// Settings that changed reach the running server by a reload (contract config 9). In pause a
// standby without a leader keeps the upstream that it has (trap 97): its reload waits.
bool applies_settings(Draft& draft) {
  const auto& obs = draft.obs;
  if (draft.next.reload == Reload::none || !obs.local.server.query) return false;
  auto goal = current_goal(obs);
  if (keeps_upstream(obs, goal)) return false;
  const bool always = draft.next.reload == Reload::always;
  draft.start(Task::server, ServerAction(ReloadServer{.goal = std::move(goal), .always = always}),
              no_limit);
  draft.next.reload = Reload::none;
  return true;
}

Why decide_with_server(Draft& draft) {
  const auto& obs = draft.obs;
  report_storage(draft);  // also while the server is down: that may be why
  if (auto why = bear_starting_server(draft)) return *why;
  if (auto why = check_identity(draft)) return *why;
  if (!server_alive(obs)) return recover_dead_server(draft);
  join_running_server(draft);
  if (applies_settings(draft)) return because(Reason::observing);
  if (!obs.holds_lock() && !obs.view().locked()) {
    auto why = race(draft);
    identify_adopted_data(draft);
    return why;
  }
  auto why = obs.holds_lock() ? lead(draft) : follow_leader(draft);
  if (!obs.holds_lock() && !draft.next.job) {
    keep_slots(draft);
    if (draft.next.job) return job_status(draft);
  }
  return run_scheduled_restart(draft).value_or(std::move(why));
}

// Says something once, and goes on at once.
Why announce(Draft& draft, Why why) {
  if (!draft.next.job && !draft.busy(Task::server)) await_fresh_facts(draft);
  draft.wake(Duration(0));
  return why;
}

Why decide_what_to_do(Draft& draft) {
  const auto& obs = draft.obs;
  if (auto why = fence(draft)) return *why;
  if (obs.shutdown_requested) return shut_down(draft);
  if (auto why = bear_store_outage(draft)) return *why;
  if (obs.lock.adopting) return because(Reason::starting_up);
  if (auto why = limit_job(draft)) return *why;
  if (draft.next.job) {
    continue_job(draft);
    if (draft.ended) return announce(draft, *draft.ended);
    if (draft.next.job) return job_status(draft);
  }
  if (auto why = notice_lost_lock(draft)) return announce(draft, *why);
  if (draft.busy(Task::server)) return because(Reason::observing);
  if (auto why = await_fresh_facts(draft)) return *why;
  if (auto why = release_stray_lock(draft)) return *why;
  if (auto why = serve_empty_node(draft)) return *why;
  return decide_with_server(draft);
}

}  // namespace

Decision decide(const Observation& observation) {
  Draft draft(observation);
  digest(draft);
  answer_requests(draft);
  if (!observation.store.view) {
    if (observation.shutdown_requested) return draft.finish(shut_down(draft));
    return draft.finish(because(Reason::starting_up));
  }
  if (auto why = check_namesake(draft)) return draft.finish(*why);
  return draft.finish(decide_what_to_do(draft));
}

}  // namespace tanist

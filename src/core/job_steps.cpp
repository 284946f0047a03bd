// SPDX-License-Identifier: Apache-2.0
// The steps, one function each. Pure; any thread.
#include "core/job_steps.h"

#include "core/candidates.h"
#include "core/hand_over.h"
#include "core/identity.h"
#include "core/leave_sync_duty.h"
#include "core/local_server.h"
#include "core/logical_slots.h"
#include "core/pooler_pause.h"
#include "core/promotion_evidence.h"
#include "core/published_values.h"
#include "core/start_job.h"
#include "core/synchronous_mode.h"
#include "core/upstream.h"

namespace tanist {

namespace {

// How often a fact that nothing announces is looked at.
constexpr Duration poll_interval = milliseconds(20);
// What a checkpoint before a switchover may take; after that the switchover goes on without it.
constexpr Duration checkpoint_limit = seconds(10);
// When the first lock is tried for again.
constexpr Duration first_lock_again = milliseconds(500);
// How long somebody else gets to take a lock that was given away (contract ha 3).
constexpr Duration new_leader_limit = seconds(2);

// Orders `action` in the server lane, then waits for its end.
StepState in_server_lane(Draft& draft, ServerAction action) {
  Job& job = *draft.next.job;
  if (draft.busy(Task::server)) return StepGoesOn{};
  if (!job.step_started) {
    job.step_started = true;
    draft.start(Task::server, std::move(action), no_limit);
    return StepGoesOn{};
  }
  const auto& result = draft.obs.local.job_result;
  if (!result) return StepGoesOn{};
  if (!result->ok) return StepFailed{result->error};
  return StepDone{};
}

// Orders a transaction as `task`, then waits for its end.
StepState in_store(Draft& draft, Task task, StoreAction action) {
  Job& job = *draft.next.job;
  if (draft.busy(task)) return StepGoesOn{};
  if (!job.step_started) {
    job.step_started = true;
    draft.start(task, std::move(action), Duration(draft.obs.timing.retry_timeout));
    return StepGoesOn{};
  }
  const auto end = draft.obs.ends.find(task);
  if (end == draft.obs.ends.end() || end->second.at < job.step_began) return StepGoesOn{};
  if (end->second.ok) return StepDone{};
  return StepFailed{end->second.error};
}

bool may_start_as_primary(const Draft& draft) {
  // The claim lives by the node's lease: past its end others may have made the cluster.
  if (draft.next.bootstrapping) {
    return draft.obs.now < draft.obs.store.lease_until - guard_margin(draft.obs.timing.ttl);
  }
  return draft.obs.holds_lock() && draft.obs.now < fence_at(draft.obs);
}

// Armed first (safety 2.4): before a start without standby.signal. A bootstrap has no lock yet; its
// claim to `initialize` lives by the node's lease, and so does its server.
void prepare_guard(Draft& draft) {
  const auto& obs = draft.obs;
  if (draft.next.job->goal.standby) {
    draft.order(GuardOrder{GuardOrder::What::announce_standby, {}, {}});
  } else if (paused(obs)) {
    return;  // nothing is fenced (safety 1.8)
  } else if (obs.lock.reign) {
    draft.order(GuardOrder{GuardOrder::What::arm, *obs.lock.reign, server_until(obs)});
  } else {
    const Reign claim{obs.store.lease, Revision(0)};
    draft.order(GuardOrder{GuardOrder::What::arm, claim, obs.store.lease_until});
  }
}

ServerGoal goal_at_start(const Draft& draft) {
  auto goal = draft.next.job->goal;
  if (goal.standby) {
    auto standby = standby_goal(draft.obs);
    // Past the end of a bootstrap's copy the memory that counts is the one in the making.
    if (draft.next.bootstrapping) standby.role = Role::standby_leader;
    return standby;
  }
  goal.role = Role::primary;
  goal.upstream.reset();
  goal.standby_cluster = draft.obs.cluster->standby_cluster;
  goal.synchronous_standby_names = names_for_primary(draft.obs, draft.next);
  return goal;
}

StepState start_server(Draft& draft) {
  Job& job = *draft.next.job;
  if (!job.step_started) {
    if (!job.goal.standby && !may_start_as_primary(draft)) {
      return StepFailed{"the leader lock was lost before the start"};
    }
    job.goal = goal_at_start(draft);
    prepare_guard(draft);
  }
  const StartServer start{.goal = job.goal,
                          .timeout = job.start_timeout,
                          .in_bootstrap = job.kind == JobKind::bootstrap};
  const auto state = in_server_lane(draft, start);
  if (!std::holds_alternative<StepDone>(state)) return state;
  const auto outcome = draft.obs.local.job_result->start.value_or(StartOutcome::not_started);
  if (outcome == StartOutcome::ready || outcome == StartOutcome::still_starting) return state;
  return StepFailed{draft.obs.local.job_result->error.empty()
                        ? "the server ended while starting; see its log"
                        : draft.obs.local.job_result->error};
}

StepState await_primary(Draft& draft) {
  draft.next.job->step_started = true;
  const auto& obs = draft.obs;
  const bool seen_after_start = obs.local.server.observed_at >= draft.next.job->step_began;
  if (seen_after_start && !server_alive(obs)) {
    return StepFailed{"the server ended before it was out of recovery"};
  }
  if (seen_after_start && obs.local.server.query && !obs.local.server.query->in_recovery) {
    return StepDone{};
  }
  // At most this often: an observation that is answered would order the next one.
  const bool looked = seen_after_start && obs.now < obs.local.server.observed_at + poll_interval;
  if (!looked) draft.start(Task::observe, ObserveServer{}, no_limit);
  draft.wake(poll_interval);
  return StepGoesOn{};
}

// A guard that watches has said that it will wake in time (safety 2.4). One that is absent is no
// hindrance here: whether it is required was asked before the lock was taken.
bool guard_confirms(const Observation& obs) {
  return paused(obs) || obs.local.guard == GuardState::armed ||
         obs.local.guard == GuardState::absent;
}

StepState promote(Draft& draft) {
  Job& job = *draft.next.job;
  if (!job.step_started) {
    // The lock is checked again after pre_promote, which may have taken minutes (trap 16).
    if (!draft.obs.holds_lock() || draft.obs.now >= fence_at(draft.obs)) {
      return StepFailed{"the leader lock was lost before promote"};
    }
    if (!promotion_is_safe(draft)) return StepGoesOn{};
    if (!guard_confirms(draft.obs)) {
      // The guard of a standby leader watches nothing until its cluster is promoted.
      if (draft.obs.local.guard == GuardState::disarmed) {
        draft.order(GuardOrder{GuardOrder::What::arm, *draft.obs.lock.reign, draft.obs.lock.until});
      }
      return StepGoesOn{};
    }
  }
  return in_server_lane(draft, PromoteServer{.goal = job.goal});
}

StepState write_initialize(Draft& draft) {
  const auto id = local_system_id(draft.obs);
  if (!is_valid(id)) {
    draft.start(Task::observe, ObserveServer{.control_data = true}, no_limit);
    draft.wake(poll_interval);
    return StepGoesOn{};
  }
  Commit commit;
  commit.expect = {{StoreKey::initialize, draft.next.bootstrap_key}};
  // Under the lease as long as there is no leader: a bootstrap that is abandoned because nobody
  // answered leaves no identity that nobody has. The leader makes it lasting.
  commit.writes = {{StoreKey::initialize, id.value(), true}};
  return in_store(draft, Task::write_initialize, std::move(commit));
}

// `/initialize` is no longer what this bootstrap made of it. Then no attempt took the first lock,
// because that would have made the key lasting; and none will, because each compares it.
bool claim_is_lost(const Draft& draft) {
  const auto& initialize = draft.obs.view().initialize;
  if (!initialize) return true;
  if (initialize->system_id.value().empty())
    return initialize->revision != draft.next.bootstrap_key;
  const auto id = local_system_id(draft.obs);
  return is_valid(id) && initialize->system_id != id;
}

bool claim_shows_identity(const Observation& obs) {
  const auto id = local_system_id(obs);
  return is_valid(id) && obs.view().initialize && obs.view().initialize->system_id == id;
}

StepState write_config(Draft& draft) {
  Commit commit;
  commit.writes = {{StoreKey::config, text_form(*draft.obs.config), false}};
  return in_store(draft, Task::write_config, std::move(commit));
}

// An attempt that nobody answered is no failure: it may have made the identity lasting, and nobody
// else has its data. It is repeated until the lock is held, or the claim is lost.
StepState take_first_lock(Draft& draft) {
  const auto& obs = draft.obs;
  if (draft.busy(Task::take_lock)) return StepGoesOn{};
  const auto end = obs.ends.find(Task::take_lock);
  const bool tried = end != obs.ends.end() && end->second.at >= draft.next.job->step_began;
  if (tried && end->second.ok) return StepDone{};
  if (claim_is_lost(draft)) return StepFailed{"the claim to /initialize was lost"};
  if (tried && obs.now < end->second.at + first_lock_again) {
    draft.wake(end->second.at + first_lock_again);
    return StepGoesOn{};
  }
  if (!is_valid(local_system_id(obs))) {  // the server has ended since
    draft.start(Task::observe, ObserveServer{.control_data = true}, no_limit);
    draft.wake(first_lock_again);
    return StepGoesOn{};
  }
  if (!obs.store.current || !claim_shows_identity(obs)) return StepGoesOn{};
  if (const auto& stray = obs.view().leader) {
    if (!obs.view().locked_by(obs.node->name)) return StepFailed{"another member has the lock"};
    draft.start(Task::release_stray_lock, ReleaseStrayLock{stray->create_revision},
                Duration(obs.timing.retry_timeout));
    return StepGoesOn{};
  }
  TakeLock take{.ttl = obs.timing.ttl,
                .expect = {},
                .identity = {},
                .member = text_form(member_value(obs, draft.next))};
  make_identity_last(obs, take);
  draft.start(Task::take_lock, std::move(take), Duration(obs.timing.retry_timeout));
  return StepGoesOn{};
}

StepState checkpoint(Draft& draft) {
  Job& job = *draft.next.job;
  if (!job.step_started) {
    job.step_started = true;
    draft.start(Task::checkpoint, CheckpointServer{}, checkpoint_limit);
    draft.wake(checkpoint_limit);
    return StepGoesOn{};
  }
  // A failed or slow checkpoint costs time in the stop, nothing else.
  const bool late = draft.obs.now >= job.step_began + checkpoint_limit;
  if (!draft.busy(Task::checkpoint) || late) return StepDone{};
  draft.wake(job.step_began + checkpoint_limit);
  return StepGoesOn{};
}

StepState choose_candidate(Draft& draft) {
  Job& job = *draft.next.job;
  job.step_started = true;
  if (draft.obs.local.server.observed_at < job.step_began) {  // who streams from us?
    draft.start(Task::observe, ObserveServer{.replication = true}, no_limit);
    draft.wake(poll_interval);
    return StepGoesOn{};
  }
  const CandidateSearch search{
      .candidate = job.candidate,
      .exclude = false,
      .manual_failover = draft.obs.view().failover && !draft.obs.view().failover->is_switchover(),
      .received_at_least = std::nullopt,
      .streaming_from_us = true,
      .action = job.label};
  const auto good = good_candidates(draft, job.round, search);
  if (!good) return StepGoesOn{};
  job.eligible = *good;
  if (failover_possible(draft, *good, search)) return StepDone{};
  return StepFailed{"no candidate is healthy any more"};
}

StepState stop_server(Draft& draft) {
  Job& job = *draft.next.job;
  StopServer stop{.mode = StopMode::fast};
  stop.checkpoint_first = job.kind == JobKind::restart || job.kind == JobKind::change_upstream ||
                          job.kind == JobKind::copy_slots;
  const bool demotes = job.kind == JobKind::demote_offline || job.kind == JobKind::demote_cluster;
  if (!job.step_started && demotes) draft.next.demoting = true;
  if (job.step_started && job.kind == JobKind::demote_cluster) disarm_at_safe_point(draft);
  return in_server_lane(draft, stop);
}

StepState stop_immediately(Draft& draft) {
  return in_server_lane(draft, StopServer{.mode = StopMode::immediate,
                                          .checkpoint_first = false,
                                          .limit = Duration(draft.obs.timing.retry_timeout)});
}

StepState await_new_leader(Draft& draft) {
  Job& job = *draft.next.job;
  job.step_started = true;
  const auto& view = draft.obs.view();
  if (view.locked() && !view.locked_by(draft.obs.node->name)) return StepDone{};
  const auto limit = job.step_began + new_leader_limit;
  if (draft.obs.now >= limit) return StepDone{};
  draft.wake(limit);
  return StepGoesOn{};
}

// The key is given back so that another node may bootstrap; when that fails, its lease ends it.
// Unless an attempt to take the first lock may have made it lasting: then the data stay where they
// are, because nobody else could lead this cluster.
StepState release_initialize(Draft& draft) {
  if (!draft.next.bootstrapping) return StepDone{};
  const auto& obs = draft.obs;
  const auto claim =
      claim_shows_identity(obs) ? obs.view().initialize->revision : draft.next.bootstrap_key;
  Commit commit;
  commit.expect = {{StoreKey::initialize, claim}};
  commit.writes = {{StoreKey::initialize, std::nullopt, false}};
  auto state = in_store(draft, Task::write_initialize, std::move(commit));
  if (!std::holds_alternative<StepFailed>(state)) return state;
  const bool may_last = obs.ends.contains(Task::take_lock) && !claim_is_lost(draft);
  return may_last ? state : StepDone{};
}

StepState pre_promote(Draft& draft) {
  if (!draft.obs.node->has_pre_promote) return StepDone{};
  return in_server_lane(draft, RunPrePromote{});
}

StepState clone_data(Draft& draft) {
  const Job& job = *draft.next.job;
  const auto& standby = draft.obs.cluster->standby_cluster;
  auto methods = standby ? standby->create_replica_methods : std::vector<std::string>{};
  return in_server_lane(draft, CloneData{.source = job.source,
                                         .only_basebackup = job.only_basebackup,
                                         .methods = std::move(methods)});
}

// On the way back to a standby: the latch of a reign that ran out would refuse the start.
StepState recover_data(Draft& draft) {
  if (!draft.next.job->step_started) {
    draft.order(GuardOrder{GuardOrder::What::announce_standby, {}, {}});
  }
  return in_server_lane(draft, RecoverData{});
}

StepState fetch_slots(Draft& draft) {
  const Job& job = *draft.next.job;
  return in_server_lane(draft, FetchSlots{.leader = *job.source, .slots = job.slots});
}

StepState rewind_data(Draft& draft) {
  Job& job = *draft.next.job;
  if (!job.step_started) {
    job.source = rewind_source(draft.obs);
    if (!job.source) return StepFailed{"the leader to rewind from is gone"};
  }
  return in_server_lane(draft, RewindData{.source = *job.source});
}

}  // namespace

StepState advance_step(Draft& draft) {
  switch (current_step(*draft.next.job)) {
    case Step::leave_sync_duty: return leave_sync_duty(draft);
    case Step::initialize_data: return in_server_lane(draft, InitializeData{});
    case Step::start_server: return start_server(draft);
    case Step::await_primary: return await_primary(draft);
    case Step::finish_bootstrap: return in_server_lane(draft, FinishBootstrap{});
    case Step::write_initialize: return write_initialize(draft);
    case Step::write_config: return write_config(draft);
    case Step::take_first_lock: return take_first_lock(draft);
    case Step::clone_data: return clone_data(draft);
    case Step::pre_promote: return pre_promote(draft);
    case Step::promote: return promote(draft);
    case Step::checkpoint: return checkpoint(draft);
    case Step::choose_candidate: return choose_candidate(draft);
    case Step::pause_poolers: return pause_poolers(draft);
    case Step::stop_server: return stop_server(draft);
    case Step::stop_immediately: return stop_immediately(draft);
    case Step::hand_over: return hand_over(draft);
    case Step::archive_end: return in_server_lane(draft, ArchiveEnd{});
    case Step::await_new_leader: return await_new_leader(draft);
    case Step::recover_data: return recover_data(draft);
    case Step::rewind_data: return rewind_data(draft);
    case Step::release_initialize: return release_initialize(draft);
    case Step::set_data_aside: return in_server_lane(draft, SetDataAside{});
    case Step::fetch_slots: return fetch_slots(draft);
    case Step::install_slots: return in_server_lane(draft, InstallSlots{});
  }
  return StepFailed{"unknown step"};
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// From facts to remembered state. Pure; any thread.
#include "core/digest.h"

#include "core/callbacks.h"
#include "core/local_server.h"
#include "core/slots_plan.h"
#include "core/start_job.h"

namespace tanist {

namespace {

bool restarts(JobKind kind) { return kind == JobKind::restart || kind == JobKind::change_upstream; }

// The state that a running step stands for; nothing for steps that tell nothing.
std::optional<ServerState> state_of_step(const Job& job) {
  if (at_end(job) || !job.step_started) return std::nullopt;
  switch (current_step(job)) {
    case Step::initialize_data: return ServerState::initializing_new_cluster;
    case Step::clone_data: return ServerState::creating_replica;
    case Step::start_server:
      return restarts(job.kind) ? ServerState::restarting : ServerState::starting;
    case Step::stop_server:
    case Step::stop_immediately:
    case Step::hand_over:
      return restarts(job.kind) ? ServerState::restarting : ServerState::stopping;
    default: return std::nullopt;
  }
}

ServerState state_of_living(const Observation& obs) {
  const auto& server = obs.local.server;
  const auto before = obs.memory->state;
  if (server.query || server.readiness == Readiness::accepting) return ServerState::running;
  if (server.readiness == Readiness::rejecting) return ServerState::starting;
  if (paused(obs)) return ServerState::running;
  // A server that was up and does not answer is slow, not starting.
  return before == ServerState::running ? ServerState::running : ServerState::starting;
}

ServerState state_of_dead(ServerState before) {
  switch (before) {
    case ServerState::running:
    case ServerState::starting: return ServerState::crashed;
    case ServerState::stopping:
    case ServerState::restarting:
    case ServerState::creating_replica:
    case ServerState::initializing_new_cluster: return ServerState::stopped;
    default: return before;
  }
}

}  // namespace

ServerState state_now(const Observation& obs) {
  const auto& memory = *obs.memory;
  if (obs.running(Task::fence)) return ServerState::stopping;
  if (memory.job) {
    if (const auto state = state_of_step(*memory.job)) return *state;
  }
  if (obs.local.server.observed_at == Instant()) return memory.state;
  return server_alive(obs) ? state_of_living(obs) : state_of_dead(memory.state);
}

namespace {

Role role_of_living(const Observation& obs) {
  const auto before = obs.memory->role;
  const auto& query = obs.local.server.query;
  if (!query) return before == Role::uninitialized ? Role::replica : before;
  if (!query->in_recovery) return Role::primary;
  if (before == Role::promoted && obs.holds_lock()) return Role::promoted;
  if (in_standby_cluster(obs) && obs.holds_lock()) return Role::standby_leader;
  return Role::replica;
}

Role role_at_start(const Observation& obs) {
  const auto& server = obs.local.server;
  return server.standby_signal || server.recovery_signal ? Role::replica : Role::demoted;
}

}  // namespace

Role role_now(const Observation& obs) {
  const auto before = obs.memory->role;
  const auto& server = obs.local.server;
  if (server.observed_at == Instant()) return before;
  if (server_alive(obs)) return role_of_living(obs);
  if (server.data == DataDirectory::absent_or_empty) return Role::uninitialized;
  if (before == Role::uninitialized) return role_at_start(obs);
  return before;
}

namespace {

bool runs(const MemberView* member) {
  return member != nullptr && member->state == ServerState::running;
}

// The leader's server is back: without a word its standbys would try it again in some seconds only.
void hasten_receiver(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& query = obs.local.server.query;
  const auto& before = draft.next.locked_view;
  const bool stands_by = server_alive(obs) && query && query->in_recovery;
  if (!stands_by || !before || !before->leader) return;
  if (!obs.view().locked_by(before->leader->name)) return;
  if (runs(obs.view().leader_member()) && !runs(before->leader_member())) {
    draft.start(Task::wake_receiver, ServerAction(WakeReceiver{}), no_limit);
  }
}

void digest_view(Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.store.view) return;
  hasten_receiver(draft);
  if (!draft.next.first_view_at) draft.next.first_view_at = obs.now;
  if (obs.view().locked() || !draft.next.locked_view) {
    warn_of_shared_slots(draft, draft.next.locked_view);
    draft.next.locked_view = obs.store.view;
  }
  if (obs.view().locked()) {
    draft.next.unlocked_since.reset();
  } else if (!draft.next.unlocked_since) {
    draft.next.unlocked_since = obs.now;
  }
}

// A leader keeps the slots of vanished members for member_slots_ttl (contract postgres 10.5). A new
// leader starts the clock of every name that the old one retained. Everybody looks when members
// were there: should the store lose its data, nothing else tells.
void digest_slots(Draft& draft) {
  const auto& obs = draft.obs;
  auto& seen = draft.next.slots_seen;
  if (!obs.store.view) return seen.clear();
  const bool begins = obs.holds_lock() && !obs.memory->led;
  if ((begins || (obs.holds_lock() && seen.empty())) && obs.view().status) {
    for (const auto& slot : obs.view().status->retain_slots) seen[slot] = obs.now;
  }
  const bool news = begins || obs.now == obs.store.view_at || obs.now == obs.cycle_began;
  if (!news && !seen.empty()) return;
  for (const auto& [name, member] : obs.view().members) {
    if (name != obs.node->name && !member.tags.nostream) seen[slot_name_of(name)] = obs.now;
  }
  const Duration ttl = obs.cluster->member_slots_ttl;
  if (ttl <= Duration(0)) return seen.clear();
  for (auto at = seen.begin(); at != seen.end();) {
    const bool expired = obs.now - at->second > ttl;
    if (expired && obs.holds_lock()) {
      draft.log(LineLevel::info,
                "Replication slot '{}' for absent cluster member is expired after {} sec.",
                at->first, obs.cluster->member_slots_ttl.count());
    }
    at = expired ? seen.erase(at) : std::next(at);
  }
}

void digest_pause(Draft& draft) {
  const bool now_paused = paused(draft.obs);
  if (draft.next.was_paused && !now_paused) draft.next.rewind = RewindState::initial;
  // In pause nothing is fenced (safety 1.8); the next renewal after it arms the guard again.
  const bool watched = draft.obs.local.guard == GuardState::armed ||
                       draft.obs.local.watchdog.state == WatchdogState::active;
  if (now_paused && watched) {
    draft.order(GuardOrder{GuardOrder::What::disarm, {}, {}});
  }
  draft.next.was_paused = now_paused;
}

// A standby that becomes the one that the others follow, or ceases to be it (contract ha 6.5 row
// 10). A long action tells of its own changes.
void tell_role_change(Draft& draft) {
  const auto before = draft.obs.memory->role;
  const auto after = draft.next.role;
  const bool told = (before == Role::replica && after == Role::standby_leader) ||
                    (before == Role::standby_leader && after == Role::replica);
  if (told && !draft.next.job) fire_callback(draft, "on_role_change");
}

}  // namespace

void digest(Draft& draft) {
  const auto& obs = draft.obs;
  auto& next = draft.next;
  const auto state = state_now(obs);
  if (state != next.state) next.state_since = obs.now;
  next.state = state;
  next.role = role_now(obs);
  tell_role_change(draft);
  if (const auto position = wal_position(obs); position != Lsn()) {
    next.last_wal_position = position;
  }
  if (!server_alive(obs) || (obs.local.server.query && obs.local.server.query->in_recovery)) {
    next.demoting = next.demoting && next.job.has_value();
  }
  if (server_alive(obs) && !next.job) next.stopped_for_rewind = false;
  next.led = obs.holds_lock();
  if (!obs.holds_lock()) {
    next.sync = SyncProof{};
    next.promoted_reign = Revision(0);  // a store that lost its data may use its revision again
  }
  const auto& query = obs.local.server.query;
  if (obs.holds_lock() && query && !query->in_recovery) {
    next.promoted_reign = obs.lock.reign->create_revision;  // by this process or one before it
  }
  digest_view(draft);
  digest_slots(draft);
  digest_pause(draft);
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Answers about the local server. Pure; any thread.
#include "core/local_server.h"

#include "core/logical_slots.h"
#include "core/synchronous_mode.h"
#include "core/upstream.h"

namespace tanist {

bool server_alive(const Observation& obs) { return obs.local.server.postmaster.has_value(); }

namespace {

bool cached_primary(const Observation& obs) {
  const auto role = obs.memory->role;
  return role == Role::primary || role == Role::promoted;
}

}  // namespace

bool is_primary(const Observation& obs) {
  if (!server_alive(obs)) return false;
  if (obs.local.server.query) return !obs.local.server.query->in_recovery;
  return obs.memory->role == Role::primary;
}

bool may_be_writable(const Observation& obs) {
  if (!server_alive(obs)) return false;
  if (obs.local.server.query) return !obs.local.server.query->in_recovery || cached_primary(obs);
  return cached_primary(obs);
}

Lsn wal_position(const Observation& obs) {
  return obs.local.server.query ? obs.local.server.query->wal_position() : Lsn();
}

Timeline local_timeline(const Observation& obs) {
  const auto& query = obs.local.server.query;
  if (!query) return Timeline();
  return query->in_recovery ? query->received_timeline : query->timeline;
}

SystemId local_system_id(const Observation& obs) {
  return obs.local.server.control ? obs.local.server.control->system_id : SystemId();
}

bool facts_are_fresh(const Observation& obs) {
  return obs.local.server.observed_at >= obs.cycle_began;
}

Duration guard_margin(seconds ttl) { return milliseconds(500) + Duration(ttl) / 1000; }

Instant server_until(const Observation& obs) {
  const auto& resets_at = obs.local.watchdog.resets_at;
  if (!resets_at) return obs.lock.until;
  // The guard fires F before what it is armed for: so 2 s before the device.
  return std::min<Instant>(obs.lock.until, *resets_at - seconds(2) + guard_margin(obs.timing.ttl));
}

Instant fence_at(const Observation& obs) {
  return server_until(obs) - guard_margin(obs.timing.ttl) - milliseconds(500);
}

bool paused(const Observation& obs) { return obs.cluster->pause; }

bool in_standby_cluster(const Observation& obs) { return obs.cluster->standby_cluster.has_value(); }

bool leads_standby_cluster(const Observation& obs) {
  return in_standby_cluster(obs) && (obs.holds_lock() || obs.memory->bootstrapping);
}

ServerGoal standby_goal(const Observation& obs) {
  ServerGoal goal;
  goal.standby = true;
  goal.role = leads_standby_cluster(obs) ? Role::standby_leader : Role::replica;
  goal.upstream = choose_upstream(obs);
  goal.standby_cluster = obs.cluster->standby_cluster;
  goal.synchronous_standby_names = names_for_standby(obs);
  goal.hot_standby_feedback = needs_feedback(obs);
  return goal;
}

ServerGoal current_goal(const Observation& obs) {
  if (!is_primary(obs)) return standby_goal(obs);
  ServerGoal goal;
  goal.role = Role::primary;
  goal.synchronous_standby_names = names_for_primary(obs, *obs.memory);
  return goal;
}

}  // namespace tanist

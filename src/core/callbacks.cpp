// SPDX-License-Identifier: Apache-2.0
// Callbacks. Pure; any thread.
#include "core/callbacks.h"

namespace tanist {

namespace {

bool was_primary(Role role) {
  return role == Role::primary || role == Role::promoted || role == Role::demoted;
}

Role role_of_goal(const Draft& draft, const Job& job) {
  if (!job.goal.standby) return Role::primary;
  const bool leads_standby = draft.obs.cluster->standby_cluster && draft.obs.holds_lock();
  return leads_standby ? Role::standby_leader : Role::replica;
}

}  // namespace

void fire_callback(Draft& draft, std::string event) {
  if (draft.next.bootstrapping) return;
  // `promoted` is passed as primary (contract postgres 12.1).
  const auto role = draft.next.role == Role::promoted ? Role::primary : draft.next.role;
  if (event != "on_reload") draft.next.callbacks_fired = true;
  draft.order(RunCallback{std::move(event), role});
}

void fire_start_callback(Draft& draft, const Job& job) {
  const auto before = draft.next.role;
  const auto after = role_of_goal(draft, job);
  const bool changes = was_primary(before) != (after == Role::primary) ||
                       (before == Role::replica && after == Role::standby_leader) ||
                       (before == Role::standby_leader && after == Role::replica);
  draft.next.role = after;
  if (changes && draft.next.callbacks_fired) return fire_callback(draft, "on_role_change");
  const bool restarted = job.kind == JobKind::restart || job.kind == JobKind::copy_slots ||
                         job.kind == JobKind::change_upstream;
  fire_callback(draft, restarted ? "on_restart" : "on_start");
}

void note_stop(Draft& draft, const Job& job) {
  const bool within_restart = job.kind == JobKind::restart ||
                              job.kind == JobKind::change_upstream ||
                              job.kind == JobKind::copy_slots;
  if (within_restart) return;
  fire_callback(draft, "on_stop");
  if (was_primary(draft.next.role)) draft.next.role = Role::demoted;
}

}  // namespace tanist

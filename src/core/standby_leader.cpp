// SPDX-License-Identifier: Apache-2.0
// The standby leader. Pure; any thread.
#include "core/standby_leader.h"

#include "core/divergence.h"
#include "core/leader.h"
#include "core/leader_upkeep.h"
#include "core/local_server.h"
#include "core/replica.h"
#include "core/start_job.h"

namespace tanist {

namespace {

// `standby_cluster` appeared in the configuration of a cluster that has a primary. The lock is
// kept: nobody else could do anything with it (docs/decisions/0005).
Why demote_cluster(Draft& draft) {
  need_divergence_check(draft);
  draft.log(LineLevel::info, "Demoting self (demote-cluster)");
  auto job = make_job(JobKind::demote_cluster, "demoting to a standby cluster");
  job.goal.standby = true;
  draft.next.demoting = true;
  begin(draft, std::move(job));
  return because(Reason::demoting_cluster, draft.obs.node->name.value());
}

Reason reason_now(const Observation& obs) {
  if (!reign_begins(obs)) return Reason::standby_leader_steady;
  return won_this_lock(obs) ? Reason::standby_leader_after_race : Reason::standby_leader_with_lock;
}

}  // namespace

Why lead_standby_cluster(Draft& draft) {
  const auto& obs = draft.obs;
  if (is_primary(obs) || draft.next.role == Role::promoted) {
    if (paused(obs)) return because(Reason::primary_without_lock_in_pause);
    return demote_cluster(draft);
  }
  draft.next.role = Role::standby_leader;
  if (auto why = follow(draft)) return *why;
  keep_up_standby_leader(draft);
  return because(reason_now(obs), obs.node->name.value());
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Leading. Pure; any thread.
#include "core/leader.h"

#include "core/failover_request.h"
#include "core/leader_upkeep.h"
#include "core/local_server.h"
#include "core/promotion_evidence.h"
#include "core/published_values.h"
#include "core/start_job.h"
#include "core/synchronous_mode.h"
#include "core/watchdog.h"

namespace tanist {

namespace {

void release_plainly(Draft& draft) {
  draft.start(Task::release_lock,
              ReleaseLock{.reign = *draft.obs.lock.reign,
                          .status = std::nullopt,
                          .member = text_form(member_value(draft.obs, draft.next))},
              Duration(draft.obs.timing.retry_timeout));
}

// In pause a lock holder that is no primary gives the lock up, unless it waits to be promoted by
// hand as a named candidate.
std::optional<Why> lead_in_pause(Draft& draft) {
  const auto& obs = draft.obs;
  if (!paused(obs) || is_primary(obs) || in_standby_cluster(obs)) return std::nullopt;
  const auto& failover = obs.view().failover;
  if (failover && failover->present() && failover->member == obs.node->name) return std::nullopt;
  release_plainly(draft);
  return because(Reason::lock_not_primary_in_pause);
}

std::optional<Why> withdraw_after_pre_promote(Draft& draft) {
  const auto& failed_at = draft.next.pre_promote_failed_at;
  if (!failed_at || *failed_at < draft.obs.lock.taken_at || paused(draft.obs)) return std::nullopt;
  draft.log(LineLevel::warning,
            "Releasing the leader key voluntarily because the pre-promote script failed");
  release_plainly(draft);
  return because(Reason::pre_promote_failed);
}

// The winner of the race clears the request that it served (contract ha 7.2). True while it is
// still there: it must not be taken for a new one.
bool clears_served_request(Draft& draft) {
  const auto& failover = draft.obs.view().failover;
  const bool served = failover && failover->present() && draft.next.won_over == failover->revision;
  if (served) clear_request(draft);
  return served;
}

Why promote(Draft& draft) {
  const bool after_race = draft.next.promoted_reign != draft.obs.lock.reign->create_revision;
  if (!promotion_is_safe(draft)) {
    return because(Reason::leader_awaits_evidence, earlier_leader(draft).value_or(MemberName()).value());
  }
  if (auto why = prepare_synchronous_promotion(draft)) return *why;
  draft.next.promoted_reign = draft.obs.lock.reign->create_revision;
  return begin_promotion(draft, after_race);
}

}  // namespace

Why lead(Draft& draft) {
  const auto& obs = draft.obs;
  if (draft.busy(Task::release_lock)) {
    return because(watchdog_failed(obs) ? Reason::released_without_watchdog
                                        : Reason::pre_promote_failed);
  }
  if (auto why = lead_in_pause(draft)) return *why;
  if (!clears_served_request(draft)) {
    if (auto why = serve_request(draft)) return *why;
  }
  if (auto why = withdraw_after_pre_promote(draft)) return *why;
  if (auto why = await_watchdog(draft)) return *why;
  if (!is_primary(obs)) return promote(draft);
  draft.next.role = Role::primary;
  keep_up(draft);
  return because(Reason::leader_steady, obs.node->name.value());
}

}  // namespace tanist

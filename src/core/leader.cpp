// SPDX-License-Identifier: Apache-2.0
// Leading. Pure; any thread.
#include "core/leader.h"

#include "core/failover_request.h"
#include "core/leader_upkeep.h"
#include "core/local_server.h"
#include "core/pooler_pause.h"
#include "core/promotion_evidence.h"
#include "core/published_values.h"
#include "core/standby_leader.h"
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

// In pause a lock holder that is no primary gives the lock up, unless it took it as a named
// candidate.
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
  // Nobody has said that the lock is still ours: what is promoted now has to stop again at once.
  const auto& lock = draft.obs.lock;
  if (lock.unanswered && !lock.by_failsafe) return because(Reason::store_unreachable);
  const bool after_race = draft.next.promoted_reign != draft.obs.lock.reign->create_revision;
  if (!promotion_is_safe(draft)) {
    return because(Reason::leader_awaits_evidence,
                   earlier_leader(draft).value_or(MemberName()).value());
  }
  if (auto why = prepare_synchronous_promotion(draft)) return *why;
  draft.next.promoted_reign = draft.obs.lock.reign->create_revision;
  return begin_promotion(draft, after_race);
}

Why lead_cluster(Draft& draft) {
  if (auto why = withdraw_after_pre_promote(draft)) return *why;
  if (auto why = await_watchdog(draft)) return *why;
  if (!is_primary(draft.obs)) return promote(draft);
  draft.next.role = Role::primary;
  keep_up(draft);
  // It found the cluster without a leader, in pause or when it was taken over. A promotion says so
  // itself.
  const bool acquired = reign_begins(draft.obs) && won_this_lock(draft.obs);
  return because(acquired ? Reason::leader_acquired_lock : Reason::leader_steady,
                 draft.obs.node->name.value());
}

}  // namespace

bool won_this_lock(const Observation& obs) {
  const auto took = obs.ends.find(Task::take_lock);
  return obs.holds_lock() && took != obs.ends.end() && took->second.ok &&
         took->second.at >= obs.lock.taken_at;
}

bool reign_begins(const Observation& obs) {
  constexpr Duration first_cycle = seconds(1);  // it begins when the lock was taken
  return obs.holds_lock() && obs.cycle_began <= obs.lock.taken_at + first_cycle;
}

Why lead(Draft& draft) {
  if (draft.busy(Task::release_lock)) return because(Reason::observing);
  resume_poolers(draft);
  if (auto why = lead_in_pause(draft)) return *why;
  if (!clears_served_request(draft) && history_is_told(draft)) {
    if (auto why = serve_request(draft)) return *why;
  }
  return in_standby_cluster(draft.obs) ? lead_standby_cluster(draft) : lead_cluster(draft);
}

std::optional<Why> notice_lost_lock(Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.memory->led || obs.holds_lock()) return std::nullopt;
  const auto released = obs.ends.find(Task::release_lock);
  const bool given_away =
      released != obs.ends.end() && released->second.ok && released->second.at == obs.now;
  if (given_away || !server_alive(obs)) return std::nullopt;
  if (is_primary(obs) && !paused(obs)) return std::nullopt;  // fenced
  draft.log(LineLevel::error, "failed to update leader lock");
  return because(is_primary(obs) ? Reason::leader_lost_lock_in_pause : Reason::standby_lost_lock);
}

}  // namespace tanist

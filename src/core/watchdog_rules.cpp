// SPDX-License-Identifier: Apache-2.0
// Watchdog rules. Pure; any thread.
#include "core/watchdog_rules.h"

#include "core/local_server.h"
#include "core/published_values.h"
#include "core/start_job.h"

namespace tanist {

bool watchdog_is_missing(const Observation& obs) {
  const auto state = obs.local.watchdog;
  const bool usable = state == WatchdogState::inactive || state == WatchdogState::active;
  return obs.node->watchdog == WatchdogMode::required && !usable;
}

bool lacks_required_watchdog(Draft& draft) {
  const bool lacks = watchdog_is_missing(draft.obs);
  if (lacks) draft.log(LineLevel::warning, "Watchdog device is not usable");
  return lacks;
}

namespace {

Why stop_unwatched_primary(Draft& draft) {
  draft.next.demoting = true;
  draft.next.role = Role::demoted;
  draft.log(LineLevel::info, "Demoting self (immediate)");
  draft.start(Task::fence, ServerAction(FenceServer{milliseconds(500)}), no_limit);
  return because(Reason::watchdog_not_activated, draft.obs.node->name.value());
}

Why give_lock_back(Draft& draft) {
  const auto& obs = draft.obs;
  draft.start(Task::release_lock,
              ReleaseLock{.reign = *obs.lock.reign,
                          .status = std::nullopt,
                          .member = text_form(member_value(obs, draft.next))},
              Duration(obs.timing.retry_timeout));
  return because(Reason::watchdog_not_promoting, obs.node->name.value());
}

}  // namespace

std::optional<Why> heed_watchdog(Draft& draft) {
  const auto& obs = draft.obs;
  if (paused(obs) || !watchdog_is_missing(obs)) return std::nullopt;
  draft.log(LineLevel::error,
            "Configuration requires watchdog, but watchdog could not be configured.");
  return is_primary(obs) ? stop_unwatched_primary(draft) : give_lock_back(draft);
}

}  // namespace tanist

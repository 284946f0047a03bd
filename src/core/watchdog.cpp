// SPDX-License-Identifier: Apache-2.0
// The required watchdog. Pure; any thread.
#include "core/watchdog.h"

#include "core/job_progress.h"
#include "core/local_server.h"
#include "core/published_values.h"
#include "core/start_job.h"

namespace tanist {

namespace {

bool is_required(const Observation& obs) {
  return obs.node->watchdog == WatchdogMode::required && !paused(obs) && !in_standby_cluster(obs);
}

Why stop_primary(Draft& draft) {
  abandon_job(draft, "the server is stopped at once");
  draft.log(LineLevel::info, "Demoting self (immediate)");
  draft.next.demoting = true;
  draft.next.role = Role::demoted;
  draft.start(Task::fence, ServerAction(FenceServer{milliseconds(500)}), no_limit);
  return because(Reason::demoting_without_watchdog, draft.obs.node->name.value());
}

Why release_lock(Draft& draft) {
  draft.start(Task::release_lock,
              ReleaseLock{.reign = *draft.obs.lock.reign,
                          .status = std::nullopt,
                          .member = text_form(member_value(draft.obs, draft.next))},
              Duration(draft.obs.timing.retry_timeout));
  return because(Reason::released_without_watchdog);
}

}  // namespace

bool watchdog_failed(const Observation& obs) {
  const auto state = obs.local.watchdog.state;
  return obs.node->watchdog == WatchdogMode::required &&
         (state == WatchdogState::failed || state == WatchdogState::off);
}

std::optional<Why> await_watchdog(Draft& draft) {
  const auto& obs = draft.obs;
  if (!is_required(obs) || obs.local.watchdog.state == WatchdogState::active) return std::nullopt;
  if (obs.local.watchdog.state == WatchdogState::failed) {
    draft.log(LineLevel::error,
              "Configuration requires watchdog, but watchdog could not be configured.");
    return is_primary(obs) ? stop_primary(draft) : release_lock(draft);
  }
  // The device is started by the renewal that proved the lock; a moment passes until it says so.
  if (is_primary(obs)) return std::nullopt;
  return because(Reason::leader_awaits_watchdog);
}

}  // namespace tanist

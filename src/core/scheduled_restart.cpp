// SPDX-License-Identifier: Apache-2.0
// Scheduled restarts. Pure; any thread.
#include "core/scheduled_restart.h"

#include "base/time.h"
#include "core/job_progress.h"
#include "core/local_server.h"
#include "core/restart_filter.h"

namespace tanist {

namespace {

// Dropped without being run: it is overtaken or came too late (contract ha 13.4 and 14.3).
bool is_void(Draft& draft, const ScheduledRestart& restart) {
  const auto& obs = draft.obs;
  const auto& started = obs.local.server.query->postmaster_start_time;
  if (!restart.postmaster_start_time.empty() && started != restart.postmaster_start_time) {
    draft.log(LineLevel::info,
              "Cancelling scheduled restart: postgres restart has already happened at {}", started);
    return true;
  }
  if (restart.at - obs.wall >= -Duration(obs.timing.loop_wait) * 3 / 2) return false;
  draft.log(LineLevel::warning, "Found a stale restart value, cleaning up: {}",
            to_iso8601(restart.at));
  return true;
}

bool moment_has_come(Draft& draft, const ScheduledRestart& restart) {
  const auto& obs = draft.obs;
  const Duration left = restart.at - obs.wall;
  if (left <= Duration(0)) return true;
  draft.wake(left);
  if (left > Duration(obs.timing.loop_wait)) {
    draft.log(LineLevel::info, "Awaiting restart at {} (in {} seconds)", to_iso8601(restart.at),
              std::chrono::duration_cast<seconds>(left).count());
  }
  return false;
}

}  // namespace

std::optional<Why> run_scheduled_restart(Draft& draft) {
  const auto& obs = draft.obs;
  if (!draft.next.scheduled_restart || paused(obs) || draft.next.job) return std::nullopt;
  if (!obs.local.server.query || !obs.view().locked() || draft.busy(Task::server)) {
    return std::nullopt;
  }
  const auto restart = *draft.next.scheduled_restart;
  if (is_void(draft, restart)) {
    draft.next.scheduled_restart.reset();
    return std::nullopt;
  }
  if (!moment_has_come(draft, restart)) return std::nullopt;
  draft.next.scheduled_restart.reset();
  draft.log(LineLevel::info, "Manual scheduled restart at {}", to_iso8601(restart.at));
  auto conditions = restart.request;
  conditions.erase("schedule");
  RestartFilter filter;
  const bool readable = !read_restart_filter(obs, conditions, &filter);
  if (!readable || !restart_matches(draft, filter)) {
    return because(Reason::scheduled_restart_refused, {}, "restart conditions are not satisfied");
  }
  begin_restart(draft, filter, std::nullopt);
  return draft.next.job ? std::optional(job_status(draft)) : std::nullopt;
}

Tree scheduled_restart_value(const Memory& memory) {
  const auto& restart = memory.scheduled_restart;
  if (!restart) return {};
  auto value = restart->request;
  const auto& started = restart->postmaster_start_time;
  value.set("postmaster_start_time", started.empty() ? Tree() : Tree(started));
  return value;
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Release from sync duty. Pure; any thread.
#include "core/leave_sync_duty.h"

#include "core/local_server.h"
#include "core/published_values.h"
#include "core/synchronous_view.h"

namespace tanist {

namespace {

constexpr Duration put_limit = seconds(2);

bool has_duty(const Observation& obs) {
  if (!obs.store.current || obs.holds_lock() || !server_alive(obs)) return false;
  const auto& view = obs.view();
  return synchronous_active(obs) && view.locked() &&
         same_name(view.leader->name, view.sync->leader) &&
         is_sync_standby(*view.sync, obs.node->name);
}

}  // namespace

StepState leave_sync_duty(Draft& draft) {
  const auto& obs = draft.obs;
  Job& job = *draft.next.job;
  const auto limit = job.step_began + 2 * Duration(obs.timing.loop_wait);
  if (!has_duty(obs) || obs.now >= limit) return StepDone{};
  draft.wake(limit);
  if (job.step_started) return StepGoesOn{};
  if (draft.busy(Task::put_member)) return StepGoesOn{};
  job.step_started = true;
  draft.next.leaving_sync = true;
  draft.log(LineLevel::info, "Waiting for primary to release us from synchronous standby");
  draft.start(Task::put_member, PutMember{text_form(member_value(obs, draft.next))}, put_limit);
  return StepGoesOn{};
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Beginning of long actions. Pure; any thread.
#include "core/start_job.h"

#include "base/assert.h"
#include "core/failover_request.h"
#include "core/job_progress.h"
#include "core/local_server.h"
#include "core/logical_slots.h"
#include "core/synchronous_mode.h"
#include "core/upstream.h"

namespace tanist {

Job make_job(JobKind kind, std::string label) {
  Job job;
  job.kind = kind;
  job.label = std::move(label);
  return job;
}

void begin(Draft& draft, Job job) {
  TANIST_REQUIRE(!draft.next.job);
  job.began = draft.obs.now;
  job.step_began = draft.obs.now;
  if (draft.obs.lock.reign) job.reign = *draft.obs.lock.reign;
  draft.next.job = std::move(job);
  continue_job(draft);
}

Why begin_handing_over(Draft& draft, const MemberName& candidate) {
  const auto name = request_name(draft.obs);
  auto job = make_job(JobKind::demote_handing_over, name + ": demote");
  job.candidate = candidate;
  job.goal.standby = true;  // whatever becomes of it, what starts at its end is no primary
  draft.log(LineLevel::info, "Demoting self (graceful)");
  begin(draft, std::move(job));
  return because(Reason::switchover_demoting, name);
}

Why begin_promotion(Draft& draft, bool after_race) {
  auto job = make_job(JobKind::promote, "promote");
  job.goal.standby = false;
  job.goal.role = Role::primary;
  job.goal.synchronous_standby_names = names_for_primary(draft.obs, draft.next);
  warn_of_unready_slots(draft);
  begin(draft, std::move(job));
  return because(after_race ? Reason::leader_promoting_after_race
                            : Reason::leader_promoting_with_lock);
}

void begin_standby(Draft& draft, std::string label) {
  auto job = make_job(JobKind::start_standby, std::move(label));
  job.goal.standby = true;
  begin(draft, std::move(job));
}

void begin_upstream_change(Draft& draft) {
  auto job = make_job(JobKind::change_upstream, "changing primary_conninfo and restarting");
  job.goal.standby = true;
  begin(draft, std::move(job));
}

}  // namespace tanist

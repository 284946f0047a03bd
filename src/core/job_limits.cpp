// SPDX-License-Identifier: Apache-2.0
// Limits of long actions. Pure; any thread.
#include "core/job_limits.h"

#include "core/candidates.h"
#include "core/job_progress.h"
#include "core/local_server.h"

namespace tanist {

namespace {

// pre_promote may take minutes; without the lock there is nothing to promote for (trap 16).
bool promotes_without_lock(const Draft& draft) {
  const auto& job = *draft.next.job;
  return job.kind == JobKind::promote && current_step(job) == Step::pre_promote &&
         !draft.obs.holds_lock() && !paused(draft.obs);
}

// Single-user recovery past primary_start_timeout, and somebody else could lead meanwhile.
bool recovers_too_long(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& job = *draft.next.job;
  if (job.kind != JobKind::recover || !obs.holds_lock() || paused(obs)) return false;
  const auto limit = job.began + Duration(obs.cluster->primary_start_timeout);
  draft.wake(std::max<Instant>(limit, obs.now + Duration(obs.timing.loop_wait)));
  if (obs.now < limit) return false;
  const CandidateSearch search;
  auto round = draft.next.last_round;
  const auto good = good_candidates(draft, round, search);
  return good && failover_possible(draft, *good, search);
}

}  // namespace

std::optional<Why> limit_job(Draft& draft) {
  if (!draft.next.job) return std::nullopt;
  if (promotes_without_lock(draft)) {
    abandon_job(draft, "the leader lock was lost before promote");
    return because(Reason::lost_leader_before_promote);
  }
  if (!recovers_too_long(draft)) return std::nullopt;
  draft.log(LineLevel::info, "Demoting self because crash recovery is taking too long");
  abandon_job(draft, "it took longer than primary_start_timeout");
  // As after a start that failed: when the process has ended, the lock is given away.
  draft.next.recovering = true;
  draft.next.rewind = RewindState::initial;
  return because(Reason::recovery_timed_out);
}

}  // namespace tanist

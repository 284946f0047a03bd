// SPDX-License-Identifier: Apache-2.0
// Shutdown of the agent. Pure; any thread.
#include "core/shutdown.h"

#include "core/fence.h"
#include "core/job_progress.h"
#include "core/local_server.h"
#include "core/published_values.h"
#include "core/requests.h"
#include "core/start_job.h"

namespace tanist {

namespace {

Why leave(Draft& draft, Reason reason) {
  draft.order(Leave{draft.next.exit_code});
  return because(reason, draft.obs.node->name.value());
}

// One last look for everybody: state stopped (contract dcs 4.3).
bool last_words_are_said(Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.store.view || !obs.store.current || obs.store.lease == LeaseId(0)) return true;
  const auto end = obs.ends.find(Task::put_member);
  if (draft.next.said_goodbye_at) {
    const bool said = end != obs.ends.end() && end->second.at >= *draft.next.said_goodbye_at;
    return said && !draft.busy(Task::put_member);
  }
  if (draft.busy(Task::put_member)) return false;
  draft.next.said_goodbye_at = obs.now;
  Memory last = draft.next;
  last.job.reset();
  draft.start(Task::put_member, PutMember{text_form(member_value(obs, last))}, seconds(1));
  draft.wake(seconds(1));
  return false;
}

}  // namespace

Why shut_down(Draft& draft) {
  const auto& obs = draft.obs;
  refuse_requests(draft);
  if (!obs.store.view) return leave(draft, Reason::shut_down);
  if (paused(obs)) {
    draft.log(LineLevel::info,
              "Leader key is not deleted and Postgresql is not stopped due paused state");
    return leave(draft, Reason::shut_down_in_pause);
  }
  // A bootstrap that was abandoned stops its server by itself.
  const bool stopping = draft.next.job && (draft.next.job->kind == JobKind::stop_for_good ||
                                           draft.next.job->kind == JobKind::abandon_bootstrap);
  if (!stopping && !draft.next.stopped_for_good) {
    if (draft.next.job) abandon_job(draft, "the agent is shutting down");
    if (draft.busy(Task::server)) return because(Reason::shutting_down, obs.node->name.value());
    draft.next.job.reset();
    draft.next.stopped_for_good = true;
    begin(draft, make_job(JobKind::stop_for_good, "shutdown"));
    return because(Reason::shutting_down, obs.node->name.value());
  }
  continue_job(draft);
  if (draft.next.job) return because(Reason::shutting_down, obs.node->name.value());
  if (draft.next.state == ServerState::stop_failed) {
    draft.log(LineLevel::error, "PostgreSQL shutdown failed, leader key not removed.");
    return leave(draft, Reason::shut_down);
  }
  if (!last_words_are_said(draft)) return because(Reason::shutting_down, obs.node->name.value());
  return leave(draft, Reason::shut_down);
}

}  // namespace tanist

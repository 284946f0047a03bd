// SPDX-License-Identifier: Apache-2.0
// POST and DELETE /restart, POST /reinitialize (contract rest 12 and 13). Pure; any thread.
#include "base/time.h"
#include "core/empty_node.h"
#include "core/job_progress.h"
#include "core/local_server.h"
#include "core/request_reply.h"
#include "core/restart_filter.h"
#include "core/upstream.h"

namespace tanist {

namespace {

using Stage = PendingRequest::Stage;

RequestOutcome restart_now(Draft& draft, PendingRequest& pending, const RestartFilter& filter) {
  if (!restart_matches(draft, filter)) {
    return reply_text(503, "restart conditions are not satisfied");
  }
  if (draft.next.job) return reply_text(503, draft.next.job->label + " already in progress");
  if (draft.busy(Task::server)) return std::nullopt;
  pending.stage = Stage::acting;
  begin_restart(draft, filter, pending.request.id);
  return std::nullopt;
}

RequestOutcome schedule_restart(Draft& draft, const Tree& body, WallTime at) {
  if (draft.next.scheduled_restart) {
    return reply_text(409, "Another restart is already scheduled");
  }
  const auto& query = draft.obs.local.server.query;
  auto request = body;
  const auto given = parse_timestamp(given_text(body, "schedule"));
  request.set("schedule", to_iso8601(at, given ? given->offset : std::chrono::minutes(0)));
  draft.next.scheduled_restart =
      ScheduledRestart{.at = at,
                       .request = std::move(request),
                       .postmaster_start_time = query ? query->postmaster_start_time : ""};
  return reply_text(202, "Restart scheduled");
}

}  // namespace

RequestOutcome serve_restart(Draft& draft, PendingRequest& pending) {
  if (pending.stage == Stage::acting) return std::nullopt;
  RestartFilter filter;
  const auto& body = pending.request.body;
  if (auto error = read_restart_filter(draft.obs, body, &filter)) return error;
  if (filter.at) return schedule_restart(draft, body, *filter.at);
  return restart_now(draft, pending, filter);
}

RequestOutcome serve_cancel_restart(Draft& draft) {
  if (!draft.next.scheduled_restart) return reply_text(404, "no restarts are scheduled");
  draft.next.scheduled_restart.reset();
  return reply_text(200, "scheduled restart deleted");
}

RequestOutcome serve_reinitialize(Draft& draft, PendingRequest& pending) {
  const auto& obs = draft.obs;
  const auto& body = pending.request.body;
  const auto flag = [&](std::string_view key) {
    const auto* value = body.find(key);
    return value != nullptr && to_bool(*value).value_or(false);
  };
  // A standby cluster's data can be had from the server that it follows.
  if (!obs.view().locked() && !remote_source(obs)) {
    return reply_text(503, "Cluster has no leader, can not reinitialize");
  }
  if (obs.view().locked_by(obs.node->name)) {
    return reply_text(503, "I am the leader, can not reinitialize");
  }
  if (draft.next.job) {
    if (!flag("force")) return reply_text(503, draft.next.job->label + " already in progress");
    abandon_job(draft, "cancelled by reinitialize");
  }
  if (draft.next.job || draft.busy(Task::server)) return std::nullopt;
  begin_reinitialize(draft, flag("from_leader"), RequestId());
  return reply_text(200, "reinitialize started");
}

}  // namespace tanist

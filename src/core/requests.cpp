// SPDX-License-Identifier: Apache-2.0
// Dispatch of pending requests, and the simple ones. Pure; any thread.
#include "core/requests.h"

#include "core/cluster_document.h"
#include "core/request_reply.h"

namespace tanist {

const TaskEnd* written(const Draft& draft, const PendingRequest& pending) {
  if (draft.busy(Task::operator_write)) return nullptr;
  const auto end = draft.obs.ends.find(Task::operator_write);
  if (end == draft.obs.ends.end() || end->second.at < pending.arrived_at) return nullptr;
  return &end->second;
}

namespace {

RequestOutcome serve_cluster(Draft& draft, PendingRequest& pending) {
  if (pending.stage == PendingRequest::Stage::arrived) {
    if (draft.busy(Task::read_cluster)) return std::nullopt;
    draft.start(Task::read_cluster, ReadCluster{}, Duration(draft.obs.timing.retry_timeout));
    pending.stage = PendingRequest::Stage::watching;
    return std::nullopt;
  }
  const auto end = draft.obs.ends.find(Task::read_cluster);
  if (end == draft.obs.ends.end() || end->second.at < pending.arrived_at) return std::nullopt;
  if (!end->second.ok) return reply_page(503, "the store is not accessible");
  return reply_json(cluster_document(draft.obs.view(), *draft.obs.cluster, draft.obs.node->scope));
}

RequestOutcome serve_document(Draft& draft, PendingRequest& pending) {
  if (pending.request.endpoint == ApiEndpoint::get_history) {
    const auto& history = draft.obs.view().history;
    return reply_json(history && history->value->is_list() ? *history->value : Tree::list());
  }
  const auto& config = draft.obs.view().config;
  if (!config || !config->valid) return reply_page(502, "the configuration key is missing");
  return reply_json(config->value);
}

RequestOutcome serve_reload(Draft& draft) {
  draft.start(Task::reload_settings, ReloadSettings{}, seconds(30));
  return reply_text(202, "reload scheduled");
}

RequestOutcome serve(Draft& draft, PendingRequest& pending) {
  switch (pending.request.endpoint) {
    case ApiEndpoint::get_cluster: return serve_cluster(draft, pending);
    case ApiEndpoint::get_config:
    case ApiEndpoint::get_history: return serve_document(draft, pending);
    case ApiEndpoint::patch_config: return serve_patch_config(draft, pending);
    case ApiEndpoint::put_config: return serve_put_config(draft, pending);
    case ApiEndpoint::switchover:
    case ApiEndpoint::failover: return serve_switchover(draft, pending);
    case ApiEndpoint::cancel_switchover: return serve_cancel_switchover(draft, pending);
    case ApiEndpoint::restart: return serve_restart(draft, pending);
    case ApiEndpoint::cancel_restart: return serve_cancel_restart(draft);
    case ApiEndpoint::reload: return serve_reload(draft);
    case ApiEndpoint::reinitialize: return serve_reinitialize(draft, pending);
    case ApiEndpoint::failsafe: return serve_failsafe(draft, pending);
    case ApiEndpoint::get_journal: break;
  }
  return reply_page(501, "unknown request");
}

std::vector<PendingRequest>::iterator find(std::vector<PendingRequest>& requests, RequestId id) {
  return std::ranges::find_if(
      requests, [&](const PendingRequest& pending) { return pending.request.id == id; });
}

void send(Draft& draft, const PendingRequest& pending, ApiReply reply) {
  reply.id = pending.request.id;
  draft.order(std::move(reply));
}

}  // namespace

// What serves one may end others: a forced reinitialize cancels a restart that somebody waits for.
void answer_requests(Draft& draft) {
  auto& requests = draft.next.requests;
  for (std::size_t i = 0; i < requests.size();) {
    auto pending = requests[i];
    RequestOutcome reply = reply_page(503, "the store has not been read yet");
    if (draft.obs.store.view) reply = serve(draft, pending);
    const auto at = find(requests, pending.request.id);
    i = static_cast<std::size_t>(at - requests.begin());
    if (reply) {
      send(draft, pending, std::move(*reply));
      requests.erase(at);
    } else {
      *at = std::move(pending);
      ++i;
    }
  }
}

void finish_request(Draft& draft, RequestId id, bool ok, const std::string&) {
  const auto at = find(draft.next.requests, id);
  if (at == draft.next.requests.end()) return;
  const bool starting = draft.next.state == ServerState::starting;
  auto reply = ok ? starting ? reply_text(503, "postgres is still starting")
                             : reply_text(200, "restarted successfully")
                  : reply_text(503, "restart failed");
  send(draft, *at, std::move(reply));
  draft.next.requests.erase(at);
}

void refuse_requests(Draft& draft) {
  for (const auto& pending : draft.next.requests) {
    send(draft, pending, reply_page(503, "the agent is shutting down"));
  }
  draft.next.requests.clear();
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// POST /restart and /reinitialize (contract rest 12 and 13). Pure; any thread.
#include "core/cluster_settings.h"
#include "core/empty_node.h"
#include "core/job_progress.h"
#include "core/local_server.h"
#include "core/request_reply.h"
#include "core/start_job.h"

namespace tanist {

namespace {

using Stage = PendingRequest::Stage;

struct RestartFilter {
  std::string role;
  std::int64_t version_below = 0;  // 0 = any
  bool only_pending = false;
  seconds timeout{0};  // 0 = the usual
};

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string> split_version(const std::string& text) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

// X.Y from 10 on, X.Y.Z before, as the number that servers report.
RequestOutcome read_version(const Tree& value, std::int64_t* number) {
  const auto text = text_form(value);
  const auto parts = split_version(text);
  for (const auto& part : parts) {
    if (!all_digits(part) || part.size() > 6) {
      return reply_text(400, "Invalid PostgreSQL version: " + text);
    }
  }
  const auto at = [&](std::size_t i) { return std::stoll(parts[i]); };
  if (parts.size() == 2 && at(0) >= 10) {
    *number = at(0) * 10000 + at(1);
    return std::nullopt;
  }
  if (parts.size() == 3) {
    *number = at(0) * 10000 + at(1) * 100 + at(2);
    return std::nullopt;
  }
  return reply_text(400, "Invalid PostgreSQL version format: X.Y or X.Y.Z is accepted: " + text);
}

RequestOutcome read_filter(const Tree::Entry& entry, RestartFilter* filter) {
  const auto& [key, value] = entry;
  if (key == "role") {
    filter->role = text_form(value);
    const bool known =
        filter->role == "primary" || filter->role == "standby_leader" || filter->role == "replica";
    if (known) return std::nullopt;
    return reply_text(400, "PostgreSQL role should be either primary, standby_leader, or replica");
  }
  if (key == "postgres_version") return read_version(value, &filter->version_below);
  if (key == "timeout") {
    const auto number = int_with_unit(value, "s");
    if (!number || *number <= 0) {
      return reply_text(400, "Timeout should be a positive number of seconds");
    }
    filter->timeout = seconds(*number);
    return std::nullopt;
  }
  if (key == "restart_pending") {
    filter->only_pending = true;
    return std::nullopt;
  }
  return reply_text(400, "Unknown filter for the scheduled restart: " + key);
}

bool matches(const Draft& draft, const RestartFilter& filter) {
  const auto& server = draft.obs.local.server;
  if (!filter.role.empty() && filter.role != name_of(draft.next.role)) return false;
  if (filter.version_below != 0 &&
      (!server.query || server.query->server_version >= filter.version_below)) {
    return false;
  }
  return !filter.only_pending || !server.pending_restart.empty();
}

RequestOutcome begin_restart(Draft& draft, PendingRequest& pending, const RestartFilter& filter) {
  if (!matches(draft, filter)) return reply_text(503, "restart conditions are not satisfied");
  if (draft.next.job) return reply_text(503, draft.next.job->label + " already in progress");
  if (draft.busy(Task::server)) return std::nullopt;
  pending.stage = Stage::acting;
  auto job = make_job(JobKind::restart, "restart");
  job.goal = current_goal(draft.obs);
  job.start_timeout =
      filter.timeout > seconds(0) ? filter.timeout : draft.obs.cluster->primary_start_timeout;
  job.request = pending.request.id;
  begin(draft, std::move(job));
  return std::nullopt;
}

}  // namespace

RequestOutcome serve_restart(Draft& draft, PendingRequest& pending) {
  if (pending.stage == Stage::acting) return std::nullopt;
  RestartFilter filter;
  const auto& body = pending.request.body;
  if (body.find("schedule") != nullptr) {
    if (paused(draft.obs)) {
      return reply_text(500, "Can't schedule restart in the paused state");
    }
    return reply_page(501, "scheduled restarts are not supported by this version");
  }
  for (const auto& entry : body.as_map() != nullptr ? *body.as_map() : Tree::Map{}) {
    if (auto error = read_filter(entry, &filter)) return error;
  }
  return begin_restart(draft, pending, filter);
}

RequestOutcome serve_reinitialize(Draft& draft, PendingRequest& pending) {
  const auto& obs = draft.obs;
  const auto& body = pending.request.body;
  const auto flag = [&](std::string_view key) {
    const auto* value = body.find(key);
    return value != nullptr && to_bool(*value).value_or(false);
  };
  if (!obs.view().locked()) {
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

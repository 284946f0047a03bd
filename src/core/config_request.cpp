// SPDX-License-Identifier: Apache-2.0
// PATCH and PUT of the dynamic configuration (contract rest 9). Pure; any thread.
#include "core/request_reply.h"

namespace tanist {

namespace {

using Stage = PendingRequest::Stage;

void write(Draft& draft, PendingRequest& pending, const Tree& value,
           std::optional<Revision> expected) {
  Commit commit;
  if (expected) commit.expect = {{StoreKey::config, *expected}};
  commit.writes = {{StoreKey::config, text_form(value), false}};
  draft.start(Task::operator_write, std::move(commit), Duration(draft.obs.timing.retry_timeout));
  pending.stage = Stage::writing;
}

}  // namespace

RequestOutcome serve_patch_config(Draft& draft, PendingRequest& pending) {
  if (pending.stage == Stage::writing) {
    const auto* end = written(draft, pending);
    if (end == nullptr) return std::nullopt;
    if (!end->ok) return reply_page(409, "the configuration was changed by somebody else");
    return reply_json(pending.result);
  }
  if (draft.busy(Task::operator_write)) return std::nullopt;
  const auto& stored = draft.obs.view().config;
  if (!stored || !stored->valid) return reply_page(503, "there is no valid configuration");
  pending.result = stored->value;
  if (!deep_patch(pending.result, pending.request.body)) return reply_json(pending.result);
  write(draft, pending, pending.result, stored->revision);
  return std::nullopt;
}

RequestOutcome serve_put_config(Draft& draft, PendingRequest& pending) {
  if (pending.stage == Stage::writing) {
    const auto* end = written(draft, pending);
    if (end == nullptr) return std::nullopt;
    if (!end->ok) return reply_page(502, "the configuration could not be written");
    return reply_json(pending.request.body);
  }
  if (draft.busy(Task::operator_write)) return std::nullopt;
  const auto& stored = draft.obs.view().config;
  if (stored && stored->valid && stored->value == pending.request.body) {
    return reply_json(pending.request.body);
  }
  write(draft, pending, pending.request.body, std::nullopt);
  return std::nullopt;
}

}  // namespace tanist

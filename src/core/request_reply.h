// SPDX-License-Identifier: Apache-2.0
// What handling one pending request leads to: it waits on, or it is answered. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "core/draft.h"

namespace tanist {

// Of base/json, whose parser is no part of the core.
std::string to_spaced_json(const Tree& tree);

// Absent = the request waits for something.
using RequestOutcome = std::optional<ApiReply>;

inline ApiReply reply_text(std::int64_t status, std::string body) {
  return {.id = {}, .status = status, .form = ApiForm::text, .body = std::move(body), .lsn = {}};
}
// As Python writes it: scripts look for `"role": "leader"`.
inline ApiReply reply_json(const Tree& body) {
  return {.id = {}, .status = 200, .form = ApiForm::json, .body = to_spaced_json(body), .lsn = {}};
}
inline ApiReply reply_page(std::int64_t status, std::string explanation) {
  return {
      .id = {}, .status = status, .form = ApiForm::page, .body = std::move(explanation), .lsn = {}};
}

// The text under `key`; null, false and empty count as not given.
inline std::string given_text(const Tree& body, std::string_view key) {
  const auto* value = body.find(key);
  return value != nullptr && value->truthy() ? text_form(*value) : std::string();
}

// One file of rules each.
RequestOutcome serve_switchover(Draft& draft, PendingRequest& pending);
RequestOutcome serve_cancel_switchover(Draft& draft, PendingRequest& pending);
RequestOutcome serve_patch_config(Draft& draft, PendingRequest& pending);
RequestOutcome serve_put_config(Draft& draft, PendingRequest& pending);
RequestOutcome serve_restart(Draft& draft, PendingRequest& pending);
RequestOutcome serve_cancel_restart(Draft& draft);
RequestOutcome serve_reinitialize(Draft& draft, PendingRequest& pending);
RequestOutcome serve_failsafe(Draft& draft, const PendingRequest& pending);

// The end of the operator's write that `pending` waits for; nothing while it is under way.
const TaskEnd* written(const Draft& draft, const PendingRequest& pending);

}  // namespace tanist

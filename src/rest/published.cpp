// SPDX-License-Identifier: Apache-2.0
// Rendering once per publication. One thread.
#include "rest/published.h"

#include <utility>

#include "base/json.h"

namespace tanist::rest {

namespace {

// The minimal document of contract rest 7, for the moments before the loop's first step.
StatusPtr before_first() {
  auto status = std::make_shared<Status>();
  status->document = Tree::map({{"state", name_of(ServerState::unknown)},
                                {"role", name_of(Role::uninitialized)},
                                {"dcs_last_seen", 0},
                                {"patroni", Tree::map()}});
  return status;
}

const std::string& rendered(std::optional<std::string>& cache, const Tree& document) {
  if (!cache) cache = to_spaced_json(document);
  return *cache;
}

}  // namespace

Tree with_log_queue(Tree document, const LogQueue& queue) {
  constexpr std::int64_t usual = 2;
  if (queue.waiting <= usual) return document;
  document.set("logger_queue_size", queue.waiting);
  if (queue.lost > 0) document.set("logger_records_lost", queue.lost);
  return document;
}

Published::Published(StatusPtr status)
    : source_(std::move(status)),
      status_(source_ != nullptr ? source_ : before_first()),
      exists_(source_ != nullptr) {}

const std::string& Published::status_json() {
  if (!status_json_) status_json_ = to_spaced_json(with_log_queue(status_->document, log_queue()));
  return *status_json_;
}

const std::string* Published::config_json() {
  return status_->config.is_map() ? &rendered(config_json_, status_->config) : nullptr;
}

const std::string& Published::history_json() {
  static const Tree nothing = Tree::list();
  return rendered(history_json_, status_->history.is_list() ? status_->history : nothing);
}

const std::string* Published::failsafe_json() {
  return status_->failsafe.is_map() ? &rendered(failsafe_json_, status_->failsafe) : nullptr;
}

}  // namespace tanist::rest

// SPDX-License-Identifier: Apache-2.0
// One published Status together with the documents made from it: each is rendered when it is first
// asked for, and then once. One thread (the REST thread).
#pragma once

#include <optional>
#include <string>

#include "base/log.h"
#include "core/status.h"

namespace tanist::rest {

// The fields of the status document that tell of the log (contract rest 7).
Tree with_log_queue(Tree document, const LogQueue& queue);

class Published {
 public:
  // nullptr = nothing was published yet: checks fail, the status page is the minimal one.
  explicit Published(StatusPtr status);

  bool exists() const { return exists_; }
  const StatusPtr& source() const { return source_; }
  const Status& status() const { return *status_; }

  const std::string& status_json();
  // nullptr = the document is missing or invalid.
  const std::string* config_json();
  const std::string& history_json();
  // nullptr = there is no such key.
  const std::string* failsafe_json();

  // The view of the store that was published still counts at `now`.
  bool view_valid(Instant now) const { return status_->view_valid && now < status_->good_until; }

 private:
  StatusPtr source_;
  StatusPtr status_;
  bool exists_ = false;
  std::optional<std::string> status_json_;
  std::optional<std::string> config_json_;
  std::optional<std::string> history_json_;
  std::optional<std::string> failsafe_json_;
};

}  // namespace tanist::rest

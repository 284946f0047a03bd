// SPDX-License-Identifier: Apache-2.0
// Asking members through their REST API (contract ctl 1.5). Blocks the caller.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/cluster_view.h"
#include "ctl/selection.h"
#include "ctl/tool_config.h"
#include "rest/client.h"

namespace tanist::ctl {

// Long enough for whatever a member has to finish before it answers.
inline constexpr Duration patient_limit = std::chrono::hours(1);
// For requests that are answered at once.
inline constexpr Duration prompt_limit = seconds(10);

struct MemberRequest {
  std::string_view method;
  std::string_view path;  // "/restart"
  Tree body;              // null = none
  Duration limit = prompt_limit;
  // Whether it may be sent again after a connection that failed, up to three times: not what a
  // member may have begun already.
  bool repeats = true;
};

class Members {
 public:
  static Result<Members> make(const ToolConfig& config);

  // Any HTTP status is an answer. Errc::unavailable and timeout name the member's address;
  // Errc::invalid when it publishes no usable api_url.
  Result<rest::Answer> ask(const MemberView& member, const MemberRequest& request);

 private:
  struct Loop;
  explicit Members(const PeerClientSettings& settings);

  std::shared_ptr<Loop> loop_;
};

// The members, the leader first, then by name.
Selection leader_first(const ClusterView& view);

}  // namespace tanist::ctl

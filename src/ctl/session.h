// SPDX-License-Identifier: Apache-2.0
// What a verb that speaks with members begins with: the cluster, its members, and how the store
// shows them now. Blocks the caller.
#pragma once

#include <optional>
#include <string>

#include "ctl/cluster.h"
#include "ctl/members.h"

namespace tanist::ctl {

struct Session {
  Cluster cluster;
  Members members;
  Reading reading;

  // Without a name, the configured scope. Errors are ready to be printed.
  static Result<Session> open(const ToolConfig& config, const std::optional<std::string>& name);
};

}  // namespace tanist::ctl

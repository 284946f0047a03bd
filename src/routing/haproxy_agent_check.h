// SPDX-License-Identifier: Apache-2.0
// Answers HAProxy's agent-check: `up` while this node's server takes writes, else `down`, worked
// out at the moment of each answer (safety 3.6). A frozen agent does not answer at all; then the
// regular check decides. Loop thread only.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "core/settings.h"
#include "os/deadline.h"

namespace tanist::routing {

class HaproxyAgentCheck {
 public:
  // Errors: the address cannot be listened at.
  static Result<std::unique_ptr<HaproxyAgentCheck>> open(const os::Executor& loop,
                                                         const HostPort& address,
                                                         std::function<bool()> takes_writes);
  ~HaproxyAgentCheck();  // ends the listener
  HaproxyAgentCheck(const HaproxyAgentCheck&) = delete;
  HaproxyAgentCheck& operator=(const HaproxyAgentCheck&) = delete;

 private:
  explicit HaproxyAgentCheck(os::StopPtr stop) : stop_(std::move(stop)) {}

  os::StopPtr stop_;
};

}  // namespace tanist::routing

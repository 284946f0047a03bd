// SPDX-License-Identifier: Apache-2.0
// Push routing: whoever sends clients to this node is told at once when its server begins or ends
// to take writes. An addition to polling, which keeps the last word: nothing here is waited for,
// and nothing here delays fencing or promotion (safety 5.1, 5.2). Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/routing_settings.h"
#include "os/disk.h"
#include "routing/haproxy_agent_check.h"
#include "routing/haproxy_runtime.h"
#include "routing/pgbouncer.h"
#include "routing/pooler_pause.h"

namespace tanist::routing {

class Routing {
 public:
  // The hooks are called on the loop's thread, as long as this lives.
  Routing(os::Executor loop, os::DiskPool& disk, Hooks hooks);

  // Takes settings into use; also later, when they changed. A listener that cannot be opened is
  // logged: polling goes on without it.
  void configure(const RoutingSettings& settings);

  // After every step of the agent: tells everybody if the answer differs from the last time.
  void consider();

  // The poolers of an order, with this node's credentials. `done` is told within `limit` and half a
  // second, also when nobody answers.
  void tell_poolers(const TellPoolers& told, Duration limit, std::function<void(bool all)> done);

 private:
  os::Executor loop_;
  os::DiskPool& disk_;
  Hooks hooks_;
  bool took_writes_ = false;
  std::unique_ptr<HaproxyAgentCheck> agent_check_;
  std::vector<std::unique_ptr<HaproxyRuntime>> haproxies_;
  std::vector<std::unique_ptr<Pgbouncer>> poolers_;
  std::string username_;
  Secret password_;
};

}  // namespace tanist::routing

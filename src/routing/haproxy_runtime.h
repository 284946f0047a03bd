// SPDX-License-Identifier: Apache-2.0
// Tells one HAProxy, over its runtime socket, that this node's server begins or ends to take writes
// (safety 5.2): `set server ... health up|down` and `shutdown sessions server`, never the
// administrative state, so that the next health check corrects a wrong word. `up` is said for this
// node only, and only when that is so at the moment of writing. Loop thread only; never waits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "os/deadline.h"

namespace tanist::routing {

// What is asked at the moment of writing.
struct Moment {
  bool takes_writes = false;
  std::vector<std::string> others;  // names of the other members
};

// What a router asks of, and tells, the agent. On the loop's thread.
struct Hooks {
  std::function<Moment()> moment;
  std::function<void()> told_up;  // a router has taken the word that this server takes writes
};

struct HaproxyTarget {
  std::string socket;  // "/path" or ADDRESS:PORT
  std::string backend;
  std::string server;  // of this node
};

// The line for HAProxy, with its line end. While this server takes writes no other does: their
// sessions are ended as well, so that nobody waits for a machine that is gone.
std::string haproxy_line(const HaproxyTarget& target, const Moment& moment);

class HaproxyRuntime {
 public:
  HaproxyRuntime(os::Executor loop, HaproxyTarget target, Hooks hooks);
  ~HaproxyRuntime();
  HaproxyRuntime(const HaproxyRuntime&) = delete;
  HaproxyRuntime& operator=(const HaproxyRuntime&) = delete;

  // Something changed: HAProxy is told what holds when the connection stands. A word under way is
  // followed by another one.
  void tell();

 private:
  struct State;
  static os::Awaitable<void> run(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace tanist::routing

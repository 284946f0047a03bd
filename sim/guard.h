// SPDX-License-Identifier: Apache-2.0
// The guard of a node in the modelled world: the real page and the real rule (guard/step.h), and
// around them what guard_link.h does for the agent: arming, the wait for its word, its replacement.
// Times in the page are of the machine's own clock. Owned by the node.
#pragma once

#include <functional>
#include <optional>

#include "core/observation.h"
#include "guard/step.h"
#include "sim/machine_clock.h"
#include "sim/process.h"
#include "sim/server.h"

namespace tanist::sim {

class Guard {
 public:
  Guard(World& world, const MachineClock& clock, Server& server);

  Process& process() { return process_; }

  // ---- the agent's side (agent/guard_link.h) ----
  // At the agent's start: true when a living guard was found, whose page stays in use.
  bool open();
  void arm(const Reign& reign, Instant deadline);
  void raise_margin(Duration ttl);
  bool disarm();
  void announce_standby_start();
  void suspend_for_pause();
  void dismiss();
  bool armed() const;
  std::optional<Instant> deadline() const;
  Duration margin() const;
  GuardState state() const;
  Reign reign() const;
  // Called when it has confirmed something, or is gone, or is back. In the agent's process.
  std::function<void()> on_change;
  // The agent's process: answers reach it, and it starts the successor of a dead guard.
  void set_agent(Process* agent) { agent_ = agent; }

  // ---- the launcher's side ----
  int start_refused(bool standby, bool single_user) const;

  // ---- faults ----
  void kill();
  // With its machine: the page is gone.
  void vanish();

 private:
  void begin();
  void look_if_late();
  void look(bool asked);
  void tell_agent();
  std::uint64_t now() const;
  bool latched() const;

  World& world_;
  const MachineClock& clock_;
  Server& server_;
  Random chance_;
  Process process_;
  Process* agent_ = nullptr;
  guard_page page_{};
  guard_memory memory_{};
  std::uint64_t wake_ = 0;
  bool dismissed_ = false;
};

}  // namespace tanist::sim

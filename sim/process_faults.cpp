// SPDX-License-Identifier: Apache-2.0
// Faults of processes. Agent and guard of one node guard each other; that both are frozen, and the
// server is not, is a fault of its own, because nobody can do anything about it.
#include "sim/faults.h"

namespace tanist::sim {

namespace {

bool guard_works(Node& node) { return node.guard.process().runs(); }
bool agent_works(Node& node) { return node.agent.process().runs(); }

}  // namespace

std::vector<Faults::Kind> Faults::process_faults() {
  return {{"kill agent", 3, [this] { return kill_agent(); }},
          {"stop agent", 2, [this] { return stop_agent(); }},
          {"freeze agent", 3, [this] { return freeze_agent(); }},
          {"kill postmaster", 3, [this] { return kill_postmaster(); }},
          {"hang server", 2, [this] { return hang_server(); }},
          {"kill guard", 1, [this] { return kill_guard(); }},
          {"freeze guard", 1, [this] { return freeze_guard(); }},
          {"freeze agent and guard", 1, [this] { return freeze_watch(); }},
          {"freeze asking agent", 1, [this] { return freeze_asking(); }},
          {"slow servers", 1, [this] { return slow_servers(); }},
          {"strike new leader", 1, [this] {
             return lie_in_wait(milliseconds(1500), [this](Node& node) { strike_leader(node); });
           }}};
}

bool Faults::kill_agent() {
  auto& node = likely_leader();
  if (!node.up() || !agent_works(node) || !guard_works(node)) return false;
  kill_agent(node);
  return true;
}

void Faults::kill_agent(Node& node) {
  world_.tell(node.name(), "agent: is killed");
  node.agent.kill();
  lasts(milliseconds(50), seconds(chance_.one_in(2) ? 1 : 40), [&node] { node.start_agent(); });
}

bool Faults::stop_agent() {
  auto& node = likely_leader();
  if (!node.up() || !agent_works(node)) return false;
  world_.tell(node.name(), "agent: is told to stop");
  node.stop_agent();
  lasts(seconds(1), seconds(30), [&node] { node.start_agent(); });
  return true;
}

bool Faults::freeze_agent() {
  auto& node = likely_leader();
  if (!node.up() || !agent_works(node) || !guard_works(node)) return false;
  freeze_agent(node);
  return true;
}

void Faults::freeze_agent(Node& node) {
  world_.tell(node.name(), "agent: is frozen");
  node.agent.process().stop();
  lasts(milliseconds(50), seconds(40), [this, &node] {
    world_.tell(node.name(), "agent: goes on");
    node.agent.process().go_on(milliseconds(1));
  });
}

bool Faults::kill_postmaster() {
  auto& node = likely_leader();
  if (!node.server.alive()) return false;
  world_.tell(node.name(), "pg: the postmaster is killed");
  node.server.kill();
  return true;
}

bool Faults::hang_server() {
  auto& node = likely_leader();
  if (!node.server.alive()) return false;
  world_.tell(node.name(), "pg: hangs");
  node.server.process().stop();
  lasts(milliseconds(200), seconds(30), [this, &node] {
    world_.tell(node.name(), "pg: goes on");
    node.server.process().go_on(milliseconds(1));
  });
  return true;
}

bool Faults::kill_guard() {
  auto& node = likely_leader();
  if (!node.up() || node.frozen() || !agent_works(node) || !guard_works(node)) return false;
  world_.tell(node.name(), "guard: is killed");
  node.guard.kill();
  return true;
}

bool Faults::freeze_guard() {
  auto& node = likely_leader();
  if (!node.up() || !agent_works(node) || !guard_works(node)) return false;
  world_.tell(node.name(), "guard: is frozen");
  node.guard.process().stop();
  lasts(milliseconds(50), seconds(5), [&node] { node.guard.process().go_on(milliseconds(1)); });
  return true;
}

// Who takes the lock next is struck soon after that: between lock, guard and promotion.
bool Faults::lie_in_wait(Duration most, std::function<void(Node&)> strike) {
  if (waits_for_leader_) return false;
  waits_for_leader_ = std::move(strike);
  checks_.on_lock_taken = [this, most](Node& node) {
    const auto strike_it = std::exchange(waits_for_leader_, nullptr);
    if (over_ || !strike_it) return;
    world_.after(chance_.between(Duration(0), most), [this, &node, strike_it] {
      if (!over_) strike_it(node);
    });
  };
  return true;
}

void Faults::strike_leader(Node& node) {
  const auto of_process = chance_.below(4);
  if (of_process == 0) return crash_machine(node);
  if (of_process == 1) return freeze_machine(node);
  if (!node.up() || !agent_works(node) || !guard_works(node)) return;
  if (of_process == 2) return kill_agent(node);
  freeze_agent(node);
}

bool Faults::freeze_watch() {
  auto& node = likely_leader();
  if (!node.up() || !agent_works(node) || !guard_works(node)) return false;
  node.freeze_watch();
  lasts(milliseconds(50), seconds(40), [&node] { node.thaw_watch(); });
  return true;
}

// The next that asks for consent gets the answers when it goes on.
bool Faults::freeze_asking() {
  if (std::exchange(waits_for_asking_, true)) return false;
  for (const auto& each : cluster_.nodes()) {
    each->agent.on_effect = [this, &node = *each](Task task) {
      if (task != Task::ask_failsafe || over_ || !waits_for_asking_) return;
      waits_for_asking_ = false;
      world_.after(chance_.between(Duration(0), milliseconds(2)), [this, &node] {
        if (!over_ && node.up() && agent_works(node) && guard_works(node)) freeze_agent(node);
      });
    };
  }
  return true;
}

bool Faults::slow_servers() {
  auto& node = any_node();
  node.server.pace() = {.recovery_max = seconds(20),
                        .promotion_max = seconds(8),
                        .checkpoint_max = seconds(15),
                        .replay_max = seconds(2),
                        .copy_max = seconds(20),
                        .flush_max = milliseconds(300)};
  world_.tell(node.name(), "pg: is slow");
  lasts(seconds(5), seconds(60), [&node] { node.server.pace() = Pace{}; });
  return true;
}

}  // namespace tanist::sim

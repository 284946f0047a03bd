// SPDX-License-Identifier: Apache-2.0
// One node of a transcript scenario: the real loop (agent/loop) with all of core, and around it a
// world that a script changes by hand. Routine effects (looking at the server, renewals, the member
// key, questions to peers) are answered from that world at once; whatever acts on the server or on
// shared keys stays open until the script answers it. Test code only.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/loop/loop.h"

namespace tanist::scenarios {

class World {
 public:
  // ---- what the script sets before begin() ----
  agent::LoopStart start;
  bool adopted = false;

  // ---- what the script changes at any time; told to the loop by run() ----
  ClusterView view;
  ServerFacts server;
  std::map<MemberName, PeerReport> peers;  // who is missing here is silent
  bool store_current = true;
  // How the store answers the loop's own renewals.
  enum class Renewals { proven, refused, silent } renewals = Renewals::proven;
  GoalDifference difference = GoalDifference::none;
  DivergenceFacts divergence;
  bool lease_is_gone = false;  // what AskLease is told
  bool namesake_answers = false;
  std::vector<HistoryLine> history_file;

  Revision next_revision() { return Revision(++revision_); }
  LeaseId own_lease() const { return lease_; }
  static std::string api_of(const std::string& name) {
    return "http://" + name + ".test:8008/patroni";
  }
  MemberView& member(const std::string& name);

  // Makes the loop and tells it the view.
  void begin();
  // Tells the loop what changed, then lets time pass.
  void run(Duration time);
  // Delivers an event now, after what changed.
  void deliver(const agent::Event& event);
  // Ends the open effect of a task. False when there is none.
  bool answer(Task task, StoreResult result);
  bool answer(Task task, ServerResult result);
  bool is_open(Task task) const { return open_.contains(task); }
  // The lock as a successful attempt of this node would hold it now.
  StoreResult lock_taken();

  // Adds what REST tells others of this node.
  void tell_status();

  // The lines since the last call, and all reasons that were given.
  std::string take_output();
  const std::set<std::string>& reasons() const { return reasons_; }
  Instant now() const { return now_; }
  WallTime wall() const;

 private:
  void tell_changes();
  void step(const agent::Event& event);
  void carry_out(const agent::Effects& effects);
  void obey(const GuardOrder& order);
  void begin_effect(const agent::Effect& effect);
  bool answers_itself(const agent::Effect& effect);
  std::optional<StoreResult> store_answer(const agent::Effect& effect);
  std::optional<ServerResult> server_answer(const agent::Effect& effect);
  PeerRound peer_answer(const AskPeers& ask) const;
  void line(const std::string& text);
  void tell_lines(const agent::Effects& effects);

  std::optional<agent::Loop> loop_;
  Instant now_{seconds(1000)};
  Instant wake_at_;
  std::uint64_t revision_ = 100;
  LeaseId lease_{7000};
  ClusterView told_view_;
  bool view_told_ = false;
  bool ended_ = false;
  std::optional<ProcessIdentity> told_postmaster_;
  std::optional<bool> told_current_;
  std::map<Task, agent::Effect> open_;
  std::vector<agent::Event> waiting_;
  std::vector<std::pair<Instant, agent::Event>> later_;  // in order of time
  std::string output_;
  std::string last_line_;
  std::string last_reason_;
  std::set<std::string> reasons_;
};

}  // namespace tanist::scenarios

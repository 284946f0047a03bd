// SPDX-License-Identifier: Apache-2.0
// Faults and operators: what goes wrong, when and for how long, from the run's chance. Every fault
// ends by itself; heal() ends all that are left. Owned by the run.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/checks.h"
#include "sim/cluster.h"

namespace tanist::sim {

class Faults {
 public:
  // `only`: these kinds, equally often; empty = all, in a mixture of this run's own. In names a
  // hyphen stands for a space.
  Faults(Cluster& cluster, Checks& checks, const std::vector<std::string>& only = {});

  // One after the other, about `interval` apart, until heal().
  void begin(Duration interval);
  void heal();
  // Before the first fault and after the last one, people mend what no agent may.
  void mend_by_hand();
  const std::map<std::string, int>& counts() const { return counts_; }
  // Told of each beginning and end of a fault.
  std::function<void()> on_change;

 private:
  struct Kind {
    std::string name;
    int weight;
    // False when it is not possible now.
    std::function<bool()> strike;
  };

  std::vector<Kind> process_faults();
  std::vector<Kind> machine_faults();
  std::vector<Kind> network_faults();
  std::vector<Kind> store_faults();
  std::vector<Kind> operators();

  void mix();
  void keep_only(const std::vector<std::string>& names);
  void empty_foreign_data();
  void plan_next();
  void strike();
  // Ends after a while, or with heal().
  void lasts(Duration least, Duration most, std::function<void()> end);
  Node& any_node();
  Node& likely_leader();
  bool ask(ApiEndpoint endpoint, Tree body);
  bool ask(Node& node, ApiEndpoint endpoint, Tree body);

  bool fill_disk();
  void crash_machine(Node& node);
  void freeze_machine(Node& node);
  // process_faults.cpp
  bool fail_power();
  bool kill_agent();
  void kill_agent(Node& node);
  bool stop_agent();
  bool freeze_agent();
  void freeze_agent(Node& node);
  bool kill_postmaster();
  bool hang_server();
  bool kill_guard();
  bool freeze_guard();
  bool freeze_watch();
  bool freeze_asking();
  bool slow_servers();
  bool lie_in_wait(Duration most, std::function<void(Node&)> strike);
  void strike_leader(Node& node);
  // network_faults.cpp
  bool cut_off(Node& node, std::vector<Host> others, std::string_view from);
  bool isolate();
  bool cut_from_nodes();
  bool leave_with_clients();
  bool cut_one_way();
  bool cut_from_store();
  bool lose_messages();
  bool slow_links();
  bool store_member_down();
  bool store_outage();
  bool store_hangs();
  bool store_slow();
  void erase_leader_key();
  // operators.cpp
  bool switch_over();
  bool fail_over();
  bool fail_over(Node& asked, Node& candidate);
  bool restart();
  bool reinitialize();
  bool patch();
  bool change_modes();
  bool pause();
  bool resume();
  void copy_anew_what_is_broken();
  void keep_more_wal();
  void fail_over_from(const Node& lost);
  void fail_over_again();
  bool promote_cluster();
  bool demote_cluster();
  bool restart_remote();

  World& world_;
  Cluster& cluster_;
  Checks& checks_;
  Random chance_;
  std::vector<Kind> kinds_;
  Duration interval_{0};
  bool begun_ = false;
  bool over_ = false;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, std::function<void()>> lasting_;
  std::map<std::string, int> counts_;
  std::function<void(Node&)> waits_for_leader_;
  bool waits_for_asking_ = false;
  std::map<const Node*, Instant> broken_since_;
  Node* unsettled_candidate_ = nullptr;  // of a failover by hand whose end nobody was told of
  std::optional<Instant> leaderless_since_;
};

}  // namespace tanist::sim

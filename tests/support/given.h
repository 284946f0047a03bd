// SPDX-License-Identifier: Apache-2.0
// A readable way to say what a node observes, for tests of the decision core: starts from a healthy
// three-node cluster "a" (leader), "b", "c" and changes what the test is about. Test code only.
#pragma once

#include <algorithm>
#include <string>

#include "core/decide.h"
#include "core/status_line.h"
#include "core/upstream.h"

namespace tanist::testing {

inline Instant at_ms(std::int64_t ms) { return Instant(milliseconds(1'000'000 + ms)); }

// The observation of one node, built step by step.
class Given {
 public:
  explicit Given(std::string me) {
    NodeSettings node;
    node.name = MemberName(me);
    node.scope = "demo";
    node.conn_url = url_of(me);
    node.api_url = api_of(me);
    node.has_bootstrap = true;
    node.use_pg_rewind = true;
    node_ = node;
    view_.revision = Revision(100);
    view_.initialize = InitializeView{SystemId("7000000000000000001"), Revision(2), LeaseId(0)};
    view_.config = ConfigView{Tree::map({{"ttl", 30}}), true, Revision(3)};
    view_.status = StatusView{Lsn(0x3000000), {}, {}, Revision(50)};
    for (const auto* name : {"a", "b", "c"}) member(name, name == std::string("a"));
    leader("a");
    obs_.now = at_ms(0);
    obs_.cycle_began = at_ms(0);
    obs_.next_cycle = at_ms(10'000);
    obs_.store.current = true;
    obs_.store.lease = lease_of(me);
    obs_.store.lease_until = at_ms(30'000);
    obs_.local.guard = GuardState::armed;
    memory_.namesake_checked = true;
    memory_.joined = true;
    memory_.callbacks_fired = true;
    memory_.first_view_at = at_ms(-60'000);
    runs_as_standby();
    if (me == "a") runs_as_primary().holds_lock();
  }

  // ---- the store ----
  Given& leader(const std::string& name) {
    view_.leader = LeaderView{MemberName(name), Revision(10), Revision(10), lease_of(name)};
    view_.lost_leader.reset();
    return *this;
  }
  // The lock ran out (or, `released`, was given away) while we watched.
  Given& unlocked(bool released = false) {
    memory_.locked_view = std::make_shared<const ClusterView>(view_);
    if (view_.leader) {
      view_.lost_leader = LostLeader{*view_.leader, Revision(120), released, true,
                                     api_of(view_.leader->name.value())};
      if (!released) view_.members.erase(view_.leader->name);
    }
    view_.leader.reset();
    memory_.unlocked_since = obs_.now;
    return *this;
  }
  Given& without_member(const std::string& name) {
    view_.members.erase(MemberName(name));
    return *this;
  }
  MemberView& member(const std::string& name, bool primary = false) {
    auto& entry = view_.members[MemberName(name)];
    entry.name = MemberName(name);
    entry.conn_url = url_of(name);
    entry.api_url = api_of(name);
    entry.state = ServerState::running;
    entry.role = primary ? Role::primary : Role::replica;
    entry.version = "4.1.4";
    entry.tanist_version = "0.1.0";
    entry.timeline = Timeline(1);
    return entry;
  }
  Given& requested(const std::string& leader, const std::string& candidate) {
    FailoverView failover;
    failover.leader = MemberName(leader);
    failover.member = MemberName(candidate);
    failover.revision = Revision(60);
    view_.failover = failover;
    return *this;
  }
  Given& optime(std::uint64_t lsn) {
    view_.status->optime = Lsn(lsn);
    return *this;
  }
  Given& sync_key(const std::string& leader, const std::vector<std::string>& standbys,
                  std::int64_t quorum = 0) {
    SyncView sync;
    sync.leader = MemberName(leader);
    for (const auto& name : standbys) sync.standbys.emplace_back(name);
    sync.quorum = quorum;
    sync.revision = Revision(70);
    view_.sync = sync;
    return *this;
  }
  Given& store_silent_since(Instant since) {
    obs_.store.current = false;
    obs_.store.doubtful_since = since;
    return *this;
  }

  // ---- the lock ----
  Given& holds_lock(Instant until = at_ms(30'000)) {
    obs_.lock.reign = Reign{lease_of(node_.name.value()), Revision(10)};
    obs_.lock.until = until;
    obs_.lock.taken_at = at_ms(-100'000);
    return *this;
  }
  Given& lost_lock() {
    obs_.lock.reign.reset();
    obs_.lock.lost = true;
    obs_.lock.until = at_ms(-1);
    return *this;
  }

  // ---- the server ----
  Given& runs_as_primary(std::uint64_t lsn = 0x3000000) {
    auto& query = running();
    query.in_recovery = false;
    query.timeline = Timeline(1);
    query.location = Lsn(lsn);
    memory_.role = Role::primary;
    return *this;
  }
  Given& runs_as_standby(std::uint64_t lsn = 0x3000000) {
    auto& query = running();
    query.in_recovery = true;
    query.received = Lsn(lsn);
    query.replayed = Lsn(lsn);
    query.received_timeline = Timeline(1);
    query.receiver_status = "streaming";
    memory_.role = Role::replica;
    return *this;
  }
  Given& crashed(ControlState control = ControlState::in_production) {
    auto& server = obs_.local.server;
    server.postmaster.reset();
    server.query.reset();
    server.control = ControlData{};
    server.control->system_id = SystemId("7000000000000000001");
    server.control->state = control;
    server.control->checksums = true;
    memory_.state = ServerState::running;
    return *this;
  }
  Given& empty_data() {
    crashed();
    obs_.local.server.control.reset();
    obs_.local.server.data = DataDirectory::absent_or_empty;
    memory_.role = Role::uninitialized;
    memory_.state = ServerState::stopped;
    return *this;
  }
  // The primary's server: whom it waits for, who streams from it.
  Given& waits_for(const std::string& names) {
    obs_.local.server.query->synchronous_standby_names = names;
    return *this;
  }
  Given& streams(const std::string& name, const std::string& sync_state,
                 std::uint64_t lsn = 0x3000000) {
    auto& senders = obs_.local.server.query->wal_senders;
    std::erase_if(senders, [&](const WalSender& old) { return old.application_name == name; });
    WalSender sender;
    sender.application_name = name;
    sender.state = "streaming";
    sender.sync_state = sync_state;
    sender.write_lsn = sender.flush_lsn = sender.replay_lsn = Lsn(lsn);
    senders.push_back(sender);
    return *this;
  }
  Given& follows_right_upstream() {
    GoalComparison comparison;
    comparison.goal.standby = true;
    comparison.goal.role = Role::replica;
    const auto observation = build();
    comparison.goal.upstream = choose_upstream(observation);
    comparison.difference = GoalDifference::none;
    comparison.at = obs_.cycle_began;
    obs_.local.comparison = comparison;
    return *this;
  }

  // ---- peers ----
  // The peers answered in the round that the next decision would ask: by name, at this position.
  Given& answers(const std::string& name, std::uint64_t lsn, bool primary = false) {
    PeerReport report;
    report.name = MemberName(name);
    report.reachable = true;
    report.answered = true;
    report.is_primary = primary;
    report.wal_position = Lsn(lsn);
    report.timeline = Timeline(1);
    return answers(report);
  }
  Given& silent(const std::string& name) {
    PeerReport report;
    report.name = MemberName(name);
    return answers(report);
  }
  Given& answers(const PeerReport& report) {
    obs_.peers.number = 7;
    obs_.peers.asked_at = obs_.now;
    obs_.peers.complete = true;
    obs_.peers.reports.push_back(report);
    memory_.last_round = 7;
    return *this;
  }

  // ---- anything else ----
  ClusterSettings& cluster() { return cluster_; }
  NodeSettings& node() { return node_; }
  Memory& memory() { return memory_; }
  ClusterView& view() { return view_; }
  Observation& obs() { return obs_; }

  Observation build() {
    memory_.round_basis.leader = view_.leader        ? view_.leader->create_revision
                                 : view_.lost_leader ? view_.lost_leader->deleted_at
                                                     : Revision(0);
    memory_.round_basis.config = view_.config ? view_.config->revision : Revision(0);
    memory_.round_basis.failover = view_.failover ? view_.failover->revision : Revision(0);
    memory_.round_basis.sync = view_.sync ? view_.sync->revision : Revision(0);
    memory_.round_basis.role = memory_.role;
    obs_.node = std::make_shared<const NodeSettings>(node_);
    obs_.cluster = std::make_shared<const ClusterSettings>(cluster_);
    obs_.config = std::make_shared<const Tree>(view_.config ? *view_.config->value : Tree::map());
    obs_.timing = effective_timing(cluster_.timing, tanist_timing_min, nullptr);
    obs_.store.view = std::make_shared<const ClusterView>(view_);
    obs_.memory = std::make_shared<const Memory>(memory_);
    return obs_;
  }

  static LeaseId lease_of(const std::string& name) {
    return LeaseId(1000 + (name.empty() ? 0 : name[0]));
  }
  static std::string url_of(const std::string& name) {
    return "postgres://" + name + ".test:5432/postgres";
  }
  static std::string api_of(const std::string& name) {
    return "http://" + name + ".test:8008/patroni";
  }

 private:
  QueryFacts& running() {
    auto& server = obs_.local.server;
    server.observed_at = obs_.now;
    server.data = DataDirectory::present;
    server.major_version = 15;
    server.postmaster = ProcessIdentity{4242, 1};
    server.readiness = Readiness::accepting;
    server.control = ControlData{};
    server.control->system_id = SystemId("7000000000000000001");
    server.control->state = ControlState::in_production;
    server.control->checksums = true;
    server.query = QueryFacts{};
    server.query->server_version = 150002;
    memory_.state = ServerState::running;
    return *server.query;
  }

  NodeSettings node_;
  ClusterSettings cluster_;
  ClusterView view_;
  Memory memory_;
  Observation obs_;
};

// What a decision ordered, for expectations.
inline const StartTask* find_task(const Decision& decision, Task task) {
  for (const auto& action : decision.actions) {
    const auto* started = std::get_if<StartTask>(&action);
    if (started != nullptr && started->task == task) return started;
  }
  return nullptr;
}

template <class Body>
const Body* find_server(const Decision& decision, Task task = Task::server) {
  const auto* started = find_task(decision, task);
  if (started == nullptr) return nullptr;
  const auto* server = std::get_if<ServerAction>(&started->body);
  return server != nullptr ? std::get_if<Body>(server) : nullptr;
}

template <class Body>
const Body* find_store(const Decision& decision, Task task) {
  const auto* started = find_task(decision, task);
  if (started == nullptr) return nullptr;
  const auto* store = std::get_if<StoreAction>(&started->body);
  return store != nullptr ? std::get_if<Body>(store) : nullptr;
}

inline bool logged(const Decision& decision, std::string_view part) {
  return std::ranges::any_of(decision.actions, [&](const Action& action) {
    const auto* line = std::get_if<LogLine>(&action);
    return line != nullptr && line->text.find(part) != std::string::npos;
  });
}

}  // namespace tanist::testing

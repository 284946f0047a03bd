// SPDX-License-Identifier: Apache-2.0
// The cluster as the store last showed it: one immutable value per revision, decoded from the keys
// of contract dcs 4 by store/codec. What others wrote badly is already "absent" or "unknown" here.
// Values only; any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/tags.h"
#include "core/types.h"

namespace tanist {

// `members/NAME`.
struct MemberView {
  MemberName name;
  Revision revision;  // mod_revision
  LeaseId lease;
  std::string conn_url;
  std::string api_url;
  ServerState state = ServerState::unknown;
  std::optional<Role> role;
  std::string version;         // as written; empty if absent
  std::string tanist_version;  // empty = the member is no tanist (safety 6)
  Tags tags;
  Timeline timeline;
  Lsn xlog_location;
  Lsn replay_lsn;
  Lsn receive_lsn;
  std::string replication_state;
  bool checkpoint_pending = false;  // checkpoint_after_promote: false
  bool pending_restart = false;
  bool paused = false;
  SharedTree data;  // the whole object, for whoever shows it

  bool is_tanist() const { return !tanist_version.empty(); }

  static constexpr auto fields() {
    using M = MemberView;
    return std::tuple{field("name", &M::name),
                      field("revision", &M::revision),
                      field("lease", &M::lease),
                      field("conn_url", &M::conn_url),
                      field("api_url", &M::api_url),
                      field("state", &M::state),
                      field("role", &M::role),
                      field("version", &M::version),
                      field("tanist", &M::tanist_version),
                      field("tags", &M::tags),
                      field("timeline", &M::timeline),
                      field("xlog_location", &M::xlog_location),
                      field("replay_lsn", &M::replay_lsn),
                      field("receive_lsn", &M::receive_lsn),
                      field("replication_state", &M::replication_state),
                      field("checkpoint_pending", &M::checkpoint_pending),
                      field("pending_restart", &M::pending_restart),
                      field("paused", &M::paused),
                      field("data", &M::data)};
  }
  friend bool operator==(const MemberView&, const MemberView&) = default;
};
static_assert(lists_all_fields<MemberView>);

// `leader`: the lock.
struct LeaderView {
  MemberName name;
  Revision create_revision;
  Revision revision;
  LeaseId lease;

  Reign reign() const { return {lease, create_revision}; }

  static constexpr auto fields() {
    using L = LeaderView;
    return std::tuple{field("name", &L::name), field("create_revision", &L::create_revision),
                      field("revision", &L::revision), field("lease", &L::lease)};
  }
  friend bool operator==(const LeaderView&, const LeaderView&) = default;
};
static_assert(lists_all_fields<LeaderView>);

// `initialize`: empty while a bootstrap runs.
struct InitializeView {
  SystemId system_id;
  Revision revision;
  LeaseId lease;

  static constexpr auto fields() {
    using I = InitializeView;
    return std::tuple{field("system_id", &I::system_id), field("revision", &I::revision),
                      field("lease", &I::lease)};
  }
  friend bool operator==(const InitializeView&, const InitializeView&) = default;
};
static_assert(lists_all_fields<InitializeView>);

// `config`. Not an object (or bad JSON): `valid` is false and `value` is null.
struct ConfigView {
  SharedTree value;
  bool valid = false;
  Revision revision;

  static constexpr auto fields() {
    using C = ConfigView;
    return std::tuple{field("value", &C::value), field("valid", &C::valid),
                      field("revision", &C::revision)};
  }
  friend bool operator==(const ConfigView&, const ConfigView&) = default;
};
static_assert(lists_all_fields<ConfigView>);

// `failover`: a request of an operator; nothing requested = both names empty.
struct FailoverView {
  MemberName leader;
  MemberName member;
  std::optional<WallTime> scheduled_at;
  std::string scheduled_text;  // as written, also when it is no timestamp with a zone
  Revision revision;

  bool present() const { return !leader.value().empty() || !member.value().empty(); }
  // A switchover names the leader; a manual failover does not.
  bool is_switchover() const { return !leader.value().empty(); }

  static constexpr auto fields() {
    using F = FailoverView;
    return std::tuple{field("leader", &F::leader), field("member", &F::member),
                      field("scheduled_at", &F::scheduled_at),
                      field("scheduled_text", &F::scheduled_text), field("revision", &F::revision)};
  }
  friend bool operator==(const FailoverView&, const FailoverView&) = default;
};
static_assert(lists_all_fields<FailoverView>);

// `sync`: empty leader = synchronous mode is not active.
struct SyncView {
  MemberName leader;
  std::vector<MemberName> standbys;  // sorted, without the leader
  std::int64_t quorum = 0;
  Revision revision;

  bool active() const { return !leader.value().empty(); }

  static constexpr auto fields() {
    using S = SyncView;
    return std::tuple{field("leader", &S::leader), field("standbys", &S::standbys),
                      field("quorum", &S::quorum), field("revision", &S::revision)};
  }
  friend bool operator==(const SyncView&, const SyncView&) = default;
};
static_assert(lists_all_fields<SyncView>);

// `status`, or the legacy `optime/leader` when it is absent.
struct StatusView {
  Lsn optime;
  std::map<std::string, std::uint64_t> slots;  // slot -> LSN in bytes
  std::set<std::string> retain_slots;
  Revision revision;
  // Of the primary that wrote `optime`, and `/history` led to it then. 0 = it did not say: Patroni
  // never does (decision 0014).
  Timeline timeline;

  static constexpr auto fields() {
    using S = StatusView;
    return std::tuple{field("optime", &S::optime), field("slots", &S::slots),
                      field("retain_slots", &S::retain_slots), field("revision", &S::revision),
                      field("timeline", &S::timeline)};
  }
  friend bool operator==(const StatusView&, const StatusView&) = default;
};
static_assert(lists_all_fields<StatusView>);

struct HistoryLine {
  Timeline timeline;
  Lsn switch_lsn;
  std::string reason;
  std::string timestamp;  // empty = the line has fewer fields
  std::string new_leader;

  static constexpr auto fields() {
    using H = HistoryLine;
    return std::tuple{field("timeline", &H::timeline), field("switch_lsn", &H::switch_lsn),
                      field("reason", &H::reason), field("timestamp", &H::timestamp),
                      field("new_leader", &H::new_leader)};
  }
  friend bool operator==(const HistoryLine&, const HistoryLine&) = default;
};
static_assert(lists_all_fields<HistoryLine>);

// `history`.
struct HistoryView {
  std::vector<HistoryLine> lines;
  SharedTree value;  // the stored array, for whoever shows it
  Revision revision;

  static constexpr auto fields() {
    using H = HistoryView;
    return std::tuple{field("lines", &H::lines), field("value", &H::value),
                      field("revision", &H::revision)};
  }
  friend bool operator==(const HistoryView&, const HistoryView&) = default;
};
static_assert(lists_all_fields<HistoryView>);

// `failsafe`: member -> api_url; absent when unparsable.
struct FailsafeView {
  std::map<MemberName, std::string> members;
  Revision revision;

  static constexpr auto fields() {
    using F = FailsafeView;
    return std::tuple{field("members", &F::members), field("revision", &F::revision)};
  }
  friend bool operator==(const FailsafeView&, const FailsafeView&) = default;
};
static_assert(lists_all_fields<FailsafeView>);

// `tanist/digests`: the last changes of leadership, told by the members (journal/digest). No
// decision reads it.
struct DigestsView {
  SharedTree value;  // a list; null when it is none
  Revision revision;

  static constexpr auto fields() {
    return std::tuple{field("value", &DigestsView::value),
                      field("revision", &DigestsView::revision)};
  }
  friend bool operator==(const DigestsView&, const DigestsView&) = default;
};
static_assert(lists_all_fields<DigestsView>);

// `tanist/poolers`: poolers that were paused for a switchover and that whoever leads has to resume
// (safety 5.1).
struct PoolersView {
  std::vector<std::string> hosts;      // ADDRESS:PORT
  std::vector<std::string> databases;  // empty = all
  Revision revision;

  static constexpr auto fields() {
    using P = PoolersView;
    return std::tuple{field("hosts", &P::hosts), field("databases", &P::databases),
                      field("revision", &P::revision)};
  }
  friend bool operator==(const PoolersView&, const PoolersView&) = default;
};
static_assert(lists_all_fields<PoolersView>);

// The last lock that this node saw deleted, and what it saw of its holder (safety 1.7).
struct LostLeader {
  LeaderView leader;
  Revision deleted_at;
  bool released = false;    // deleted by the transaction that wrote the holder's role `demoted`
  bool was_tanist = false;  // by the holder's member key
  std::string api_url;
  // Events were missed: others may have held the lock since, and lost it too.
  bool after_gap = false;

  static constexpr auto fields() {
    using L = LostLeader;
    return std::tuple{field("leader", &L::leader),     field("deleted_at", &L::deleted_at),
                      field("released", &L::released), field("was_tanist", &L::was_tanist),
                      field("api_url", &L::api_url),   field("after_gap", &L::after_gap)};
  }
  friend bool operator==(const LostLeader&, const LostLeader&) = default;
};
static_assert(lists_all_fields<LostLeader>);

struct ClusterView {
  Revision revision;  // of the store when this was true
  std::optional<InitializeView> initialize;
  std::optional<ConfigView> config;
  std::optional<LeaderView> leader;
  std::map<MemberName, MemberView> members;
  std::optional<FailoverView> failover;
  std::optional<SyncView> sync;
  std::optional<StatusView> status;
  std::optional<HistoryView> history;
  std::optional<FailsafeView> failsafe;
  std::optional<DigestsView> digests;
  std::optional<PoolersView> poolers;
  std::optional<LostLeader> lost_leader;  // absent while locked and when none was seen to go

  bool locked() const { return leader && !leader->name.value().empty(); }
  bool locked_by(const MemberName& name) const { return locked() && leader->name == name; }
  const MemberView* member(const MemberName& name) const {
    const auto at = members.find(name);
    return at == members.end() ? nullptr : &at->second;
  }
  // The leader's member key, if it has one.
  const MemberView* leader_member() const { return leader ? member(leader->name) : nullptr; }
  // The last published position of a leader; unknown (0) when none was.
  Lsn optime() const { return status ? status->optime : Lsn(); }
  // From `history`: the last line's timeline + 1; [] is 1; absent or unusable is 0 (unknown).
  Timeline timeline() const;

  static constexpr auto fields() {
    using C = ClusterView;
    return std::tuple{field("revision", &C::revision),
                      field("initialize", &C::initialize),
                      field("config", &C::config),
                      field("leader", &C::leader),
                      field("members", &C::members),
                      field("failover", &C::failover),
                      field("sync", &C::sync),
                      field("status", &C::status),
                      field("history", &C::history),
                      field("failsafe", &C::failsafe),
                      field("digests", &C::digests),
                      field("poolers", &C::poolers),
                      field("lost_leader", &C::lost_leader)};
  }
  friend bool operator==(const ClusterView&, const ClusterView&) = default;
};
static_assert(lists_all_fields<ClusterView>);

using ClusterViewPtr = std::shared_ptr<const ClusterView>;

}  // namespace tanist

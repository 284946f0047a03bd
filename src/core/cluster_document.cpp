// SPDX-License-Identifier: Apache-2.0
// The cluster document. Pure; any thread.
#include "core/cluster_document.h"

#include <algorithm>
#include <charconv>

#include "core/upstream.h"

namespace tanist {

namespace {

bool listed_in_sync(const ClusterView& view, const MemberName& name) {
  if (!view.sync || !view.sync->active()) return false;
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  return std::ranges::any_of(view.sync->standbys, [&](const MemberName& standby) {
    return std::ranges::equal(standby.value(), name.value(), {}, lower, lower);
  });
}

void copy(Tree& out, const Tree& data, std::string_view key) {
  if (const auto* value = data.find(key)) out.set(key, *value);
}

void put_position(Tree& out, std::string_view name, Lsn lsn, Lsn optime) {
  const std::string prefix(name);
  const auto lsn_key = prefix.empty() ? "lsn" : prefix + "_lsn";
  const auto lag_key = prefix.empty() ? "lag" : prefix + "_lag";
  if (lsn == Lsn()) {
    out.set(lsn_key, "unknown");
    out.set(lag_key, "unknown");
    return;
  }
  const auto lag = optime > lsn ? optime.value() - lsn.value() : 0;
  out.set(lsn_key, to_text(lsn));
  out.set(lag_key, lag);
}

void put_address(Tree& out, const MemberView& member) {
  const auto address = upstream_of(member);
  if (!address) return;
  int port = 5432;
  std::from_chars(address->port.data(), address->port.data() + address->port.size(), port);
  out.set("host", address->host);
  out.set("port", port);
}

Tree member_document(const ClusterView& view, const ClusterSettings& settings,
                     const MemberView& member) {
  const auto role = listed_role(view, settings, member);
  Tree out = Tree::map({{"name", member.name.value()}, {"role", role}});
  const bool shows_replication = role != "leader" && !member.replication_state.empty();
  const bool known = member.state != ServerState::unknown;
  out.set("state", shows_replication ? Tree(member.replication_state)
                                     : Tree(known ? name_of(member.state) : ""));
  out.set("api_url", member.api_url.empty() ? Tree() : Tree(member.api_url));
  put_address(out, member);
  for (const auto* key : {"timeline", "pending_restart", "pending_restart_reason",
                          "scheduled_restart", "tags", "progress", "storage_failed", "guard"}) {
    copy(out, member.data, key);
  }
  if (view.locked_by(member.name)) return out;
  put_position(out, "receive", member.receive_lsn, view.optime());
  put_position(out, "replay", member.replay_lsn, view.optime());
  put_position(out, "", member.xlog_location, view.optime());
  return out;
}

}  // namespace

std::string listed_role(const ClusterView& view, const ClusterSettings& settings,
                        const MemberView& member) {
  if (view.locked_by(member.name)) return settings.standby_cluster ? "standby_leader" : "leader";
  const bool listed =
      settings.synchronous_mode != SynchronousMode::off && listed_in_sync(view, member.name);
  if (!listed) return "replica";
  return settings.synchronous_mode == SynchronousMode::quorum ? "quorum_standby" : "sync_standby";
}

Tree cluster_document(const ClusterView& view, const ClusterSettings& settings,
                      const std::string& scope) {
  Tree members = Tree::list();
  for (const auto& [name, member] : view.members) {
    members.push(member_document(view, settings, member));
  }
  Tree document = Tree::map({{"members", std::move(members)}});
  if (settings.pause) document.set("pause", true);
  if (view.failover && view.failover->present() && view.failover->scheduled_at) {
    const auto given = parse_timestamp(view.failover->scheduled_text);
    const auto offset = given ? given->offset : std::chrono::minutes(0);
    Tree scheduled = Tree::map({{"at", to_iso8601(*view.failover->scheduled_at, offset)}});
    if (view.failover->is_switchover()) scheduled.set("from", view.failover->leader.value());
    if (!view.failover->member.value().empty()) {
      scheduled.set("to", view.failover->member.value());
    }
    document.set("scheduled_switchover", std::move(scheduled));
  }
  document.set("scope", scope);
  return document;
}

}  // namespace tanist

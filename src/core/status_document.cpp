// SPDX-License-Identifier: Apache-2.0
// The published status. Pure; any thread.
#include "core/status_document.h"

#include "core/failsafe.h"
#include "core/fence.h"
#include "core/local_server.h"
#include "core/published_values.h"
#include "core/replica.h"
#include "core/scheduled_restart.h"
#include "core/synchronous_view.h"
#include "core/wal_standing.h"
#include "core/watchdog.h"

namespace tanist {

namespace {

// A loop that has not stepped for this long is dead (safety 1.5; contract rest 6).
Duration silence_max(const Observation& obs) { return 2 * Duration(obs.timing.ttl); }

// In pause a primary's lock and its view of the store end together, as they do in Patroni: from
// then on the role counts (contract rest 5, case 1). Between the two nobody would find a primary.
bool view_is_valid(const Observation& obs) {
  if (!obs.store.view || obs.store.current) return obs.store.view != nullptr;
  if (paused(obs) && is_primary(obs) && !obs.holds_lock()) return false;
  return obs.now - obs.store.doubtful_since < Duration(obs.timing.ttl);
}

// A primary that is being fenced and does not answer may still write: others take this role as
// evidence (safety 1.7; seed 4007907).
Role document_role(const Observation& obs, const Memory& memory) {
  const auto& query = obs.local.server.query;
  const bool is_fenced = obs.running(Task::fence) && server_alive(obs) && !past_safe_point(obs);
  if (!query && is_fenced) return Role::primary;
  if (!query || !server_alive(obs)) return memory.role;
  if (!query->in_recovery) return Role::primary;
  return in_standby_cluster(obs) ? memory.role : Role::replica;
}

ServerState document_state(const Observation& obs, const Memory& memory) {
  const bool believed = memory.state == ServerState::running;
  return believed && !obs.local.server.query ? ServerState::unknown : memory.state;
}

std::string replication_state(const QueryFacts& query) {
  if (!query.in_recovery) return {};
  if (query.receiver_status == "streaming") return "streaming";
  return query.restore_command.empty() ? "" : "in archive recovery";
}

Tree wal_tree(const QueryFacts& query) {
  if (!query.in_recovery) return Tree::map({{"location", query.location.value()}});
  const auto received = query.received != Lsn() ? query.received : query.replayed;
  return Tree::map({{"received_location", received.value()},
                    {"replayed_location", query.replayed.value()},
                    {"replayed_timestamp",
                     query.replayed_timestamp.empty() ? Tree() : Tree(query.replayed_timestamp)},
                    {"paused", query.replay_paused}});
}

Tree senders_tree(const std::vector<WalSender>& senders) {
  Tree out = Tree::list();
  for (const auto& sender : senders) {
    out.push(Tree::map({{"usename", sender.user},
                        {"application_name", sender.application_name},
                        {"client_addr", sender.client_address},
                        {"state", sender.state},
                        {"sync_state", sender.sync_state},
                        {"sync_priority", sender.sync_priority}}));
  }
  return out;
}

bool listed_as_standby(const Observation& obs) {
  return obs.store.view && synchronous_active(obs) &&
         is_sync_standby(*obs.view().sync, obs.node->name);
}

void put_query(Tree& document, const Observation& obs, const Memory& memory) {
  const auto& query = obs.local.server.query;
  document.set("role", name_of(document_role(obs, memory)));
  if (!query) return;
  document.set("server_version", query->server_version);
  document.set("xlog", wal_tree(*query));
  if (document_role(obs, memory) == Role::replica && listed_as_standby(obs)) {
    document.set(quorum_active(obs) ? "quorum_standby" : "sync_standby", true);
  }
  const auto timeline = local_timeline(obs);
  document.set("timeline",
               timeline != Timeline() ? Tree(static_cast<int>(timeline.value())) : Tree());
  if (const auto state = replication_state(*query); !state.empty()) {
    document.set("replication_state", state);
  }
  if (!query->wal_senders.empty()) document.set("replication", senders_tree(query->wal_senders));
}

void put_pending_restart(Tree& document, const Observation& obs) {
  const auto& pending = obs.local.server.pending_restart;
  if (pending.empty()) return;
  Tree reasons = Tree::map();
  for (const auto& [parameter, old_value, new_value] : pending) {
    reasons.set(parameter, Tree::map({{"old_value", old_value}, {"new_value", new_value}}));
  }
  document.set("pending_restart", true);
  document.set("pending_restart_reason", std::move(reasons));
}

Tree guard_tree(const Observation& obs) {
  return Tree::map({{"mode", name_of(obs.node->guard)}, {"state", name_of(obs.local.guard)}});
}

Tree storage_tree(const Observation& obs) {
  const auto& storage = obs.local.storage;
  Tree tree = Tree::map({{"state", name_of(storage.state)}});
  if (!storage.good_enough()) tree.set("detail", storage.detail);
  return tree;
}

// Is what is told of the log of a time when nobody led any more? A vote needs that (quorum mode):
// an earlier position may lack what the last leader still had acknowledged, and while the former
// leader gets its commits confirmed here, so may any.
bool looked_since_unlock(const Observation& obs, const Memory& memory) {
  const auto& since = memory.unlocked_since;
  const bool sees_nobody = obs.store.view && obs.store.current && !obs.view().locked();
  if (!since || !sees_nobody || obs.local.server.observed_at < *since) return false;
  return !quorum_active(obs) || has_left_former_leader(obs);
}

// Where a standby's log left the cluster's, if it did.
std::optional<Lsn> left_cluster_at(const Observation& obs) {
  const auto& query = obs.local.server.query;
  if (!obs.store.view || !query || !query->in_recovery) return std::nullopt;
  const auto common = own_common_position(obs);
  return common < wal_position(obs) ? std::optional(common) : std::nullopt;
}

// Who may be promoted any moment must not count as one who denies that it leads (safety 1.7).
bool holds_or_takes_lock(const Observation& obs) {
  return obs.holds_lock() || obs.running(Task::take_lock) || obs.running(Task::retake_lock);
}

Tree document_of(const Observation& obs, const Memory& memory, std::int64_t last_seen) {
  Tree document = Tree::map({{"state", name_of(document_state(obs, memory))}});
  const auto& query = obs.local.server.query;
  if (query && !query->postmaster_start_time.empty()) {
    document.set("postmaster_start_time", query->postmaster_start_time);
  }
  put_query(document, obs, memory);
  if (paused(obs)) document.set("pause", true);
  if (!view_is_valid(obs) || !obs.view().locked()) document.set("cluster_unlocked", true);
  if (failsafe_is_active(obs, memory)) document.set("failsafe_mode_is_active", true);
  if (watchdog_failed(obs)) document.set("watchdog_failed", true);
  document.set("dcs_last_seen", last_seen);
  if (const auto tags = tags_value(obs, memory); tags.truthy()) document.set("tags", tags);
  if (const auto id = local_system_id(obs); is_valid(id)) {
    document.set("database_system_identifier", id.value());
  }
  put_pending_restart(document, obs);
  document.set("patroni", Tree::map({{"version", compatible_version},
                                     {"scope", obs.node->scope},
                                     {"name", obs.node->name.value()}}));
  if (auto restart = scheduled_restart_value(memory); !restart.is_null()) {
    restart.erase("postmaster_start_time");
    document.set("scheduled_restart", std::move(restart));
  }
  Tree ours = Tree::map({{"version", TANIST_VERSION},
                         {"looked_since_unlock", looked_since_unlock(obs, memory)},
                         {"holds_lock", holds_or_takes_lock(obs)},
                         {"guard", guard_tree(obs)},
                         {"storage", storage_tree(obs)}});
  if (const auto left = left_cluster_at(obs)) ours.set("left_at", left->value());
  document.set("tanist", std::move(ours));
  return document;
}

std::string hosts_of_members(const ClusterView& view) {
  std::string hosts;
  for (const auto& [name, member] : view.members) {
    std::string_view url = member.api_url;
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) continue;
    url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find('/'));
    url = url.substr(0, url.rfind(':'));
    if (!hosts.empty()) hosts += ',';
    hosts += url;
  }
  return hosts;
}

// Seconds since 1970 of a time in the server's text form; 0 = none.
double epoch_seconds(const std::string& text) {
  const auto parsed = parse_timestamp(text);
  if (!parsed) return 0;
  return static_cast<double>(parsed->time.time_since_epoch().count()) / 1e6;
}

void put_view(Status& status, const Observation& obs) {
  if (!obs.store.view) return;
  const auto& view = obs.view();
  if (view.config && view.config->valid) status.config = view.config->value;
  status.history =
      view.history && view.history->value->is_list() ? *view.history->value : Tree::list();
  if (view.failsafe) {
    status.failsafe = Tree::map();
    for (const auto& [name, url] : view.failsafe->members) status.failsafe.set(name.value(), url);
    status.failsafe_member = view.failsafe->members.contains(obs.node->name);
  }
  status.members_hosts = hosts_of_members(view);
  status.optime = view.optime();
  status.cluster_unlocked = !view_is_valid(obs) || !view.locked();
}

void put_server(Status& status, const Observation& obs) {
  const auto& query = obs.local.server.query;
  if (!query) return;
  status.in_recovery = query->in_recovery || !server_alive(obs);
  status.replication_state = replication_state(*query);
  status.location = query->location;
  status.received = query->received != Lsn() ? query->received : query->replayed;
  status.replayed = query->replayed;
  status.latest_end = query->latest_end;
  status.server_version = query->server_version;
  status.postmaster_start_time = epoch_seconds(query->postmaster_start_time);
  status.replayed_timestamp = epoch_seconds(query->replayed_timestamp);
  status.wal_paused = query->replay_paused;
}

std::int64_t last_seen_at(const Observation& obs) {
  if (!obs.store.view) return 0;
  const auto seen = obs.store.current ? obs.now : obs.store.doubtful_since;
  const auto wall =
      obs.wall - std::chrono::duration_cast<std::chrono::microseconds>(obs.now - seen);
  return std::chrono::floor<seconds>(wall).time_since_epoch().count();
}

}  // namespace

Status make_status(const Observation& obs, const Memory& memory) {
  Status status;
  status.store_last_seen = last_seen_at(obs);
  status.document = document_of(obs, memory, status.store_last_seen);
  put_view(status, obs);
  put_server(status, obs);
  status.state = document_state(obs, memory);
  status.internal_state = memory.state;
  status.role = document_role(obs, memory);
  status.tags = obs.node->tags;
  status.view_valid = view_is_valid(obs);
  status.holds_lock = obs.holds_lock();
  status.demoting = memory.demoting;
  const bool standby = listed_as_standby(obs);
  status.quorum_standby = standby && quorum_active(obs);
  status.sync_standby = standby && !quorum_active(obs);
  status.standby_cluster = in_standby_cluster(obs);
  status.paused = paused(obs);
  status.failsafe_active = failsafe_is_active(obs, memory);
  status.failsafe_enabled = obs.cluster->failsafe_mode;
  status.lag_bytes_max_on_failover = obs.cluster->lag_bytes_max_on_failover;
  status.next_run = obs.next_cycle;
  status.ttl = obs.timing.ttl;
  status.good_until = obs.now + silence_max(obs);
  status.timeline = local_timeline(obs);
  status.storage = obs.local.storage;
  status.pending_restart = !obs.local.server.pending_restart.empty();
  return status;
}

}  // namespace tanist

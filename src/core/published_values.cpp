// SPDX-License-Identifier: Apache-2.0
// Values for the store. Pure; any thread.
#include "core/published_values.h"

#include "core/leader_upkeep.h"
#include "core/local_server.h"
#include "core/scheduled_restart.h"
#include "core/slots_plan.h"

namespace tanist {

Tree tags_value(const Observation& obs, const Memory& memory) {
  auto tags = obs.node->tags.published;
  if (!memory.leaving_sync) return tags;
  if (!tags.is_map()) tags = Tree::map();
  tags.set("nosync", true);
  tags.set("sync_priority", 0);
  return tags;
}

namespace {

bool positions_are_known(const Observation& obs, const Memory& memory) {
  const bool quiet = !memory.job || memory.job->kind == JobKind::promote;
  const bool up = memory.state == ServerState::running || memory.state == ServerState::restarting ||
                  memory.state == ServerState::starting;
  return quiet && up && obs.local.server.query.has_value();
}

void look_at_positions(MemberFacts& facts, const Observation& obs) {
  const auto& query = *obs.local.server.query;
  facts.positions.emplace().xlog = query.wal_position();
  if (query.in_recovery) {
    facts.positions->replayed = query.replayed;
    facts.positions->received = query.received;
    if (query.receiver_status == "streaming") {
      facts.replication_state = "streaming";
    } else if (!query.restore_command.empty()) {
      facts.replication_state = "in archive recovery";
    }
  }
  facts.timeline = local_timeline(obs);
}

bool same_addresses(const NodeSettings& a, const NodeSettings& b) {
  return &a == &b ||
         (a.conn_url == b.conn_url && a.api_url == b.api_url && a.proxy_url == b.proxy_url);
}

// The keys of the value differ: nothing is searched before it is added.
void put(Tree::Map& member, std::string_view key, Tree value) {
  member.emplace_back(std::string(key), std::move(value));
}

void put_lsn(Tree::Map& member, std::string_view key, Lsn lsn) {
  if (lsn != Lsn()) put(member, key, lsn.value());
}

void put_positions(Tree::Map& member, const MemberFacts& facts) {
  put(member, "xlog_location", facts.positions->xlog.value());
  put_lsn(member, "replay_lsn", facts.positions->replayed);
  put_lsn(member, "receive_lsn", facts.positions->received);
  if (!facts.replication_state.empty()) put(member, "replication_state", facts.replication_state);
  if (facts.timeline != Timeline()) {
    put(member, "timeline", static_cast<int>(facts.timeline.value()));
  }
}

void put_pending_restart(Tree::Map& member, const std::vector<PendingRestart>& pending) {
  if (pending.empty()) return;
  Tree reasons = Tree::map();
  for (const auto& [parameter, old_value, new_value] : pending) {
    reasons.set(parameter, Tree::map({{"old_value", old_value}, {"new_value", new_value}}));
  }
  put(member, "pending_restart", true);
  put(member, "pending_restart_reason", std::move(reasons));
}

}  // namespace

MemberFacts member_facts(const Observation& obs, const Memory& memory) {
  MemberFacts facts;
  facts.node = obs.node;
  facts.tags = tags_value(obs, memory);
  facts.state = memory.state;
  facts.role = memory.role;
  const bool leads = obs.holds_lock() && memory.role == Role::primary;
  facts.checkpoint_pending = leads && memory.checkpoint_needed;
  facts.pending_restart = obs.local.server.pending_restart;
  if (positions_are_known(obs, memory)) look_at_positions(facts, obs);
  facts.scheduled_restart = scheduled_restart_value(memory);
  facts.paused = paused(obs);
  facts.storage_failed = !obs.local.storage.good_enough();
  if (obs.node->guard != GuardMode::off) facts.guard = obs.local.guard;
  if (memory.state == ServerState::creating_replica) facts.progress = obs.local.copy_progress;
  return facts;
}

bool same_but_for_positions(const MemberFacts& a, const MemberFacts& b) {
  return a.state == b.state && a.role == b.role && a.checkpoint_pending == b.checkpoint_pending &&
         a.timeline == b.timeline && a.replication_state == b.replication_state &&
         a.paused == b.paused && a.storage_failed == b.storage_failed && a.guard == b.guard &&
         a.progress == b.progress && a.pending_restart == b.pending_restart && a.tags == b.tags &&
         a.scheduled_restart == b.scheduled_restart && same_addresses(*a.node, *b.node);
}

Tree member_value(const MemberFacts& facts) {
  const auto& node = *facts.node;
  Tree::Map member;
  member.reserve(16);
  put(member, "conn_url", node.conn_url);
  put(member, "api_url", node.api_url);
  put(member, "state", name_of(facts.state));
  put(member, "role", name_of(facts.role));
  put(member, "version", compatible_version);
  if (!node.proxy_url.empty()) put(member, "proxy_url", node.proxy_url);
  if (facts.checkpoint_pending) put(member, "checkpoint_after_promote", false);
  if (facts.tags.truthy()) put(member, "tags", facts.tags);
  put_pending_restart(member, facts.pending_restart);
  if (facts.positions) put_positions(member, facts);
  if (!facts.scheduled_restart.is_null()) put(member, "scheduled_restart", facts.scheduled_restart);
  if (facts.paused) put(member, "pause", true);
  if (facts.storage_failed) put(member, "storage_failed", true);
  if (facts.guard) put(member, "guard", name_of(*facts.guard));
  if (!facts.progress.empty()) put(member, "progress", facts.progress);
  put(member, "tanist", TANIST_VERSION);
  return Tree(std::move(member));
}

Tree member_value(const Observation& obs, const Memory& memory) {
  return member_value(member_facts(obs, memory));
}

namespace {

Tree slots_tree(const std::map<std::string, std::uint64_t>& slots) {
  Tree out = Tree::map();
  for (const auto& [name, lsn] : slots) out.set(name, lsn);
  return out;
}

Tree names_tree(const std::set<std::string>& names) {
  Tree out = Tree::list();
  for (const auto& name : names) out.push(name);
  return out;
}

Tree status_tree(Lsn optime, Timeline timeline, const std::map<std::string, std::uint64_t>& slots,
                 const std::set<std::string>& retained) {
  Tree status = Tree::map({{"optime", optime.value()}});
  if (timeline != Timeline()) status.set("timeline", static_cast<int>(timeline.value()));
  if (!slots.empty()) status.set("slots", slots_tree(slots));
  if (!retained.empty()) status.set("retain_slots", names_tree(retained));
  return status;
}

}  // namespace

Tree status_value(const Observation& obs) {
  const auto position = wal_position(obs);
  if (position == Lsn()) return {};
  const bool known = !is_primary(obs) || history_leads_here(obs);
  const bool waits = obs.now < obs.lock.taken_at + Duration(obs.timing.ttl);
  if (!known && waits) return {};
  const auto timeline = known && is_primary(obs) ? local_timeline(obs) : Timeline();
  if (!obs.node->use_slots) return status_tree(position, timeline, {}, {});
  return status_tree(position, timeline, published_slots(obs), retained_slots(obs));
}

Tree released_status_value(const Observation& obs, Lsn optime, Timeline timeline) {
  const auto& known = obs.view().status;
  if (!known) return status_tree(optime, timeline, {}, {});
  return status_tree(optime, timeline, known->slots, known->retain_slots);
}

}  // namespace tanist

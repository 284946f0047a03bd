// SPDX-License-Identifier: Apache-2.0
// Values for the store. Pure; any thread.
#include "core/published_values.h"

#include <array>

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

constexpr std::array position_keys{"xlog_location", "replay_lsn", "receive_lsn"};

bool positions_are_known(const Observation& obs, const Memory& memory) {
  const bool quiet = !memory.job || memory.job->kind == JobKind::promote;
  const bool up = memory.state == ServerState::running || memory.state == ServerState::restarting ||
                  memory.state == ServerState::starting;
  return quiet && up && obs.local.server.query.has_value();
}

void put_lsn(Tree& member, std::string_view key, Lsn lsn) {
  if (lsn != Lsn()) member.set(key, lsn.value());
}

void put_positions(Tree& member, const Observation& obs) {
  const auto& query = *obs.local.server.query;
  member.set("xlog_location", query.wal_position().value());
  if (query.in_recovery) {
    put_lsn(member, "replay_lsn", query.replayed);
    put_lsn(member, "receive_lsn", query.received);
    if (query.receiver_status == "streaming") {
      member.set("replication_state", "streaming");
    } else if (!query.restore_command.empty()) {
      member.set("replication_state", "in archive recovery");
    }
  }
  const auto timeline = local_timeline(obs);
  if (timeline != Timeline()) member.set("timeline", static_cast<int>(timeline.value()));
}

void put_pending_restart(Tree& member, const Observation& obs) {
  const auto& pending = obs.local.server.pending_restart;
  if (pending.empty()) return;
  Tree reasons = Tree::map();
  for (const auto& [parameter, old_value, new_value] : pending) {
    reasons.set(parameter, Tree::map({{"old_value", old_value}, {"new_value", new_value}}));
  }
  member.set("pending_restart", true);
  member.set("pending_restart_reason", std::move(reasons));
}

}  // namespace

Tree member_value(const Observation& obs, const Memory& memory) {
  Tree member = Tree::map({{"conn_url", obs.node->conn_url},
                           {"api_url", obs.node->api_url},
                           {"state", name_of(memory.state)},
                           {"role", name_of(memory.role)},
                           {"version", compatible_version}});
  if (!obs.node->proxy_url.empty()) member.set("proxy_url", obs.node->proxy_url);
  const bool leads = obs.holds_lock() && memory.role == Role::primary;
  if (leads && memory.checkpoint_needed) member.set("checkpoint_after_promote", false);
  if (const auto tags = tags_value(obs, memory); tags.truthy()) member.set("tags", tags);
  put_pending_restart(member, obs);
  if (positions_are_known(obs, memory)) put_positions(member, obs);
  if (const auto restart = scheduled_restart_value(memory); !restart.is_null()) {
    member.set("scheduled_restart", restart);
  }
  if (paused(obs)) member.set("pause", true);
  if (!obs.local.storage.good_enough()) member.set("storage_failed", true);
  if (obs.node->guard != GuardMode::off) member.set("guard", name_of(obs.local.guard));
  const auto& progress = obs.local.copy_progress;
  if (memory.state == ServerState::creating_replica && !progress.empty()) {
    member.set("progress", progress);
  }
  member.set("tanist", TANIST_VERSION);
  return member;
}

Tree without_positions(Tree member) {
  for (const auto* key : position_keys) member.erase(key);
  return member;
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

Tree status_tree(Lsn optime, const std::map<std::string, std::uint64_t>& slots,
                 const std::set<std::string>& retained) {
  Tree status = Tree::map({{"optime", optime.value()}});
  if (!slots.empty()) status.set("slots", slots_tree(slots));
  if (!retained.empty()) status.set("retain_slots", names_tree(retained));
  return status;
}

}  // namespace

Tree status_value(const Observation& obs) {
  const auto position = wal_position(obs);
  if (position == Lsn()) return {};
  if (!obs.node->use_slots) return status_tree(position, {}, {});
  return status_tree(position, published_slots(obs), retained_slots(obs));
}

Tree released_status_value(const Observation& obs, Lsn optime) {
  const auto& known = obs.view().status;
  if (!known) return status_tree(optime, {}, {});
  return status_tree(optime, known->slots, known->retain_slots);
}

}  // namespace tanist

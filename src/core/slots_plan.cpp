// SPDX-License-Identifier: Apache-2.0
// The plan for replication slots. Pure; any thread.
#include "core/slots_plan.h"

#include <algorithm>
#include <ranges>
#include <set>

#include "core/feeding_path.h"
#include "core/local_server.h"
#include "core/logical_slots.h"
#include "core/permanent_slots.h"
#include "core/start_job.h"

namespace tanist {

// ---- Wanted ----------------------------------------------------------------------------------

namespace {

bool leads(const Observation& obs) { return obs.holds_lock() || obs.memory->role == Role::primary; }

// The member streams from this node: by its tag, or because this node leads and no other member is
// named by the tag.
bool streams_from_us(const Observation& obs, const MemberView& member) {
  const auto& source = member.tags.replicatefrom;
  if (source == obs.node->name) return true;
  if (!leads(obs)) return false;
  return source.value().empty() || source == member.name || obs.view().member(source) == nullptr;
}

bool has_slot_here(const Observation& obs, const MemberView& member) {
  if (member.name == obs.node->name || member.tags.nostream) return false;
  if (obs.cluster->member_slots_ttl > seconds(0)) {
    return !obs.node->tags.nofailover() || member.tags.replicatefrom == obs.node->name;
  }
  return streams_from_us(obs, member) && !obs.view().locked_by(member.name);
}

Lsn published_position(const Observation& obs, const std::string& slot) {
  const auto& status = obs.view().status;
  if (!status) return {};
  const auto at = status->slots.find(slot);
  return at == status->slots.end() ? Lsn() : Lsn(at->second);
}

// A leader that publishes no positions of slots leaves the members' own (trap 91).
bool leader_is_old(const Observation& obs) {
  const auto* leader = obs.view().leader_member();
  return leader != nullptr && !leader->version.empty() && leader->version < "4";
}

Lsn target_of(const Observation& obs, const MemberView& member, const std::string& slot) {
  const auto target = published_position(obs, slot);
  if (member.tags.replicatefrom.value().empty() && !leader_is_old(obs)) return target;
  return std::max(target, member.xlog_location);
}

// The member that is fed by another one through a slot of this name; nullptr if none.
const MemberView* cascading_member(const Observation& obs, const std::string& slot) {
  for (const auto& [name, member] : obs.view().members) {
    if (!member.tags.replicatefrom.value().empty() && slot_name_of(name) == slot) return &member;
  }
  return nullptr;
}

bool fits_cluster(const Observation& obs, const PermanentSlot& slot) {
  if (slot.logical) {
    return !in_standby_cluster(obs) && streams_from_primary(obs, obs.node->name);
  }
  if (slot.cluster_type.empty()) return true;
  return slot.cluster_type == (in_standby_cluster(obs) ? "standby" : "primary");
}

void add_permanent(const Observation& obs, std::map<std::string, WantedSlot>& wanted) {
  const auto own = slot_name_of(obs.node->name);
  for (const auto& [name, slot] : permanent_slots_from(obs.cluster->slots)) {
    if (name == own || !fits_cluster(obs, slot)) continue;
    const auto* member = slot.logical ? nullptr : cascading_member(obs, name);
    WantedSlot one{.active = leads(obs) && member == nullptr,
                   .target = published_position(obs, name),
                   .permanent = true,
                   .logical = slot.logical,
                   .plugin = slot.plugin,
                   .database = slot.database};
    if (member != nullptr) one.target = std::max(one.target, member->xlog_location);
    wanted.try_emplace(name, std::move(one));
  }
}

}  // namespace

std::map<std::string, WantedSlot> wanted_slots(const Observation& obs) {
  std::map<std::string, WantedSlot> wanted;
  if (!obs.node->use_slots) return wanted;
  for (const auto& [name, member] : obs.view().members) {
    if (!has_slot_here(obs, member)) continue;
    const auto slot = slot_name_of(name);
    wanted[slot] = {.active = streams_from_us(obs, member), .target = target_of(obs, member, slot)};
  }
  if (obs.node->tags.nofailover()) return wanted;
  if (obs.view().status) {
    for (const auto& slot : obs.view().status->retain_slots) {
      if (slot != slot_name_of(obs.node->name)) wanted.try_emplace(slot);
    }
  }
  add_permanent(obs, wanted);
  return wanted;
}

// ---- Changes ---------------------------------------------------------------------------------

namespace {

using Wanted = std::map<std::string, WantedSlot>;

SlotChange drop(const SlotFacts& slot) {
  return {.what = SlotChange::What::drop,
          .slot = slot.name,
          .logical = slot.logical,
          .plugin = {},
          .database = {},
          .advance_to = {}};
}

// PostgreSQL 17 keeps these in step itself (traps 87, 165); what an earlier primary left behind
// stops it from doing so (trap 164).
bool is_failover_slot(const SlotFacts& slot) { return slot.logical && slot.failover; }
bool blocks_slot_sync(const Observation& obs, const SlotFacts& slot) {
  return is_failover_slot(slot) && !slot.synced && !is_primary(obs) && obs.view().locked() &&
         !obs.view().locked_by(obs.node->name);
}

bool is_another_slot(const SlotFacts& slot, const WantedSlot& wanted) {
  if (slot.logical != wanted.logical) return true;
  return slot.logical && (slot.plugin != wanted.plugin || slot.database != wanted.database);
}

// A member that was there a while ago and is not: /status tells of it, too, unless the store has
// lost its data.
bool is_of_absent_member(const Observation& obs, const SlotFacts& slot) {
  if (slot.logical || !obs.memory->slots_seen.contains(slot.name)) return false;
  return std::ranges::none_of(obs.view().members, [&](const auto& entry) {
    return slot_name_of(entry.first) == slot.name;
  });
}

// In pause nothing is dropped, and what others own stays (trap 87).
bool may_be_dropped(const Observation& obs, const SlotFacts& slot) {
  return !paused(obs) && !is_failover_slot(slot) && !is_of_absent_member(obs, slot) &&
         !is_ignored_slot(obs.cluster->ignore_slots, slot);
}

// An unused slot that holds back vacuum (trap 85) or reserves nothing (trap 90) is made anew.
bool is_useless(const Observation& obs, const SlotFacts& slot) {
  const bool leader_in_recovery = obs.holds_lock() && !is_primary(obs);
  if (slot.has_xmin) return obs.view().locked() && !leader_in_recovery;
  return slot.restart_lsn == Lsn();
}

struct Plan {
  std::vector<SlotChange> drops;
  std::vector<SlotChange> advances;
};

void plan_advance(const Observation& obs, const SlotFacts& slot, const WantedSlot& wanted,
                  Plan& plan) {
  SlotChange change{.what = SlotChange::What::advance,
                    .slot = slot.name,
                    .logical = slot.logical,
                    .plugin = {},
                    .database = slot.database,
                    .advance_to = wanted.target};
  if (slot.logical) {
    if (is_primary(obs)) return;
    // Never past what is replayed (trap 88).
    change.advance_to = std::min(wanted.target, obs.local.server.query->replayed);
    if (change.advance_to > slot.confirmed_flush_lsn) plan.advances.push_back(std::move(change));
  } else if (wanted.target > slot.restart_lsn) {
    plan.advances.push_back(std::move(change));
  }
}

void plan_existing(const Observation& obs, const SlotFacts& slot, const Wanted& wanted,
                   Plan& plan) {
  if (blocks_slot_sync(obs, slot)) return plan.drops.push_back(drop(slot));
  const auto at = wanted.find(slot.name);
  if (at == wanted.end() || slot.wal_status == "lost") {
    if (may_be_dropped(obs, slot)) plan.drops.push_back(drop(slot));
    return;
  }
  if (is_another_slot(slot, at->second)) return plan.drops.push_back(drop(slot));
  if (at->second.active || slot.active) return;
  if (!slot.logical && is_useless(obs, slot)) return plan.drops.push_back(drop(slot));
  plan_advance(obs, slot, at->second, plan);
}

}  // namespace

namespace {

std::vector<SlotChange> changes_toward(const Observation& obs, const Wanted& wanted) {
  Plan plan;
  const auto& slots = obs.local.server.query->slots;
  for (const auto& slot : slots) plan_existing(obs, slot, wanted, plan);
  const auto stays = [&](const std::string& name) {
    return std::ranges::find(slots, name, &SlotFacts::name) != slots.end() &&
           std::ranges::find(plan.drops, name, &SlotChange::slot) == plan.drops.end();
  };
  auto changes = plan.drops;
  for (const auto& [name, slot] : wanted) {
    if (stays(name) || (slot.logical && !is_primary(obs))) continue;
    changes.push_back({.what = SlotChange::What::create,
                       .slot = name,
                       .logical = slot.logical,
                       .plugin = slot.plugin,
                       .database = slot.database,
                       .advance_to = {}});
  }
  changes.insert(changes.end(), plan.advances.begin(), plan.advances.end());
  return changes;
}

}  // namespace

std::vector<SlotChange> slot_changes(const Observation& obs) {
  if (!obs.local.server.query) return {};
  return changes_toward(obs, wanted_slots(obs));
}

namespace {

// Slots are looked at once a cycle; until then what was changed looks as it did before.
bool changed_since_observed(const Observation& obs) {
  const auto end = obs.ends.find(Task::change_slots);
  return end != obs.ends.end() && end->second.at >= obs.local.server.observed_at;
}

}  // namespace

void keep_slots(Draft& draft) {
  const auto& obs = draft.obs;
  if (changed_since_observed(obs) || !obs.view().config) return;
  if (!obs.node->use_slots || !obs.local.server.query || !facts_are_fresh(obs)) return;
  prove_copied_slots(draft);
  if (draft.busy(Task::change_slots)) return;
  const auto wanted = wanted_slots(obs);
  auto changes = changes_toward(obs, wanted);
  if (!changes.empty()) {
    draft.start(Task::change_slots, ChangeSlots{std::move(changes)}, no_limit);
  }
  copy_missing_slots(draft, wanted);
}

// ---- Names that clash ------------------------------------------------------------------------

namespace {

// "a-1, a.1 map to a_1; ..."; empty when every member has a slot name of its own.
std::string shared_slot_names(const ClusterView& view) {
  std::map<std::string, std::vector<std::string>> members_of;
  for (const auto& [name, member] : view.members) {
    members_of[slot_name_of(name)].push_back(name.value());
  }
  std::string text;
  for (const auto& [slot, members] : members_of) {
    if (members.size() < 2) continue;
    std::string names;
    for (const auto& name : members) names += (names.empty() ? "" : ", ") + name;
    text += format_text("{}{} map to {}", text.empty() ? "" : "; ", names, slot);
  }
  return text;
}

}  // namespace

void warn_of_shared_slots(Draft& draft, const ClusterViewPtr& before) {
  const auto& now = draft.obs.store.view;
  if (!draft.obs.node->use_slots || before == now) return;
  const auto names = [](const ClusterView& view) { return std::views::keys(view.members); };
  if (before && std::ranges::equal(names(*before), names(*now))) return;
  const auto shared = shared_slot_names(*now);
  if (shared.empty() || (before && shared == shared_slot_names(*before))) return;
  draft.log(LineLevel::error, "Following cluster members share a replication slot name: {}",
            shared);
}

// ---- Published -------------------------------------------------------------------------------

std::map<std::string, std::uint64_t> published_slots(const Observation& obs) {
  std::map<std::string, std::uint64_t> positions;
  const bool all = obs.cluster->member_slots_ttl > seconds(0);
  const auto wanted = wanted_slots(obs);
  for (const auto& slot : obs.local.server.query->slots) {
    const auto at = wanted.find(slot.name);
    if (at == wanted.end() || !(all || at->second.permanent)) continue;
    const auto lsn = slot.logical ? slot.confirmed_flush_lsn : slot.restart_lsn;
    positions[slot.name] = lsn.value();
  }
  positions[slot_name_of(obs.node->name)] = wal_position(obs).value();
  return positions;
}

std::set<std::string> retained_slots(const Observation& obs) {
  const auto permanent = permanent_slots_from(obs.cluster->slots);
  std::set<std::string> names;
  for (const auto& [slot, seen_at] : obs.memory->slots_seen) {
    if (!permanent.contains(slot)) names.insert(slot);
  }
  return names;
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The plan for replication slots. Pure; any thread.
#include "core/slots_plan.h"

#include <set>

#include "core/local_server.h"
#include "core/start_job.h"

namespace tanist {

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

Lsn target_of(const Observation& obs, const MemberView& member, const std::string& slot) {
  Lsn target;
  if (const auto& status = obs.view().status) {
    const auto at = status->slots.find(slot);
    if (at != status->slots.end()) target = Lsn(at->second);
  }
  if (member.tags.replicatefrom.value().empty()) return target;
  return std::max(target, member.xlog_location);
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
  if (obs.node->tags.nofailover() || !obs.view().status) return wanted;
  for (const auto& slot : obs.view().status->retain_slots) {
    if (slot != slot_name_of(obs.node->name)) wanted.try_emplace(slot);
  }
  return wanted;
}

namespace {

// Slots that others own or that are in use stay (trap 87).
bool may_be_dropped(const Observation& obs, const SlotFacts& slot) {
  return !slot.logical && !slot.active && !paused(obs);
}

void plan_existing(const Observation& obs, const std::map<std::string, WantedSlot>& wanted,
                   std::vector<SlotChange>& drops, std::vector<SlotChange>& advances) {
  for (const auto& slot : obs.local.server.query->slots) {
    const auto at = wanted.find(slot.name);
    const bool lost = slot.wal_status == "lost";
    if (at == wanted.end() || lost) {
      if (may_be_dropped(obs, slot)) drops.push_back({SlotChange::What::drop, slot.name});
      continue;
    }
    const bool passive = !at->second.active && !slot.active;
    if (!slot.logical && passive && slot.has_xmin && obs.view().locked()) {
      drops.push_back({SlotChange::What::drop, slot.name});
      continue;
    }
    if (!slot.logical && passive && at->second.target > slot.restart_lsn) {
      SlotChange advance{SlotChange::What::advance, slot.name};
      advance.advance_to = at->second.target;
      advances.push_back(advance);
    }
  }
}

}  // namespace

std::vector<SlotChange> slot_changes(const Observation& obs) {
  std::vector<SlotChange> changes;
  if (!obs.local.server.query) return changes;
  const auto wanted = wanted_slots(obs);
  std::vector<SlotChange> advances;
  plan_existing(obs, wanted, changes, advances);
  std::set<std::string> present;
  for (const auto& slot : obs.local.server.query->slots) present.insert(slot.name);
  for (const auto& change : changes) present.erase(change.slot);
  for (const auto& [name, slot] : wanted) {
    if (!present.contains(name)) changes.push_back({SlotChange::What::create, name});
  }
  changes.insert(changes.end(), advances.begin(), advances.end());
  return changes;
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
  if (changed_since_observed(obs)) return;
  if (!obs.node->use_slots || !obs.local.server.query || !facts_are_fresh(obs)) return;
  auto changes = slot_changes(obs);
  if (changes.empty() || draft.busy(Task::change_slots)) return;
  draft.start(Task::change_slots, ChangeSlots{std::move(changes)}, no_limit);
}

}  // namespace tanist

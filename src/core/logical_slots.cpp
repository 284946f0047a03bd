// SPDX-License-Identifier: Apache-2.0
// Copies of logical slots. Pure; any thread.
#include "core/logical_slots.h"

#include "core/failsafe.h"
#include "core/feeding_path.h"
#include "core/local_server.h"
#include "core/permanent_slots.h"
#include "core/slots_plan.h"
#include "core/start_job.h"
#include "core/upstream.h"

namespace tanist {

namespace {

// A copy that failed is not tried again at once: each one restarts the standby (trap 89).
constexpr Duration copy_again = std::chrono::minutes(1);

bool has_logical(const Observation& obs) {
  return std::ranges::any_of(permanent_slots_from(obs.cluster->slots),
                             [](const auto& entry) { return entry.second.logical; });
}

bool may_have_them(const Observation& obs, const MemberName& name) {
  return !feeding_of(obs, name).nofailover && streams_from_primary(obs, name);
}

}  // namespace

bool needs_feedback(const Observation& obs) {
  if (!obs.store.view || !obs.node->use_slots || in_standby_cluster(obs) || !has_logical(obs)) {
    return false;
  }
  if (may_have_them(obs, obs.node->name)) return true;
  return std::ranges::any_of(obs.view().members, [&](const auto& entry) {
    return cascades_from_us(obs, entry.first) && may_have_them(obs, entry.first);
  });
}

// ---- Copying ---------------------------------------------------------------------------------

namespace {

std::vector<SlotChange> missing_slots(const Observation& obs,
                                      const std::map<std::string, WantedSlot>& wanted) {
  std::vector<SlotChange> missing;
  const auto& present = obs.local.server.query->slots;
  for (const auto& [name, slot] : wanted) {
    // Without a position nobody knows whether the leader has it.
    if (!slot.logical || slot.target == Lsn()) continue;
    if (std::ranges::find(present, name, &SlotFacts::name) != present.end()) continue;
    missing.push_back({.what = SlotChange::What::create,
                       .slot = name,
                       .logical = true,
                       .plugin = slot.plugin,
                       .database = slot.database,
                       .advance_to = slot.target});
  }
  return missing;
}

bool may_copy(const Draft& draft) {
  const auto& obs = draft.obs;
  const auto* leader = obs.view().leader_member();
  const auto& failed_at = draft.next.slot_copy_failed_at;
  return !draft.next.job && !draft.busy(Task::server) && !paused(obs) && !is_primary(obs) &&
         !obs.holds_lock() && leader != nullptr && leader->role == Role::primary &&
         obs.store.current && !(failed_at && obs.now < *failed_at + copy_again);
}

}  // namespace

void copy_missing_slots(Draft& draft, const std::map<std::string, WantedSlot>& wanted) {
  if (is_primary(draft.obs)) return;
  auto missing = missing_slots(draft.obs, wanted);
  if (missing.empty() || !may_copy(draft)) return;
  const auto leader = leader_source(draft.obs);
  if (!leader) return;
  auto job = make_job(JobKind::copy_slots, "copying logical slots");
  job.goal.standby = true;
  job.source = leader;
  job.slots = std::move(missing);
  begin(draft, std::move(job));
}

// ---- Readiness -------------------------------------------------------------------------------

void doubt_logical_slots(Draft& draft) {
  draft.next.unready_slots.clear();
  if (!draft.obs.store.view || draft.obs.holds_lock()) return;
  for (const auto& [name, slot] : wanted_slots(draft.obs)) {
    if (slot.logical) draft.next.unready_slots[name] = 0;
  }
}

namespace {

const SlotFacts* find_slot(const std::vector<SlotFacts>& slots, const std::string& name) {
  const auto at = std::ranges::find(slots, name, &SlotFacts::name);
  return at == slots.end() ? nullptr : &*at;
}

// Transaction numbers go round.
bool not_later(std::int64_t a, std::int64_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b)) <=
         0;
}

// True when the slot needs no doubt any more.
bool prove(const Observation& obs, const std::string& name, std::int64_t& remembered,
           const SlotFacts& physical) {
  const auto* at_leader = find_slot(obs.local.leader_slots, name);
  const auto* here = find_slot(obs.local.server.query->slots, name);
  if (at_leader == nullptr || here == nullptr || physical.catalog_xmin == 0) return false;
  if (remembered == 0) {
    remembered = at_leader->catalog_xmin;
    return false;
  }
  return not_later(remembered, physical.catalog_xmin) &&
         not_later(physical.catalog_xmin, here->catalog_xmin);
}

void ask_leader(Draft& draft) {
  const auto& obs = draft.obs;
  const auto leader = leader_source(obs);
  const auto end = obs.ends.find(Task::observe_leader_slots);
  const bool asked = end != obs.ends.end() && end->second.at >= obs.cycle_began;
  if (!leader || asked) return;
  draft.start(Task::observe_leader_slots, ObserveLeaderSlots{*leader}, seconds(10));
}

}  // namespace

void prove_copied_slots(Draft& draft) {
  const auto& obs = draft.obs;
  auto& unready = draft.next.unready_slots;
  if (is_primary(obs)) return unready.clear();
  if (unready.empty() || !obs.view().locked()) return;
  const auto asked = obs.ends.find(Task::observe_leader_slots);
  const auto acted = obs.ends.find(Task::server);
  const bool answer_is_new =
      asked != obs.ends.end() && (acted == obs.ends.end() || asked->second.at > acted->second.at);
  const auto wanted = wanted_slots(obs);
  std::erase_if(unready, [&](const auto& entry) { return !wanted.contains(entry.first); });
  const auto* physical =
      find_slot(obs.local.leader_slots, slot_name_of(fed_by_leader(obs, obs.node->name)));
  if (answer_is_new && physical != nullptr) {
    for (auto at = unready.begin(); at != unready.end();) {
      const bool ready = prove(obs, at->first, at->second, *physical);
      if (ready) {
        draft.log(LineLevel::info, "Logical slot {} is safe to be used after a failover",
                  at->first);
      }
      at = ready ? unready.erase(at) : std::next(at);
    }
  }
  if (!unready.empty()) ask_leader(draft);
}

void warn_of_unready_slots(Draft& draft) {
  std::string names;
  for (const auto& [name, remembered] : draft.next.unready_slots) {
    names += (names.empty() ? "" : ", ") + name;
  }
  if (names.empty()) return;
  draft.log(LineLevel::warning,
            "Logical replication slots that might be unsafe to use after promote: {}", names);
}

}  // namespace tanist

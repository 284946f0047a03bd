// SPDX-License-Identifier: Apache-2.0
// Steps between the `sync` key and synchronous_standby_names. Pure; any thread.
#include "core/quorum.h"

#include <algorithm>
#include <iterator>
#include <optional>

namespace tanist {

namespace {

std::int64_t size(const NameSet& names) { return static_cast<std::int64_t>(names.size()); }

NameSet united(const NameSet& a, const NameSet& b) {
  NameSet out = a;
  out.insert(b.begin(), b.end());
  return out;
}

NameSet common(const NameSet& a, const NameSet& b) {
  NameSet out;
  std::ranges::set_intersection(a, b, std::inserter(out, out.end()));
  return out;
}

std::int64_t missing_from(const NameSet& a, const NameSet& b) {
  return std::ranges::count_if(a, [&](const MemberName& name) { return !b.contains(name); });
}

// The key of these voters with the smallest quorum that is safe now and leaves room for `goal`;
// nothing when that would ask for more than there are, or the mode has no such key.
std::optional<SyncKey> key_of(const SyncState& state, const SyncGoal& goal, NameSet voters) {
  if (voters.empty()) return SyncKey{};
  const auto for_now = size(united(voters, state.setting.names)) - state.setting.count;
  const auto no_less = state.key.quorum + missing_from(voters, state.key.voters);
  const auto by_proof = missing_from(voters, state.ready);
  const auto for_before = std::min(no_less, by_proof);
  const auto for_goal = size(united(voters, goal.names)) - goal.count;
  const auto quorum = std::max({for_now, for_before, for_goal, std::int64_t{0}});
  if (quorum >= size(voters) || (goal.all && quorum > 0)) return std::nullopt;
  return SyncKey{std::move(voters), quorum};
}

// The setting is what it is to be: the key follows as far as names are ready.
SyncStep follow_with_key(const SyncState& state, const SyncGoal& goal) {
  auto key = key_of(state, goal, goal.names);
  if (!key && goal.all && state.key.quorum == 0) {
    key = key_of(state, goal, common(goal.names, united(state.ready, state.key.voters)));
  }
  if (!key) return SyncWait{};
  if (*key != state.key) return *key;
  const bool reached = key->voters == goal.names && key->quorum + goal.count <= size(goal.names);
  return reached ? SyncStep(SyncDone{}) : SyncStep(SyncWait{});
}

// The key that lets the setting follow: the goal's names, else less of the old, else both, else
// nobody.
SyncKey leading_key(const SyncState& state, const SyncGoal& goal) {
  if (auto key = key_of(state, goal, goal.names)) return *key;
  const auto kept = common(state.key.voters, goal.names);
  if (!kept.empty()) {
    if (auto key = key_of(state, goal, kept)) return *key;
  }
  return key_of(state, goal, united(state.key.voters, goal.names)).value_or(SyncKey{});
}

}  // namespace

bool is_safe(const SyncKey& key, const SyncSetting& setting) {
  return key.voters.empty() ||
         size(united(key.voters, setting.names)) <= key.quorum + setting.count;
}

SyncStep next_sync_step(const SyncState& state, const SyncGoal& goal) {
  if (!is_safe(state.key, state.setting)) return SyncKey{};
  const SyncSetting wanted{goal.names, goal.count};
  if (state.setting == wanted) return follow_with_key(state, goal);
  if (is_safe(state.key, wanted)) return wanted;
  return leading_key(state, goal);
}

SyncKey inherited_key(const MemberName& leader, SyncKey key, const MemberName& me) {
  if (!leader.value().empty()) key.voters.insert(leader);
  key.voters.erase(me);
  key.quorum =
      std::clamp<std::int64_t>(key.quorum, 0, std::max<std::int64_t>(size(key.voters) - 1, 0));
  return key;
}

SyncSetting setting_for(const SyncKey& key) { return {key.voters, size(key.voters) - key.quorum}; }

NameSet still_ready(const SyncSetting& before, const SyncSetting& after, const NameSet& ready) {
  const bool all_had_to = before.count >= size(before.names);
  return all_had_to ? common(common(ready, before.names), after.names) : NameSet{};
}

}  // namespace tanist

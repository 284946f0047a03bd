// SPDX-License-Identifier: Apache-2.0
// The machine behind both synchronous modes: single steps between the `sync` key (who may be
// elected) and synchronous_standby_names (who must have a commit), each safe, in any order of
// arrivals and losses. It knows sets of names, nothing of servers or the store. Pure; any thread.
//
// A commit is acknowledged when the primary and `count` of `names` have it. A member of the key
// (voters and the primary) is elected when it and `quorum` others of the key have been asked and it
// is not behind. So any `quorum` + 1 of the key must meet
//  - every set that acknowledges now: |voters with names| <= quorum + count (contract ha inv. 17);
//  - every set that acknowledged before: it met the previous key, and the new key asks for no
//    less; or all voters but `quorum` hold everything from before (`ready`).
// Priority mode is the case quorum = 0, in which `count` is the number of names.
#pragma once

#include <set>
#include <variant>

#include "core/types.h"

namespace tanist {

using NameSet = std::set<MemberName>;

struct SyncKey {
  NameSet voters;  // without the primary; empty = only the primary can be elected
  std::int64_t quorum = 0;

  friend bool operator==(const SyncKey&, const SyncKey&) = default;
};

struct SyncSetting {
  NameSet names;
  std::int64_t count = 0;

  friend bool operator==(const SyncSetting&, const SyncSetting&) = default;
};

struct SyncState {
  SyncKey key;
  SyncSetting setting;  // in effect
  // Of setting.names: those known to hold every commit acknowledged before it took effect.
  NameSet ready;
};

struct SyncGoal {
  NameSet names;           // who is to replicate synchronously
  std::int64_t count = 0;  // of them: how many must have a commit; at most their number
  bool all = false;        // priority mode: no key with a quorum above 0
};

struct SyncDone {
  friend bool operator==(const SyncDone&, const SyncDone&) = default;
};
// Nothing can be done before more names are ready.
struct SyncWait {
  friend bool operator==(const SyncWait&, const SyncWait&) = default;
};
using SyncStep = std::variant<SyncDone, SyncWait, SyncKey, SyncSetting>;

// Every set that can elect meets every set that acknowledges now.
bool is_safe(const SyncKey& key, const SyncSetting& setting);

// The next step on the way from `state` to `goal`: a key to write, or a setting to put into effect.
// From an unsafe state (somebody else wrote) the first step makes it safe. Never fails.
SyncStep next_sync_step(const SyncState& state, const SyncGoal& goal);

// The key that `me` writes before it is promoted after `leader`: the same set of nodes, with the
// old leader as a voter and `me` as the primary.
SyncKey inherited_key(const MemberName& leader, SyncKey key, const MemberName& me);

// The weakest setting that is safe with `key`.
SyncSetting setting_for(const SyncKey& key);

// What of `ready` outlives a change of the setting.
NameSet still_ready(const SyncSetting& before, const SyncSetting& after, const NameSet& ready);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Keeps keys and view in step. Pure; owned by one machine.
#include "store/cluster_cache.h"

#include <algorithm>
#include <utility>

namespace tanist::store {

ClusterCache::ClusterCache(KeyPaths paths, KeyReaders readers)
    : paths_(std::move(paths)), readers_(std::move(readers)) {}

const StoredKey* ClusterCache::find(const std::string& key) const {
  const auto at = keys_.find(key);
  return at == keys_.end() ? nullptr : &at->second;
}

bool ClusterCache::is_news(const KeyChange& change) const {
  if (change.revision <= complete_at_) return false;
  const auto* known = find(change.key);
  if (known != nullptr) return change.revision > known->revision;
  const auto gone = deleted_.find(change.key);
  return gone == deleted_.end() || change.revision > gone->second;
}

void ClusterCache::set_key(const std::string& key, const StoredKey* value) {
  const auto relative = paths_.relative(key);
  if (!relative) return;
  published_ = nullptr;
  if (value != nullptr) {
    keys_[key] = *value;
  } else {
    keys_.erase(key);
  }
  decode(*relative, value);
}

void ClusterCache::take(const KeyChange& change) {
  if (!is_news(change)) return;
  set_key(change.key, change.value ? &*change.value : nullptr);
  if (change.value) {
    deleted_.erase(change.key);
  } else {
    deleted_[change.key] = change.revision;
  }
  view_.revision = std::max(view_.revision, change.revision);
}

namespace {

template <class View, class Decode>
void set(std::optional<View>& part, const StoredKey* value, Decode decode) {
  part = value != nullptr ? std::optional<View>(decode(*value)) : std::nullopt;
}

}  // namespace

void ClusterCache::decode(const std::string& relative, const StoredKey* value) {
  if (const auto member = member_of(relative)) {
    if (value != nullptr) {
      view_.members.insert_or_assign(*member, readers_.member(*member, *value));
    } else {
      view_.members.erase(*member);
    }
  } else if (relative == "leader") {
    set(view_.leader, value, decode_leader);
  } else if (relative == "status" || relative == "optime/leader") {
    decode_status_keys();
  } else if (relative == "initialize") {
    set(view_.initialize, value, decode_initialize);
  } else if (relative == "config") {
    set(view_.config, value, decode_config);
  } else if (relative == "failover") {
    set(view_.failover, value, decode_failover);
  } else if (relative == "sync") {
    set(view_.sync, value, decode_sync);
  } else if (relative == "history") {
    set(view_.history, value, decode_history);
  } else if (relative == "failsafe") {
    view_.failsafe = value != nullptr ? decode_failsafe(*value) : std::nullopt;
  } else if (relative == name_of(StoreKey::digests)) {
    set(view_.digests, value, decode_digests);
  } else if (relative == name_of(StoreKey::poolers)) {
    set(view_.poolers, value, decode_poolers);
  }
}

void ClusterCache::decode_status_keys() {
  // A present but broken `status` is not replaced by the legacy key (contract dcs 4.7).
  const auto* status = find(paths_.of(StoreKey::status));
  const auto* legacy = find(paths_.prefix() + "optime/leader");
  if (status != nullptr) {
    view_.status = readers_.status(*status);
  } else {
    set(view_.status, legacy, decode_legacy_optime);
  }
}

ClusterCache::LockSeen ClusterCache::lock_seen() const {
  const auto* holder = view_.leader_member();
  return {view_.leader, holder != nullptr ? std::optional(*holder) : std::nullopt};
}

// The holder of this lock was seen as a leader since it took it.
bool ClusterCache::led(const LockSeen& lock) const {
  const auto& holder = lock.holder;
  const bool leads =
      holder && (holder->role == Role::primary || holder->role == Role::standby_leader);
  return leads && lock.leader &&
         holder->revision > std::max(lock.leader->create_revision, begun_at_);
}

void ClusterCache::note_lost_leader(const LockSeen& before, Revision deleted_at, bool released) {
  if (view_.locked()) {
    view_.lost_leader.reset();
    return;
  }
  if (!before.leader || before.leader->name.value().empty()) return;
  note_lost_leader_of(before, deleted_at, released);
}

void ClusterCache::note_lost_leader_of(const LockSeen& before, Revision deleted_at, bool released) {
  LostLeader lost{.leader = *before.leader, .deleted_at = deleted_at, .released = released};
  // Only a member that says otherwise is a Patroni; who had no member key may be either.
  lost.was_tanist = !before.holder || before.holder->is_tanist();
  // Who was never seen to lead may have waited for evidence itself: whoever held the lock before
  // may still write, as after missed events.
  lost.after_gap = !led(before);
  if (before.holder) {
    lost.api_url = before.holder->api_url;
  }
  view_.lost_leader = std::move(lost);
}

void ClusterCache::apply_group(std::span<const KeyChange> group) {
  const auto touches_lock = [&](const KeyChange& change) { return change.key == paths_.leader(); };
  if (std::ranges::none_of(group, touches_lock)) {
    for (const auto& change : group) take(change);
    return;
  }
  const auto before = lock_seen();
  for (const auto& change : group) take(change);
  const auto revision = group.front().revision;
  const auto* holder = before.leader ? view_.member(before.leader->name) : nullptr;
  note_lost_leader(
      before, revision,
      holder != nullptr && holder->revision == revision && holder->role == Role::demoted);
}

void ClusterCache::apply(const std::vector<KeyChange>& changes) {
  for (auto left = std::span(changes); !left.empty();) {
    const auto revision = left.front().revision;
    const auto end = std::ranges::find_if(
        left, [&](const KeyChange& change) { return change.revision != revision; });
    const auto size = static_cast<std::size_t>(end - left.begin());
    apply_group(left.first(size));
    left = left.subspan(size);
  }
}

void ClusterCache::forget() {
  if (view_.locked()) note_lost_leader_of(lock_seen(), Revision(0), false);
  auto lost = std::move(view_.lost_leader);
  if (lost) {
    lost->leader.lease = LeaseId(0);
    lost->released = false;
    lost->after_gap = true;
  }
  keys_.clear();
  deleted_.clear();
  complete_at_ = Revision(0);
  replaced_ = true;
  view_ = ClusterView{};
  view_.lost_leader = std::move(lost);
  published_ = nullptr;
}

bool ClusterCache::is_newer_than(const std::string& key, Revision revision) const {
  const auto* known = find(key);
  const auto gone = deleted_.find(key);
  return (known != nullptr && known->revision > revision) ||
         (gone != deleted_.end() && gone->second > revision);
}

void ClusterCache::replace(const Keys& keys, Revision revision) {
  if (revision < complete_at_) return;
  const auto before = lock_seen();
  for (const auto& key : differences(keys, revision)) {
    const auto read = keys.find(key);
    set_key(key, read != keys.end() ? &read->second : nullptr);
  }
  complete_at_ = revision;
  if (std::exchange(replaced_, false)) begun_at_ = revision;
  std::erase_if(deleted_, [&](const auto& entry) { return entry.second <= revision; });
  note_lost_leader(before, revision, false);
  if (view_.lost_leader) view_.lost_leader->after_gap = true;
  if (view_.revision >= revision) return;
  view_.revision = revision;
  published_ = nullptr;
}

std::vector<std::string> ClusterCache::differences(const Keys& keys, Revision revision) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : keys) {
    const auto* known = find(key);
    const bool same = known != nullptr && *known == value;
    if (!same && !is_newer_than(key, revision)) found.push_back(key);
  }
  for (const auto& [key, value] : keys_) {
    if (!keys.contains(key) && !is_newer_than(key, revision)) found.push_back(key);
  }
  return found;
}

ClusterViewPtr ClusterCache::view() {
  if (!published_) published_ = std::make_shared<const ClusterView>(view_);
  return published_;
}

}  // namespace tanist::store

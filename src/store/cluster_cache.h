// SPDX-License-Identifier: Apache-2.0
// The cluster's keys as last heard, and the view decoded from them. A change decodes its own key
// only. Order is by revision, key by key: what is older than what is known changes nothing, so
// full reads, watch events and own writes may arrive in any order (contract dcs 7). Pure; owned by
// one machine.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/codec.h"

namespace tanist::store {

// One key as it is since `revision`; absent value = deleted then.
struct KeyChange {
  std::string key;  // full path
  Revision revision;
  std::optional<StoredKey> value;
};

class ClusterCache {
 public:
  using Keys = std::map<std::string, StoredKey>;  // by full path

  explicit ClusterCache(KeyPaths paths, KeyReaders readers = {});

  // Everything below the prefix as of `revision`, read linearizably. What is known to be newer
  // stays.
  void replace(const Keys& keys, Revision revision);

  // Changes in the order of their revisions; those of one revision belong together (safety 1.7:
  // a deletion of the lock is a release only together with the holder's member key).
  void apply(const std::vector<KeyChange>& changes);

  // The keys in which a full read as of `revision` contradicts the cache (trap 162). A difference
  // is an error only if every event up to `revision` has been applied.
  std::vector<std::string> differences(const Keys& keys, Revision revision) const;

  // Everything, as for another etcd cluster: its revisions cannot be compared with the old ones.
  // Who led in the old one may still lead: it stays as the lost leader, with a lease of which
  // nobody can be asked (0).
  void forget();

  // The current view; the same pointer as long as nothing changed.
  ClusterViewPtr view();

  const KeyPaths& paths() const { return paths_; }
  const std::optional<LeaderView>& leader() const { return view_.leader; }
  const StoredKey* find(const std::string& key) const;

 private:
  // The lock and its holder's member key, before a change.
  struct LockSeen {
    std::optional<LeaderView> leader;
    std::optional<MemberView> holder;
  };

  bool is_news(const KeyChange& change) const;
  bool is_newer_than(const std::string& key, Revision revision) const;
  void set_key(const std::string& key, const StoredKey* value);
  void take(const KeyChange& change);
  void apply_group(std::span<const KeyChange> group);
  void decode(const std::string& relative, const StoredKey* value);
  void decode_status_keys();
  LockSeen lock_seen() const;
  bool led(const LockSeen& lock) const;
  void note_lost_leader(const LockSeen& before, Revision deleted_at, bool released);
  void note_lost_leader_of(const LockSeen& before, Revision deleted_at, bool released);

  KeyPaths paths_;
  KeyReaders readers_;
  Keys keys_;
  std::map<std::string, Revision> deleted_;  // newer than the last full read
  Revision complete_at_;                     // of the last full read
  bool replaced_ = false;                    // forgotten, and not read since
  Revision begun_at_;  // older keys were written by whoever made the backup that was restored
  ClusterView view_;
  ClusterViewPtr published_;
};

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// The cluster's keys in the store: their paths, and their values to and from the model (contract
// dcs 1 and 4; docs/store-format.md). Reading never fails: what others wrote badly becomes absent,
// empty or unknown. Pure; any thread; knows no particular store.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/cluster_view.h"
#include "core/store_actions.h"
#include "core/types.h"

namespace tanist::store {

// Where the keys of one cluster are. All start with '/' (contract dcs 1).
class KeyPaths {
 public:
  // Runs of '/' in "/namespace/scope" collapse to one; a '/' that ends the scope stays.
  KeyPaths(std::string_view name_space, std::string_view scope);

  // Ends with '/'. The range [prefix, range_end) holds all keys of the cluster.
  const std::string& prefix() const { return prefix_; }
  const std::string& range_end() const { return range_end_; }

  std::string of(StoreKey key) const { return prefix_ + std::string(name_of(key)); }
  std::string leader() const { return prefix_ + "leader"; }
  std::string member(const MemberName& name) const { return prefix_ + "members/" + name.value(); }

  // What follows the prefix; nothing for a key of another cluster.
  std::optional<std::string> relative(std::string_view key) const;

 private:
  std::string prefix_;
  std::string range_end_;
};

// One key as the store holds it.
struct StoredKey {
  std::string value;
  Revision create_revision;
  Revision revision;  // of the last change
  LeaseId lease;

  friend bool operator==(const StoredKey&, const StoredKey&) = default;
};

// ---- Reading (contract dcs 4, "Reading" of each key) ---------------------------------------

// The member's name when `relative` is directly below members/; names with '/' are unreadable.
std::optional<MemberName> member_of(std::string_view relative);

MemberView decode_member(const MemberName& name, const StoredKey& key);
LeaderView decode_leader(const StoredKey& key);
InitializeView decode_initialize(const StoredKey& key);
ConfigView decode_config(const StoredKey& key);
FailoverView decode_failover(const StoredKey& key);
SyncView decode_sync(const StoredKey& key);
StatusView decode_status(const StoredKey& key);
// `optime/leader`, read only where `status` is absent; so its revision is 0, as of an absent key.
StatusView decode_legacy_optime(const StoredKey& key);
HistoryView decode_history(const StoredKey& key);
// Nothing when it is no object.
std::optional<FailsafeView> decode_failsafe(const StoredKey& key);
DigestsView decode_digests(const StoredKey& key);
PoolersView decode_poolers(const StoredKey& key);

// Who reads the keys that change all the time (the simulator reads a value once for all nodes).
struct KeyReaders {
  std::function<MemberView(const MemberName& name, const StoredKey& key)> member = decode_member;
  std::function<StatusView(const StoredKey& key)> status = decode_status;
};

// ISO 8601 with a zone, leniently (a blank for the T, no seconds, +hh, +hhmm, Z). Nothing when it
// is no such time: it must never fail the whole view.
std::optional<WallTime> parse_timestamp(std::string_view text);

// ---- Writing: compact ASCII JSON in the documented order -----------------------------------

// The `revision` of a view is not written. `slots` and `retain_slots` only when not empty.
std::string encode_status(const StatusView& status);
std::string encode_sync(const SyncView& sync);
// Empty names are left out; nothing requested gives {}. A schedule is written as it was given.
std::string encode_failover(const FailoverView& failover);
std::string encode_failsafe(const std::map<MemberName, std::string>& members);

// etcd refuses a request above 1.5 MiB (trap 163); longer histories lose their oldest lines.
inline constexpr std::size_t value_bytes_max = 1024 * 1024;
std::string encode_history(const std::vector<HistoryLine>& lines);

}  // namespace tanist::store

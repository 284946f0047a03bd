// SPDX-License-Identifier: Apache-2.0
// What the operations of the etcd machine share: their surroundings in one step, and the pieces
// that their transactions are made of. An operation begins calls, is given their outcomes, and
// ends by returning its result. Pure; owned by one machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/store_actions.h"
#include "store/cluster_cache.h"
#include "store/etcd3_calls.h"

namespace tanist::store {

// This node's lease; its member key and, in a reign, its lock hang on it.
struct OwnLease {
  LeaseId id;            // 0 = none
  seconds requested{0};  // the ttl that was asked for when it was granted
  // The lease to which a reign was to be moved, as long as that may still happen (trap 8).
  LeaseId moving_to;
};

struct Context {
  Step& step;
  Calls& calls;
  ClusterCache& cache;
  OwnLease& lease;
  const MemberName& self;
  bool& view_in_doubt;  // set: the view is read anew (trap 157)
  Owner owner;          // of the operation
  Instant until;        // its end

  Instant now() const { return step.now; }
  const KeyPaths& paths() const { return cache.paths(); }
  CallId begin(wire::Request request, Repeat repeat, Instant call_until,
               std::string endpoint = {}) {
    return calls.begin(step, owner, {std::move(request), call_until, repeat, std::move(endpoint)});
  }
};

// ---- Pieces of transactions ------------------------------------------------------------------

wire::Compare revision_is(std::string key, Revision revision);  // 0 = absent
// Value, lease and create revision of `leader` are those of our reign (safety 1.1).
std::vector<wire::Compare> reign_holds(const KeyPaths& paths, const MemberName& self,
                                       const Reign& reign);
std::vector<wire::Compare> keys_unchanged(const KeyPaths& paths,
                                          const std::vector<KeyCompare>& expect);
wire::Operation read(std::string key);
wire::Operation put(std::string key, std::string value, LeaseId lease = LeaseId());
wire::Operation erase(std::string key);

StoredKey stored(const wire::KeyValue& kv);
ClusterCache::Keys stored_keys(const std::vector<wire::KeyValue>& kvs);
// The lock in an answer; nothing = there is none.
std::optional<LeaderView> lock_in(const KeyPaths& paths, const wire::RangeAnswer& answer);
std::optional<LeaderView> lock_in(const KeyPaths& paths, const wire::TxnAnswer& answer);

bool is_reign(const std::optional<LeaderView>& lock, const MemberName& self, const Reign& reign);

// ---- Results ---------------------------------------------------------------------------------

// `refused` only where etcd gave a definite no; else `unknown` (trap 6).
StoreResult failed_result(const Failure& failure);
StoreResult unknown_result(std::string detail);
StoreResult refused_result(std::string detail, std::optional<LeaderView> holder);

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// What can be asked of the store, in terms of what is meant, and what it answers. The loop emits
// these as effects; every Store (etcd, the simulator's fake) performs them natively. Operations
// name a reign, never only a member's name (safety 1.2). Values only; any thread.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/cluster_view.h"
#include "core/types.h"

namespace tanist {

// Keys with a fixed path below the cluster's prefix (contract dcs 1).
enum class StoreKey {
  initialize,
  config,
  failover,
  sync,
  status,
  history,
  failsafe,
  digests,
  poolers
};

constexpr auto names_of(StoreKey) {
  using K = StoreKey;
  return std::array{EnumName<K>{K::initialize, "initialize"}, EnumName<K>{K::config, "config"},
                    EnumName<K>{K::failover, "failover"}, EnumName<K>{K::sync, "sync"},
                    EnumName<K>{K::status, "status"}, EnumName<K>{K::history, "history"},
                    EnumName<K>{K::failsafe, "failsafe"},
                    // our own; readers of the format ignore keys that they do not know
                    EnumName<K>{K::digests, "tanist/digests"},
                    EnumName<K>{K::poolers, "tanist/poolers"}};
}

// The key's mod_revision must be this; 0 = the key must be absent.
struct KeyCompare {
  StoreKey key = StoreKey::config;
  Revision revision;

  static constexpr auto fields() {
    return std::tuple{field("key", &KeyCompare::key), field("revision", &KeyCompare::revision)};
  }
  friend bool operator==(const KeyCompare&, const KeyCompare&) = default;
};
static_assert(lists_all_fields<KeyCompare>);

struct KeyWrite {
  StoreKey key = StoreKey::config;
  std::optional<std::string> value;  // absent = delete the key
  bool with_lease = false;           // bound to this node's lease

  static constexpr auto fields() {
    return std::tuple{field("key", &KeyWrite::key), field("value", &KeyWrite::value),
                      field("with_lease", &KeyWrite::with_lease)};
  }
  friend bool operator==(const KeyWrite&, const KeyWrite&) = default;
};
static_assert(lists_all_fields<KeyWrite>);

// Keeps this node's lease alive, granting one first if there is none (or it is gone, or the ttl
// changed). For members without the lock; a leader's lease lives by KeepLock alone.
struct KeepLease {
  static constexpr std::string_view name = "keep_lease";
  seconds ttl{30};

  static constexpr auto fields() { return std::tuple{field("ttl", &KeepLease::ttl)}; }
  friend bool operator==(const KeepLease&, const KeepLease&) = default;
};
static_assert(lists_all_fields<KeepLease>);

// Takes the free lock in one transaction: `leader` absent and every key of `expect` unchanged
// (safety 1.2). Performs a keepalive (or grant) first, whose term the transaction must share
// (safety 1.1). An ambiguous outcome is read back; a lock found held by an unconfirmed attempt is
// released on its create revision and the verdict is `unknown` (safety 1.3). Never retried blindly.
struct TakeLock {
  static constexpr std::string_view name = "take_lock";
  seconds ttl{30};
  std::vector<KeyCompare> expect;
  // Written as `initialize`, without a lease, by the same transaction (safety 1.8).
  std::optional<SystemId> identity;
  // Written as the node's own key under the same lease. Whoever has seen no lock suspects each
  // member that has a key: so no leader may be without one (decision 0004).
  std::optional<std::string> member;

  static constexpr auto fields() {
    return std::tuple{field("ttl", &TakeLock::ttl), field("expect", &TakeLock::expect),
                      field("identity", &TakeLock::identity), field("member", &TakeLock::member)};
  }
  friend bool operator==(const TakeLock&, const TakeLock&) = default;
};
static_assert(lists_all_fields<TakeLock>);

// One proven renewal (safety 1.1 and 1.5): keepalive, then a transaction comparing value, lease
// and create revision of `leader`, in the same raft term. It writes `status` when given, else
// reads `leader` linearizably. Attempts go on, endpoint after endpoint, until proven, refused, or
// the effect's own deadline. Serves adoption too: the reign may stem from an earlier process.
struct KeepLock {
  static constexpr std::string_view name = "keep_lock";
  Reign reign;
  std::optional<std::string> status;

  static constexpr auto fields() {
    return std::tuple{field("reign", &KeepLock::reign), field("status", &KeepLock::status)};
  }
  friend bool operator==(const KeepLock&, const KeepLock&) = default;
};
static_assert(lists_all_fields<KeepLock>);

// Moves lock and member key to a new lease with a new ttl, comparing the reign. The new reign has
// the same create revision.
struct ReattachLock {
  static constexpr std::string_view name = "reattach_lock";
  Reign reign;
  seconds ttl{30};
  std::string member;  // value of the own member key

  static constexpr auto fields() {
    return std::tuple{field("reign", &ReattachLock::reign), field("ttl", &ReattachLock::ttl),
                      field("member", &ReattachLock::member)};
  }
  friend bool operator==(const ReattachLock&, const ReattachLock&) = default;
};
static_assert(lists_all_fields<ReattachLock>);

// Gives the lock away, marked (safety 1.7): one transaction comparing the reign deletes `leader`,
// writes `status` when given, and puts the own member key.
struct ReleaseLock {
  static constexpr std::string_view name = "release_lock";
  Reign reign;
  std::optional<std::string> status;
  std::string member;

  static constexpr auto fields() {
    return std::tuple{field("reign", &ReleaseLock::reign), field("status", &ReleaseLock::status),
                      field("member", &ReleaseLock::member)};
  }
  friend bool operator==(const ReleaseLock&, const ReleaseLock&) = default;
};
static_assert(lists_all_fields<ReleaseLock>);

// Deletes a lock in the own name that no confirmed attempt of this process took (safety 1.3).
struct ReleaseStrayLock {
  static constexpr std::string_view name = "release_stray_lock";
  Revision create_revision;

  static constexpr auto fields() {
    return std::tuple{field("create_revision", &ReleaseStrayLock::create_revision)};
  }
  friend bool operator==(const ReleaseStrayLock&, const ReleaseStrayLock&) = default;
};
static_assert(lists_all_fields<ReleaseStrayLock>);

// One transaction over fixed keys: all of `expect` (and the reign, when given) hold, then all of
// `writes` happen. Refused otherwise. Ambiguity is resolved by reading back where that proves it.
struct Commit {
  static constexpr std::string_view name = "commit";
  std::vector<KeyCompare> expect;
  std::vector<KeyWrite> writes;
  std::optional<Reign> reign;

  static constexpr auto fields() {
    return std::tuple{field("expect", &Commit::expect), field("writes", &Commit::writes),
                      field("reign", &Commit::reign)};
  }
  friend bool operator==(const Commit&, const Commit&) = default;
};
static_assert(lists_all_fields<Commit>);

// Puts the own member key under the own lease. "requested lease not found" is `refused` with
// lease_gone.
struct PutMember {
  static constexpr std::string_view name = "put_member";
  std::string value;

  static constexpr auto fields() { return std::tuple{field("value", &PutMember::value)}; }
  friend bool operator==(const PutMember&, const PutMember&) = default;
};
static_assert(lists_all_fields<PutMember>);

// Is this lease gone (safety 1.7)? `done` = it is gone; `refused` = it lives.
struct AskLease {
  static constexpr std::string_view name = "ask_lease";
  LeaseId lease;

  static constexpr auto fields() { return std::tuple{field("lease", &AskLease::lease)}; }
  friend bool operator==(const AskLease&, const AskLease&) = default;
};
static_assert(lists_all_fields<AskLease>);

// Reads all keys linearizably; the result carries the view.
struct ReadCluster {
  static constexpr std::string_view name = "read_cluster";
  static constexpr auto fields() { return std::tuple{}; }
  friend bool operator==(const ReadCluster&, const ReadCluster&) = default;
};

using StoreAction = std::variant<KeepLease, TakeLock, KeepLock, ReattachLock, ReleaseLock,
                                 ReleaseStrayLock, Commit, PutMember, AskLease, ReadCluster>;

// The three answers that must never be confused (contract ha 8).
enum class StoreVerdict {
  done,
  refused,  // a definite no: a compare failed, the lease is gone, permission is missing
  unknown,  // nothing is known: the outcome may still happen
};

constexpr auto names_of(StoreVerdict) {
  using V = StoreVerdict;
  return std::array{EnumName<V>{V::done, "done"}, EnumName<V>{V::refused, "refused"},
                    EnumName<V>{V::unknown, "unknown"}};
}

struct StoreResult {
  StoreVerdict verdict = StoreVerdict::unknown;
  std::string detail;  // for people: what failed, at which endpoint
  Revision revision;   // of the store after a write
  // KeepLease, TakeLock, KeepLock, ReattachLock: the lease as it is now.
  LeaseId lease;
  // The proven end of the lease, from the send time of the keepalive (safety 1.1). KeepLease sets
  // it too; it then proves only that the member key lives.
  std::optional<Instant> lease_until;
  // When the keepalive behind `lease_until` was sent: one sent after the previous end of the lease
  // extends nothing.
  std::optional<Instant> sent_at;
  std::optional<Reign> reign;  // TakeLock, KeepLock, ReattachLock when done
  bool lease_gone = false;     // TTL 0, or "requested lease not found"
  // On a refused lock operation: who holds the lock now; absent = the key is absent.
  std::optional<LeaderView> holder;
  ClusterViewPtr view;  // ReadCluster

  static constexpr auto fields() {
    using S = StoreResult;
    return std::tuple{field("verdict", &S::verdict),
                      field("detail", &S::detail),
                      field("revision", &S::revision),
                      field("lease", &S::lease),
                      field("lease_until", &S::lease_until),
                      field("sent_at", &S::sent_at),
                      field("reign", &S::reign),
                      field("lease_gone", &S::lease_gone),
                      field("holder", &S::holder),
                      field("view", &S::view)};
  }
};
static_assert(lists_all_fields<StoreResult>);

// What the store reports of itself, unasked.
struct StoreHealth {
  // The view is kept current by a live watch. False from the moment that is in doubt.
  bool view_current = false;
  Duration election_timeout{0};       // 0 = not learned yet (safety 1.6)
  std::vector<std::string> warnings;  // versions of safety 1.1 and the like; each said once
  std::string trouble;  // why the view is not current: what failed last, at which endpoint

  static constexpr auto fields() {
    using S = StoreHealth;
    return std::tuple{field("view_current", &S::view_current),
                      field("election_timeout", &S::election_timeout),
                      field("warnings", &S::warnings), field("trouble", &S::trouble)};
  }
  friend bool operator==(const StoreHealth&, const StoreHealth&) = default;
};
static_assert(lists_all_fields<StoreHealth>);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// TakeLock and ReattachLock (safety 1.1 to 1.4; traps 8, 151, 156). Releasing is a write like
// others: etcd3_write.h. Pure; owned by one machine.
#pragma once

#include <optional>

#include "store/etcd3_lease.h"
#include "store/etcd3_operation.h"
#include "store/etcd3_renewal.h"

namespace tanist::store {

// Lease, then one transaction at the endpoint that answered for it. A lock that this took but
// cannot be sure of is released again, and the result is `unknown`.
class LockTaking {
 public:
  explicit LockTaking(TakeLock action) : action_(std::move(action)) {}

  std::optional<StoreResult> start(Context& context);
  std::optional<StoreResult> done(Context& context, const Outcome& outcome);

 private:
  enum class Phase { lease, taking, reading_back, giving_back };

  std::optional<StoreResult> take(Context& context);
  std::optional<StoreResult> taken(Context& context, const wire::TxnAnswer& answer);
  std::optional<StoreResult> not_taken(Context& context, const Failure& failure);
  std::optional<StoreResult> read_back(Context& context, const Outcome& outcome);
  std::optional<StoreResult> give_back(Context& context, Revision create_revision);
  StoreResult given_back(Context& context, const Outcome& outcome) const;

  TakeLock action_;
  Phase phase_ = Phase::lease;
  LeaseStep lease_step_;
  LeaseProof lease_;
  Failure why_unsure_;
  bool began_anew_ = false;
  Duration time_min_{0};  // what a transaction needs; from the time given at the start
};

// A new lease, then one transaction moving lock and member key to it. Its repetition after reading
// back is harmless: it compares the old lease, so it can happen only once. When move and lease
// were not answered in one raft term, a renewal of the new reign proves it.
class LockMove {
 public:
  explicit LockMove(ReattachLock action) : action_(std::move(action)) {}

  std::optional<StoreResult> start(Context& context);
  std::optional<StoreResult> done(Context& context, const Outcome& outcome);
  std::optional<StoreResult> tick(Context& context);
  Instant wake_at() const { return proof_ ? proof_->wake_at() : Instant::max(); }

 private:
  Reign moved() const { return {lease_.lease, action_.reign.create_revision}; }
  void move(Context& context);
  void read_back(Context& context);
  std::optional<StoreResult> answered(Context& context, const wire::TxnAnswer& answer);
  std::optional<StoreResult> judge(Context& context, const std::optional<LeaderView>& lock);
  std::optional<StoreResult> prove(Context& context);

  ReattachLock action_;
  LeaseStep lease_step_;
  LeaseProof lease_;
  bool moving_ = false;
  std::optional<LockRenewal> proof_;
};

}  // namespace tanist::store

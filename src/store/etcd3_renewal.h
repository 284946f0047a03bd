// SPDX-License-Identifier: Apache-2.0
// KeepLock: one proven renewal of the lock (safety 1.1 and 1.5; traps 2, 6, 8, 150-152, 154, 159).
//
// An attempt is a keepalive on a stream of its own and then, at the same endpoint, a transaction
// comparing the reign. It proves the reign until (send time of that keepalive + ttl it answered)
// when both were answered in the same raft term. When the time of an attempt has passed, the next
// endpoint is asked in parallel. An unanswered keepalive is given up then; a transaction under way
// is still waited for, since it may prove its own, earlier keepalive: where etcd commits slowly,
// no attempt would succeed otherwise. Pure; owned by one machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/etcd3_operation.h"

namespace tanist::store {

class LockRenewal {
 public:
  explicit LockRenewal(KeepLock action) : action_(std::move(action)) {}

  std::optional<StoreResult> start(Context& context);
  std::optional<StoreResult> done(Context& context, const Outcome& outcome);
  std::optional<StoreResult> tick(Context& context);
  Instant wake_at() const;

 private:
  struct Attempt {
    CallId call;
    std::string endpoint;
    Instant overdue_at;  // then its successor begins; max() once that has happened
    bool proving = false;
    bool lease_gone = false;  // says the keepalive
    Instant sent_at;          // of the keepalive
    std::int64_t ttl_seconds = 0;
    std::uint64_t raft_term = 0;
  };

  void begin_attempt(Context& context);
  void try_next(Context& context, Duration pause);
  std::string next_endpoint(Context& context);
  std::optional<StoreResult> kept(Context& context, const Outcome& outcome, Attempt attempt);
  std::optional<StoreResult> heard_gone(Context& context, const wire::Header& header,
                                        Attempt attempt);
  std::optional<StoreResult> proven(Context& context, const wire::TxnAnswer& answer,
                                    const Attempt& attempt);
  std::optional<StoreResult> disproven(Context& context, const wire::TxnAnswer& answer);
  std::optional<StoreResult> failed(Context& context, const Failure& failure,
                                    const Attempt& attempt);
  StoreResult lease_gone(Context& context) const;
  wire::TxnRequest proof(const Context& context) const;

  KeepLock action_;
  std::vector<Attempt> attempts_;
  std::vector<std::string> tried_;  // in this round
  Instant next_attempt_at_ = Instant::max();
  Instant unanswered_at_ = Instant::max();  // max() once it was said
  bool without_status_ = false;             // etcd would refuse the whole proof because of it
  Failure last_;
};

}  // namespace tanist::store

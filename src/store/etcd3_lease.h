// SPDX-License-Identifier: Apache-2.0
// This node's lease, and questions about other leases (contract dcs 6.1; traps 150 and 161). Pure;
// owned by one machine.
#pragma once

#include <optional>
#include <string>

#include "store/etcd3_operation.h"

namespace tanist::store {

// A lease that was alive in `raft_term`, and will be until `until`.
struct LeaseProof {
  LeaseId lease;
  Instant until;  // send time of the request + ttl of its answer (trap 161)
  std::uint64_t raft_term = 0;
  std::string endpoint;
  bool old_one_gone = false;  // etcd said that the lease we had is gone (trap 150)
};

// Part of an operation: one keepalive of the own lease, or a grant if there is none of this ttl.
class LeaseStep {
 public:
  void start(Context& context, seconds ttl, Instant until);
  // Grants a new lease, whatever we have.
  void start_anew(Context& context, seconds ttl, Instant until);
  // Nothing while it goes on, or when the outcome belongs to another call.
  std::optional<tl::expected<LeaseProof, Failure>> done(Context& context, const Outcome& outcome);

 private:
  std::optional<tl::expected<LeaseProof, Failure>> kept(Context& context, const Outcome& outcome,
                                                        const wire::KeepAliveAnswer& answer);
  tl::expected<LeaseProof, Failure> granted(Context& context, const Outcome& outcome,
                                            const wire::GrantAnswer& answer);

  CallId call_;
  LeaseId asked_;
  seconds ttl_{0};
  Instant until_;
  bool old_one_gone_ = false;
};

class LeaseKeeping {
 public:
  explicit LeaseKeeping(KeepLease action) : action_(action) {}
  std::optional<StoreResult> start(Context& context);
  std::optional<StoreResult> done(Context& context, const Outcome& outcome);

 private:
  KeepLease action_;
  LeaseStep step_;
};

// Asked at a member that has just read linearizably, in the same term: a member that lags or is
// cut off may not have heard of the lease yet, which looks like one that is gone (trap 152).
class LeaseQuestion {
 public:
  explicit LeaseQuestion(AskLease action) : action_(action) {}
  std::optional<StoreResult> start(Context& context);
  std::optional<StoreResult> done(Context& context, const Outcome& outcome);

 private:
  std::optional<StoreResult> start_again(Context& context, const Failure& failure);

  AskLease action_;
  std::uint64_t raft_term_ = 0;
  int attempts_ = 0;
};

}  // namespace tanist::store

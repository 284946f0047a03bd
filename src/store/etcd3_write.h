// SPDX-License-Identifier: Apache-2.0
// Writes in one transaction: Commit, PutMember, ReleaseLock, ReleaseStrayLock and the removal of a
// cluster. None is repeated blindly: after an ambiguous outcome the keys are read back (safety
// 1.3; traps 8 and 156). Pure; owned by one machine.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/etcd3_operation.h"

namespace tanist::store {

// One key as the transaction leaves it.
struct PlannedKey {
  std::string key;
  std::optional<std::string> value;  // absent = deleted
  LeaseId lease;
};

struct ExpectedKey {
  std::string key;
  Revision revision;
};

struct WritePlan {
  wire::TxnRequest request;
  std::vector<PlannedKey> keys;
  std::vector<ExpectedKey> expect;
  std::optional<Reign> reign;     // that the transaction compares
  std::optional<Revision> frees;  // create revision of the lock that it deletes
  bool free_is_enough = false;    // goal: that lock is gone, whoever deleted it
  bool needs_lease = false;       // and there was none when it was planned
  bool removes_everything = false;
};

WritePlan plan(const Context& context, const Commit& action);
WritePlan plan(const Context& context, const PutMember& action);
WritePlan plan(const Context& context, const ReleaseLock& action);
WritePlan plan(const Context& context, const ReleaseStrayLock& action);
WritePlan plan_removal(const Context& context);

class Write {
 public:
  explicit Write(WritePlan plan) : plan_(std::move(plan)) {}

  std::optional<StoreResult> start(Context& context);
  std::optional<StoreResult> done(Context& context, const Outcome& outcome);

 private:
  std::optional<StoreResult> answered(Context& context, const wire::TxnAnswer& answer);
  std::optional<StoreResult> failed(Context& context, const Failure& failure);
  void send(Context& context);
  void read_back(Context& context);
  std::optional<StoreResult> judge(Context& context, const wire::TxnAnswer& read);
  std::optional<StoreResult> judge_keys(Context& context, const wire::TxnAnswer& read);
  StoreResult applied(Context& context, Revision revision) const;

  WritePlan plan_;
  bool reading_back_ = false;
  Failure why_unsure_;  // once an outcome was ambiguous
};

}  // namespace tanist::store

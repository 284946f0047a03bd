// SPDX-License-Identifier: Apache-2.0
// Taking the lock, and moving it to another lease. Pure; owned by one machine.
#include "store/etcd3_lock.h"

#include <algorithm>
#include <utility>

namespace tanist::store {

namespace {

// A transaction that would have less is not begun: its answer could not be waited for. Who has
// little time in all, as for taking back a lock that vanished (safety 1.4), keeps half of it.
constexpr Duration proper_time_min = seconds(1);

KeyChange lock_change(const Context& context, Revision revision, const Reign& reign) {
  return {context.paths().leader(), revision,
          StoredKey{context.self.value(), reign.create_revision, revision, reign.lease}};
}

KeyChange change_of(const Context& context, const wire::PutRequest& put, Revision revision) {
  const auto* before = context.cache.find(put.key);
  const auto created = before != nullptr ? before->create_revision : revision;
  return {put.key, revision, StoredKey{put.value, created, revision, put.lease}};
}

// What is written beside the lock.
std::vector<wire::PutRequest> beside(const Context& context, const TakeLock& action,
                                     LeaseId lease) {
  std::vector<wire::PutRequest> puts;
  const auto& paths = context.paths();
  if (action.identity) {
    puts.push_back({paths.of(StoreKey::initialize), action.identity->value(), LeaseId(0)});
  }
  if (action.member) puts.push_back({paths.member(context.self), *action.member, lease});
  // As it is: an attempt that was decided on before this reign compares its revision, and fails
  // although this lock may be gone again by then (seed 9306918).
  const auto* status = context.cache.find(paths.of(StoreKey::status));
  const bool compared = std::ranges::any_of(action.expect, [&](const KeyCompare& each) {
    return each.key == StoreKey::status && status != nullptr && each.revision == status->revision;
  });
  if (compared) puts.push_back({paths.of(StoreKey::status), status->value, LeaseId(0)});
  return puts;
}

}  // namespace

// ---- Taking ----------------------------------------------------------------------------------

std::optional<StoreResult> LockTaking::start(Context& context) {
  const auto left = context.until - context.now();
  if (time_min_ == Duration(0)) time_min_ = std::min(proper_time_min, left / 2);
  if (left < time_min_) return unknown_result("too little time was left to take the lock");
  phase_ = Phase::lease;
  lease_step_.start(context, action_.ttl, context.until - time_min_);
  return std::nullopt;
}

std::optional<StoreResult> LockTaking::done(Context& context, const Outcome& outcome) {
  switch (phase_) {
    case Phase::lease: {
      auto proof = lease_step_.done(context, outcome);
      if (!proof) return std::nullopt;
      if (!*proof) return failed_result(proof->error());
      lease_ = std::move(**proof);
      return take(context);
    }
    case Phase::taking: {
      const auto* answer = outcome.answer<wire::TxnAnswer>();
      return answer != nullptr ? taken(context, *answer)
                               : not_taken(context, outcome.result.error());
    }
    case Phase::reading_back: return read_back(context, outcome);
    case Phase::giving_back: return given_back(context, outcome);
  }
  return std::nullopt;
}

std::optional<StoreResult> LockTaking::take(Context& context) {
  const auto left = context.until - context.now();
  if (left < time_min_) return unknown_result("too little time was left to take the lock");
  const auto& paths = context.paths();
  wire::TxnRequest request{.compare = keys_unchanged(paths, action_.expect),
                           .success = {put(paths.leader(), context.self.value(), lease_.lease)},
                           .failure = {read(paths.leader())}};
  request.compare.push_back({wire::Compare::Target::create_revision, paths.leader(), 0, {}});
  for (const auto& each : beside(context, action_, lease_.lease)) {
    request.success.push_back(put(each.key, each.value, each.lease));
  }
  phase_ = Phase::taking;
  context.begin(std::move(request), Repeat::never, context.now() + left / 2, lease_.endpoint);
  return std::nullopt;
}

std::optional<StoreResult> LockTaking::taken(Context& context, const wire::TxnAnswer& answer) {
  if (!answer.succeeded) {
    context.view_in_doubt = true;
    const auto holder = lock_in(context.paths(), answer);
    return refused_result(holder ? "another member holds the lock: " + holder->name.value()
                                 : "the cluster's keys have changed meanwhile",
                          holder);
  }
  const Reign reign{lease_.lease, answer.header.revision};
  if (answer.header.raft_term != lease_.raft_term || context.now() >= lease_.until) {
    why_unsure_ = {Trouble::unclear, "etcd's leader changed while the lock was taken"};
    return give_back(context, reign.create_revision);
  }
  std::vector changes{lock_change(context, answer.header.revision, reign)};
  for (const auto& each : beside(context, action_, lease_.lease)) {
    changes.push_back(change_of(context, each, answer.header.revision));
  }
  context.cache.apply(changes);
  return StoreResult{.verdict = StoreVerdict::done,
                     .revision = answer.header.revision,
                     .lease = lease_.lease,
                     .lease_until = lease_.until,
                     .reign = reign};
}

std::optional<StoreResult> LockTaking::not_taken(Context& context, const Failure& failure) {
  if (failure.trouble == Trouble::lease_gone) {
    if (context.lease.id == lease_.lease) context.lease.id = {};
    if (std::exchange(began_anew_, true)) return failed_result(failure);
    return start(context);
  }
  if (surely_not_done(failure.trouble)) {
    if (!worth_repeating(failure.trouble) || std::exchange(began_anew_, true)) {
      return failed_result(failure);
    }
    return start(context);  // with a keepalive of its own, elsewhere
  }
  why_unsure_ = failure;
  phase_ = Phase::reading_back;
  context.begin(wire::RangeRequest{context.paths().leader(), {}}, Repeat::while_time_lasts,
                context.until);
  return std::nullopt;
}

std::optional<StoreResult> LockTaking::read_back(Context& context, const Outcome& outcome) {
  const auto* answer = outcome.answer<wire::RangeAnswer>();
  if (answer == nullptr) return unknown_result(why_unsure_.detail);
  const auto lock = lock_in(context.paths(), *answer);
  if (lock && lock->name == context.self && lock->lease == lease_.lease) {
    return give_back(context, lock->create_revision);
  }
  // It may still be taken, many seconds from now (safety 1.3).
  auto result = unknown_result(why_unsure_.detail);
  result.holder = lock;
  context.view_in_doubt = true;
  return result;
}

std::optional<StoreResult> LockTaking::give_back(Context& context, Revision create_revision) {
  phase_ = Phase::giving_back;
  const auto key = context.paths().leader();
  const wire::TxnRequest request{
      .compare = {{wire::Compare::Target::create_revision, key, create_revision.value(), {}}},
      .success = {erase(key)},
      .failure = {read(key)}};
  // Harmless to repeat: no other lock ever has this create revision.
  context.begin(request, Repeat::while_time_lasts, context.until);
  return std::nullopt;
}

StoreResult LockTaking::given_back(Context& context, const Outcome& outcome) const {
  context.view_in_doubt = true;
  auto result = unknown_result(why_unsure_.detail);
  if (outcome.result) {
    result.detail += "; the lock was given back";
  } else {
    // The caller sees it in the view: our name, and no reign of ours.
    result.detail += "; the lock may still be held in this member's name";
  }
  return result;
}

// ---- Moving ----------------------------------------------------------------------------------

std::optional<StoreResult> LockMove::start(Context& context) {
  lease_step_.start_anew(context, action_.ttl, context.until);
  return std::nullopt;
}

std::optional<StoreResult> LockMove::tick(Context& context) {
  return proof_ ? proof_->tick(context) : std::nullopt;
}

std::optional<StoreResult> LockMove::done(Context& context, const Outcome& outcome) {
  if (proof_) return proof_->done(context, outcome);
  if (!moving_) {
    auto proof = lease_step_.done(context, outcome);
    if (!proof) return std::nullopt;
    if (!*proof) return unknown_result(proof->error().detail);
    lease_ = std::move(**proof);
    move(context);
    return std::nullopt;
  }
  if (const auto* answer = outcome.answer<wire::TxnAnswer>()) return answered(context, *answer);
  if (const auto* answer = outcome.answer<wire::RangeAnswer>()) {
    return judge(context, lock_in(context.paths(), *answer));
  }
  const auto& failure = outcome.result.error();
  // No error of etcd says that the reign is over; only a compare does.
  if (context.now() >= context.until || !worth_repeating(failure.trouble)) {
    return unknown_result(failure.detail);
  }
  read_back(context);
  return std::nullopt;
}

void LockMove::move(Context& context) {
  moving_ = true;
  context.lease.moving_to = lease_.lease;
  const auto& paths = context.paths();
  wire::TxnRequest request{
      .compare = reign_holds(paths, context.self, action_.reign),
      .success = {put(paths.leader(), context.self.value(), lease_.lease),
                  put(paths.member(context.self), action_.member, lease_.lease)},
      .failure = {read(paths.leader())}};
  context.begin(std::move(request), Repeat::until_sent, context.until);
}

void LockMove::read_back(Context& context) {
  context.begin(wire::RangeRequest{context.paths().leader(), {}}, Repeat::while_time_lasts,
                context.until);
}

std::optional<StoreResult> LockMove::answered(Context& context, const wire::TxnAnswer& answer) {
  if (!answer.succeeded) return judge(context, lock_in(context.paths(), answer));
  const auto revision = answer.header.revision;
  const auto member_key = context.paths().member(context.self);
  const auto* member = context.cache.find(member_key);
  const auto created = member != nullptr ? member->create_revision : revision;
  context.cache.apply(
      {lock_change(context, revision, moved()),
       {member_key, revision, StoredKey{action_.member, created, revision, lease_.lease}}});
  if (answer.header.raft_term != lease_.raft_term || context.now() >= lease_.until) {
    return prove(context);
  }
  context.lease.moving_to = {};
  return StoreResult{.verdict = StoreVerdict::done,
                     .revision = revision,
                     .lease = lease_.lease,
                     .lease_until = lease_.until,
                     .reign = moved()};
}

// The lock as a linearizable read shows it, after a move that was not confirmed.
std::optional<StoreResult> LockMove::judge(Context& context,
                                           const std::optional<LeaderView>& lock) {
  if (is_reign(lock, context.self, moved())) return prove(context);
  if (is_reign(lock, context.self, action_.reign)) {
    move(context);
    return std::nullopt;
  }
  context.view_in_doubt = true;
  context.lease.moving_to = {};
  return refused_result("the lock is no longer held in this reign", lock);
}

std::optional<StoreResult> LockMove::prove(Context& context) {
  proof_.emplace(KeepLock{.reign = moved(), .status = {}});
  return proof_->start(context);
}

}  // namespace tanist::store

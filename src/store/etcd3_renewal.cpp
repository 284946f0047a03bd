// SPDX-License-Identifier: Apache-2.0
// Attempts to prove a reign. Pure; owned by one machine.
#include "store/etcd3_renewal.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace tanist::store {

namespace {

// Between rounds in which every endpoint failed at once.
constexpr Duration round_pause = milliseconds(100);
// A transaction is waited for at most this long, and never longer than a third of the ttl.
constexpr Duration proof_time_max = seconds(5);

}  // namespace

std::optional<StoreResult> LockRenewal::start(Context& context) {
  if (action_.status && action_.status->size() > value_bytes_max) {
    without_status_ = true;
    context.step.warn("status is too large for etcd and is not written; the lock is kept");
  }
  unanswered_at_ = context.now() + context.calls.attempt_time();
  begin_attempt(context);
  return std::nullopt;
}

Instant LockRenewal::wake_at() const {
  auto earliest = std::min(next_attempt_at_, unanswered_at_);
  for (const auto& attempt : attempts_) earliest = std::min(earliest, attempt.overdue_at);
  return earliest;
}

// Every endpoint once in a round; empty = the round is over.
std::string LockRenewal::next_endpoint(Context& context) {
  return context.calls.endpoints().best(tried_, context.now());
}

void LockRenewal::begin_attempt(Context& context) {
  next_attempt_at_ = Instant::max();
  auto endpoint = next_endpoint(context);
  if (endpoint.empty()) {
    tried_.clear();
    endpoint = next_endpoint(context);
  }
  if (endpoint.empty()) {
    last_ = {Trouble::unconnected, "no endpoint of etcd is known"};
    next_attempt_at_ = context.now() + context.calls.spread(round_pause);
    return;
  }
  tried_.push_back(endpoint);
  const auto overdue = std::min(context.until, context.now() + context.calls.attempt_time());
  const auto call =
      context.begin(wire::KeepAliveRequest{action_.reign.lease}, Repeat::never, overdue, endpoint);
  attempts_.push_back({.call = call, .endpoint = endpoint, .overdue_at = overdue});
}

// The next endpoint of the round at once, a new round after `pause`.
void LockRenewal::try_next(Context& context, Duration pause) {
  if (!next_endpoint(context).empty()) return begin_attempt(context);
  tried_.clear();
  next_attempt_at_ = std::min(next_attempt_at_, context.now() + context.calls.spread(pause));
}

wire::TxnRequest LockRenewal::proof(const Context& context) const {
  const auto& paths = context.paths();
  const bool with_status = action_.status && !without_status_;
  return {.compare = reign_holds(paths, context.self, action_.reign),
          .success = {with_status ? put(paths.of(StoreKey::status), *action_.status)
                                  : read(paths.leader())},
          .failure = {read(paths.leader())}};
}

std::optional<StoreResult> LockRenewal::tick(Context& context) {
  if (unanswered_at_ <= context.now()) {
    unanswered_at_ = Instant::max();
    context.step.say(Unanswered{context.owner.effect});
  }
  bool overdue = false;
  for (auto& attempt : attempts_) {
    if (attempt.overdue_at > context.now()) continue;
    attempt.overdue_at = Instant::max();
    overdue = true;
  }
  if (overdue) try_next(context, Duration(0));
  if (next_attempt_at_ <= context.now()) begin_attempt(context);
  return std::nullopt;
}

std::optional<StoreResult> LockRenewal::done(Context& context, const Outcome& outcome) {
  const auto at = std::ranges::find(attempts_, outcome.id, &Attempt::call);
  if (at == attempts_.end()) return std::nullopt;
  const auto attempt = *at;
  attempts_.erase(at);
  const bool disowned = !outcome.result && outcome.result.error().trouble == Trouble::disowned;
  if (attempt.lease_gone && !disowned) return lease_gone(context);
  if (!outcome.result) return failed(context, outcome.result.error(), attempt);
  if (const auto* answer = outcome.answer<wire::TxnAnswer>()) {
    return answer->succeeded ? proven(context, *answer, attempt) : disproven(context, *answer);
  }
  return kept(context, outcome, attempt);
}

std::optional<StoreResult> LockRenewal::kept(Context& context, const Outcome& outcome,
                                             Attempt attempt) {
  const auto& answer = *outcome.answer<wire::KeepAliveAnswer>();
  if (answer.ttl_seconds <= 0) return heard_gone(context, answer.header, std::move(attempt));
  attempt.sent_at = outcome.sent_at;
  attempt.ttl_seconds = answer.ttl_seconds;
  attempt.raft_term = answer.header.raft_term;
  if (context.now() >= outcome.sent_at + seconds(answer.ttl_seconds)) {
    return failed(context, {Trouble::unreachable, "the keepalive's answer came too late"}, attempt);
  }
  context.calls.set_ttl(seconds(answer.ttl_seconds));
  const auto patience = std::min(proof_time_max, Duration(seconds(answer.ttl_seconds)) / 3);
  attempt.proving = true;
  attempt.call =
      context.begin(proof(context), Repeat::never,
                    std::min(context.until, outcome.sent_at + patience), attempt.endpoint);
  attempts_.push_back(std::move(attempt));
  return std::nullopt;
}

// An etcd that knows no lease of ours and less than we have heard may be one that has lost its
// data: no word about our lease, which only the etcd that granted it can end (safety 1.4). A read
// at the same member tells, within the time of this attempt; if it does not, the lease is gone.
std::optional<StoreResult> LockRenewal::heard_gone(Context& context, const wire::Header& header,
                                                   Attempt attempt) {
  if (header.revision >= context.calls.heard()) return lease_gone(context);
  attempt.lease_gone = attempt.proving = true;
  const auto until = std::min(context.until, context.now() + context.calls.attempt_time());
  const wire::RangeRequest question{context.paths().leader(), {}};
  attempt.call = context.begin(question, Repeat::never, until, attempt.endpoint);
  attempts_.push_back(std::move(attempt));
  return std::nullopt;
}

std::optional<StoreResult> LockRenewal::proven(Context& context, const wire::TxnAnswer& answer,
                                               const Attempt& attempt) {
  const auto end = attempt.sent_at + seconds(attempt.ttl_seconds);
  if (answer.header.raft_term != attempt.raft_term) {
    return failed(context, {Trouble::unclear, "etcd's leader changed during the renewal"}, attempt);
  }
  if (context.now() >= end) {
    return failed(context, {Trouble::unclear, "the proof came too late"}, attempt);
  }
  if (context.lease.id != action_.reign.lease) {  // adopted from an earlier process
    context.lease.id = action_.reign.lease;
    context.lease.requested = seconds(attempt.ttl_seconds);
  }
  const bool wrote_status = action_.status && !without_status_;
  if (wrote_status) {
    const auto key = context.paths().of(StoreKey::status);
    const auto* before = context.cache.find(key);
    const auto revision = answer.header.revision;
    const auto created = before != nullptr ? before->create_revision : revision;
    context.cache.apply({{key, revision, StoredKey{*action_.status, created, revision, {}}}});
  }
  return StoreResult{.verdict = StoreVerdict::done,
                     .detail = action_.status && !wrote_status ? "status was not written" : "",
                     .revision = answer.header.revision,
                     .lease = action_.reign.lease,
                     .lease_until = end,
                     .reign = action_.reign};
}

std::optional<StoreResult> LockRenewal::disproven(Context& context, const wire::TxnAnswer& answer) {
  const auto holder = lock_in(context.paths(), answer);
  // A move to a new lease whose answer was lost: the same reign, on the lease that we granted.
  const Reign moved{context.lease.moving_to, action_.reign.create_revision};
  if (moved != action_.reign && is_reign(holder, context.self, moved)) {
    action_.reign = moved;
    for (const auto& attempt : std::exchange(attempts_, {})) {
      context.calls.drop(context.step, attempt.call);
    }
    tried_.clear();
    begin_attempt(context);
    return std::nullopt;
  }
  context.view_in_doubt = true;
  return refused_result(holder ? format_text("the lock is held by {} (lease {:x})",
                                             holder->name.value(), holder->lease.value())
                               : "the lock is gone",
                        holder);
}

StoreResult LockRenewal::lease_gone(Context& context) const {
  if (context.lease.id == action_.reign.lease) context.lease.id = {};
  const auto& seen = context.cache.leader();
  const bool other = seen && !is_reign(seen, context.self, action_.reign);
  auto result = refused_result("the lease of the lock is gone", other ? seen : std::nullopt);
  result.lease_gone = true;
  context.view_in_doubt = true;
  return result;
}

std::optional<StoreResult> LockRenewal::failed(Context& context, const Failure& failure,
                                               const Attempt& attempt) {
  last_ = failure;
  if (!attempt.proving && failure.trouble == Trouble::lease_gone) return lease_gone(context);
  if (context.now() >= context.until) return unknown_result(failure.detail);
  // The lock must not be lost because `status` cannot be written (traps 159 and 163).
  const bool status_hurts =
      failure.trouble == Trouble::no_space || failure.trouble == Trouble::too_large;
  if (attempt.proving && status_hurts && action_.status && !without_status_) {
    without_status_ = true;
    tried_.clear();
    begin_attempt(context);
    return std::nullopt;
  }
  // Whatever else it is, it is no refusal (trap 6): on until the time is up.
  const bool has_successor = attempt.overdue_at == Instant::max();
  if (!has_successor) try_next(context, round_pause);
  return std::nullopt;
}

}  // namespace tanist::store

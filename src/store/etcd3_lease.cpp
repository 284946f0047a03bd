// SPDX-License-Identifier: Apache-2.0
// Keepalive, grant and look-up of leases. Pure; owned by one machine.
#include "store/etcd3_lease.h"

#include <algorithm>
#include <utility>

namespace tanist::store {

void LeaseStep::start(Context& context, seconds ttl, Instant until) {
  if (context.lease.id == LeaseId() || context.lease.requested != ttl) {
    return start_anew(context, ttl, until);
  }
  ttl_ = ttl;
  until_ = until;
  asked_ = context.lease.id;
  call_ = context.begin(wire::KeepAliveRequest{asked_}, Repeat::while_time_lasts, until);
}

void LeaseStep::start_anew(Context& context, seconds ttl, Instant until) {
  ttl_ = ttl;
  until_ = until;
  context.calls.set_ttl(ttl);
  call_ = context.begin(wire::GrantRequest{ttl.count()}, Repeat::while_time_lasts, until);
}

std::optional<tl::expected<LeaseProof, Failure>> LeaseStep::done(Context& context,
                                                                 const Outcome& outcome) {
  if (outcome.id != call_) return std::nullopt;
  if (const auto* answer = outcome.answer<wire::KeepAliveAnswer>()) {
    return kept(context, outcome, *answer);
  }
  if (const auto* answer = outcome.answer<wire::GrantAnswer>()) {
    return granted(context, outcome, *answer);
  }
  if (outcome.result.error().trouble == Trouble::lease_gone) {
    return kept(context, outcome, wire::KeepAliveAnswer{});
  }
  return tl::unexpected(outcome.result.error());
}

std::optional<tl::expected<LeaseProof, Failure>> LeaseStep::kept(
    Context& context, const Outcome& outcome, const wire::KeepAliveAnswer& answer) {
  if (answer.ttl_seconds <= 0) {
    old_one_gone_ = true;
    if (context.lease.id == asked_) context.lease.id = {};
    start_anew(context, ttl_, until_);
    return std::nullopt;
  }
  const auto end = outcome.sent_at + seconds(answer.ttl_seconds);
  if (context.now() >= end) {  // it came so late that it says nothing any more
    start(context, ttl_, until_);
    return std::nullopt;
  }
  context.calls.set_ttl(seconds(answer.ttl_seconds));
  return LeaseProof{asked_, end, answer.header.raft_term, outcome.endpoint, false};
}

tl::expected<LeaseProof, Failure> LeaseStep::granted(Context& context, const Outcome& outcome,
                                                     const wire::GrantAnswer& answer) {
  if (answer.lease == LeaseId() || answer.ttl_seconds <= 0) {
    return tl::unexpected(Failure{Trouble::unclear, "etcd granted no usable lease"});
  }
  context.lease.id = answer.lease;
  context.lease.requested = ttl_;
  context.calls.set_ttl(seconds(answer.ttl_seconds));
  return LeaseProof{answer.lease, outcome.sent_at + seconds(answer.ttl_seconds),
                    answer.header.raft_term, outcome.endpoint, old_one_gone_};
}

std::optional<StoreResult> LeaseKeeping::start(Context& context) {
  step_.start(context, action_.ttl, context.until);
  return std::nullopt;
}

std::optional<StoreResult> LeaseKeeping::done(Context& context, const Outcome& outcome) {
  const auto proof = step_.done(context, outcome);
  if (!proof) return std::nullopt;
  if (!*proof) return failed_result(proof->error());
  return StoreResult{.verdict = StoreVerdict::done,
                     .lease = (*proof)->lease,
                     .lease_until = (*proof)->until,
                     .lease_gone = (*proof)->old_one_gone};
}

std::optional<StoreResult> LeaseQuestion::start(Context& context) {
  context.begin(wire::RangeRequest{context.paths().leader(), {}}, Repeat::while_time_lasts,
                context.until);
  return std::nullopt;
}

std::optional<StoreResult> LeaseQuestion::done(Context& context, const Outcome& outcome) {
  if (const auto* read = outcome.answer<wire::RangeAnswer>()) {
    raft_term_ = read->header.raft_term;
    const auto soon = context.now() + 2 * context.calls.attempt_time();
    context.begin(wire::TimeToLiveRequest{action_.lease}, Repeat::never,
                  std::min(context.until, soon), outcome.endpoint);
    return std::nullopt;
  }
  if (const auto* answer = outcome.answer<wire::TimeToLiveAnswer>()) {
    if (answer->header.raft_term != raft_term_) {
      return start_again(context, {Trouble::unclear, "etcd's leader changed meanwhile"});
    }
    const bool gone = answer->granted_seconds <= 0;
    return StoreResult{.verdict = gone ? StoreVerdict::done : StoreVerdict::refused,
                       .detail = gone ? "the lease is gone" : "the lease lives",
                       .lease_gone = gone};
  }
  const auto& failure = outcome.result.error();
  if (failure.trouble == Trouble::lease_gone) {
    return StoreResult{
        .verdict = StoreVerdict::done, .detail = "the lease is gone", .lease_gone = true};
  }
  return start_again(context, failure);
}

std::optional<StoreResult> LeaseQuestion::start_again(Context& context, const Failure& failure) {
  constexpr int attempts_max = 5;
  if (!worth_repeating(failure.trouble) || context.now() >= context.until ||
      ++attempts_ >= attempts_max) {
    return failed_result(failure);
  }
  return start(context);
}

}  // namespace tanist::store

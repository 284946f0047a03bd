// SPDX-License-Identifier: Apache-2.0
// Attempts, pauses and tokens of calls. Pure; owned by one machine.
#include "store/etcd3_calls.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace tanist::store {

namespace {

constexpr Duration attempt_time_max = milliseconds(500);
constexpr Duration pause_min = milliseconds(100);
constexpr Duration pause_max = seconds(1);
constexpr Duration token_time = seconds(5);
constexpr int token_renewals_max = 3;  // of one call

const wire::Header& header_of(const wire::Answer& answer) {
  return std::visit([](const auto& each) -> const wire::Header& { return each.header; }, answer);
}

// A quorum stands behind the answer, so that it tells of everything that was done before.
bool asks_a_quorum(const wire::Request& request) {
  return std::holds_alternative<wire::RangeRequest>(request) ||
         std::holds_alternative<wire::TxnRequest>(request) ||
         std::holds_alternative<wire::GrantRequest>(request);
}

Failure failure_at(const std::string& endpoint, Trouble trouble, const std::string& text) {
  return {trouble, format_text("etcd at {}: {}", endpoint, text)};
}

}  // namespace

Calls::Calls(Endpoints endpoints, Tokens tokens, std::uint64_t seed)
    : endpoints_(std::move(endpoints)), tokens_(std::move(tokens)), random_(seed) {}

Duration Calls::attempt_time() const {
  return std::min<Duration>(attempt_time_max, Duration(ttl_) / 6);
}

Duration Calls::spread(Duration duration) {
  const auto half = static_cast<std::uint64_t>(duration.count() / 2);
  return duration + Duration(half == 0 ? 0 : static_cast<std::int64_t>(random_() % half));
}

CallId Calls::begin(Step& step, Owner owner, Call call) {
  const CallId id(++last_call_);
  auto& pending = pending_[id];
  pending.owner = owner;
  pending.call = std::move(call);
  send(step, id, pending);
  return id;
}

void Calls::drop(Step& step, CallId id) {
  const auto at = pending_.find(id);
  if (at == pending_.end()) return;
  if (at->second.stage == Stage::sent) {
    step.say(CancelRpc{at->second.rpc});
    sent_.erase(at->second.rpc);
  }
  pending_.erase(at);
}

void Calls::drop_all(Step& step, Owner owner) {
  std::vector<CallId> ids;
  for (const auto& [id, pending] : pending_) {
    if (pending.owner == owner) ids.push_back(id);
  }
  for (const auto id : ids) drop(step, id);
  std::erase_if(outcomes_, [&](const Outcome& outcome) { return outcome.owner == owner; });
}

// A dead endpoint must not eat the budget (trap 10), a slow one must get its chance in time.
Duration Calls::patience(const Pending& pending, Instant now) const {
  const auto left = pending.call.until - now;
  switch (pending.call.repeat) {
    case Repeat::never: return left;
    // The other half is for reading back.
    case Repeat::until_sent: return std::max<Duration>(left / 2, std::chrono::nanoseconds(1));
    case Repeat::while_time_lasts: break;
  }
  return std::min(left, attempt_time() * (1 << std::min(pending.rounds, 10)));
}

void Calls::send(Step& step, CallId id, Pending& pending) {
  if (step.now >= pending.call.until) return finish(step, id, tl::unexpected(pending.last));
  const bool chosen_for_us = !pending.call.endpoint.empty();
  pending.endpoint =
      chosen_for_us ? pending.call.endpoint : endpoints_.best(pending.tried, step.now);
  if (pending.endpoint.empty()) return pause(step, pending);
  const bool needs_token = pending.owner.part != Owner::Part::tokens;
  if (needs_token && tokens_.refused(step.now)) {
    return finish(step, id, tl::unexpected(Failure{Trouble::denied, "etcd refused the password"}));
  }
  if (needs_token && !tokens_.ready()) {
    pending.stage = Stage::waiting_for_token;
    pending.due = pending.call.until;
    return ask_for_token(step);
  }
  pending.stage = Stage::sent;
  pending.rpc = next_rpc_id();
  pending.sent_at = step.now;
  pending.heard = heard_;
  pending.due = step.now + patience(pending, step.now);
  pending.token_used = tokens_.generation();
  sent_[pending.rpc] = id;
  step.say(SendRpc{pending.rpc, pending.endpoint, pending.call.request, pending.due,
                   needs_token ? tokens_.token() : Secret()});
}

void Calls::pause(Step& step, Pending& pending) {
  if (endpoints_.all().empty()) {
    pending.last = {Trouble::unconnected, "no endpoint of etcd is known"};
  } else {
    all_failed_ = true;
  }
  const auto delay = std::min(pause_max, pause_min * (1 << std::min(pending.rounds, 10)));
  ++pending.rounds;
  pending.tried.clear();
  pending.stage = Stage::pausing;
  pending.due = std::min(pending.call.until, step.now + spread(delay));
}

void Calls::ask_for_token(Step& step) {
  if (token_call_) return;
  const CallId id(++last_call_);
  token_call_ = id;
  auto& pending = pending_[id];
  pending.owner = {Owner::Part::tokens, {}};
  pending.call = {wire::AuthenticateRequest{tokens_.user(), tokens_.password()},
                  step.now + token_time,
                  Repeat::while_time_lasts,
                  {}};
  send(step, id, pending);
}

void Calls::resume_waiting(Step& step) {
  std::vector<CallId> waiting;
  for (const auto& [id, pending] : pending_) {
    if (pending.stage == Stage::waiting_for_token) waiting.push_back(id);
  }
  for (const auto id : waiting) {
    if (const auto at = pending_.find(id); at != pending_.end()) send(step, id, at->second);
  }
}

void Calls::token_outcome(Step& step, const Outcome& outcome) {
  token_call_.reset();
  if (const auto* answer = outcome.answer<wire::AuthenticateAnswer>()) {
    tokens_.hold(answer->token, step.now);
  } else if (outcome.result.error().trouble == Trouble::auth_off) {
    tokens_.not_needed(step.now);
  } else if (!worth_repeating(outcome.result.error().trouble)) {
    tokens_.refuse(step.now);
    step.warn(outcome.result.error().detail);
  }
  resume_waiting(step);
}

// Authenticates anew and repeats the call. A permission that is missing with a fresh token too is
// missing indeed; a token may expire again on the way.
void Calls::renew_token(Step& step, CallId id, Pending& pending, Failure failure) {
  const bool outdated = pending.token_used != tokens_.generation();
  const bool of_permission = failure.trouble == Trouble::permission;
  const bool pointless = of_permission && !outdated && tokens_.fresh(step.now);
  const int renewals_max = of_permission ? 1 : token_renewals_max;
  if (!tokens_.has_credentials() || pointless || pending.token_renewals >= renewals_max) {
    failure.trouble = Trouble::denied;
    return finish(step, id, tl::unexpected(std::move(failure)));
  }
  ++pending.token_renewals;
  pending.last = std::move(failure);
  if (!outdated) tokens_.drop(step.now);
  send(step, id, pending);
}

void Calls::failed(Step& step, CallId id, Failure failure) {
  auto& pending = pending_.at(id);
  last_trouble_ = failure.detail;
  if (failure.trouble == Trouble::no_space) {
    step.warn(
        "etcd has run out of space (NOSPACE alarm): nothing can be written, no other member "
        "could take the lock. Compact, defragment, then `etcdctl alarm disarm`.");
  }
  if (blames_endpoint(failure.trouble)) endpoints_.failed(pending.endpoint, step.now);
  const bool asks_for_token = pending.owner.part == Owner::Part::tokens;
  const bool rejected = failure.trouble == Trouble::token || failure.trouble == Trouble::permission;
  if (rejected && !asks_for_token) {
    return renew_token(step, id, pending, std::move(failure));
  }
  const bool may_repeat =
      pending.call.repeat == Repeat::while_time_lasts ||
      (pending.call.repeat == Repeat::until_sent && surely_not_done(failure.trouble));
  if (!may_repeat || !worth_repeating(failure.trouble)) {
    return finish(step, id, tl::unexpected(std::move(failure)));
  }
  pending.last = std::move(failure);
  pending.tried.push_back(pending.endpoint);
  send(step, id, pending);
}

void Calls::finish(Step& step, CallId id, tl::expected<wire::Answer, Failure> result) {
  const auto at = pending_.find(id);
  if (result) last_trouble_.clear();
  Outcome outcome{id, at->second.owner, std::move(result), at->second.endpoint, at->second.sent_at};
  pending_.erase(at);
  if (outcome.owner.part == Owner::Part::tokens) return token_outcome(step, outcome);
  outcomes_.push_back(std::move(outcome));
}

bool Calls::believe(Step& step, const wire::Header& header, const std::string& endpoint,
                    Revision floor) {
  switch (allegiance_.judge(header, ttl_, step.now, floor)) {
    case Allegiance::Verdict::believed: break;
    case Allegiance::Verdict::replaced:
      replaced_ = true;
      heard_ = Revision(0);
      for (auto& [id, pending] : pending_) pending.heard = Revision(0);
      break;
    case Allegiance::Verdict::foreign:
      step.warn(
          format_text("etcd at {} belongs to another etcd cluster: remove it from the "
                      "configured endpoints",
                      endpoint));
      [[fallthrough]];
    case Allegiance::Verdict::stale: endpoints_.failed(endpoint, step.now); return false;
  }
  heard_ = std::max(heard_, header.revision);
  return true;
}

void Calls::answered(Step& step, RpcAnswered answer) {
  const auto at = sent_.find(answer.id);
  if (at == sent_.end()) return;
  const auto id = at->second;
  sent_.erase(at);
  const auto& pending = pending_.at(id);
  const auto endpoint = pending.endpoint;
  if (!answer.result) {
    const auto& error = answer.result.error();
    return failed(step, id, failure_at(endpoint, sort_out(error), error.message));
  }
  if (answer.result->index() != pending.call.request.index()) {
    return failed(step, id, failure_at(endpoint, Trouble::unclear, "an answer of another kind"));
  }
  const auto floor = asks_a_quorum(pending.call.request) ? pending.heard : Revision(0);
  if (!believe(step, header_of(*answer.result), endpoint, floor)) {
    return failed(step, id,
                  failure_at(endpoint, Trouble::disowned,
                             "answers from an older raft term, another cluster, or one that has "
                             "lost its data"));
  }
  endpoints_.answered(endpoint);
  finish(step, id, std::move(*answer.result));
}

void Calls::overdue(Step& step, CallId id) {
  const auto at = pending_.find(id);
  if (at == pending_.end() || at->second.due > step.now) return;
  auto& pending = at->second;
  if (pending.stage == Stage::pausing) return send(step, id, pending);
  if (pending.stage == Stage::waiting_for_token) {
    return finish(step, id, tl::unexpected(Failure{Trouble::unconnected, "etcd gave no token"}));
  }
  step.say(CancelRpc{pending.rpc});
  sent_.erase(pending.rpc);
  const auto waited = step.now - pending.sent_at;
  // One that had hardly any time is not to blame.
  const auto trouble = waited >= attempt_time() ? Trouble::unreachable : Trouble::unclear;
  failed(step, id,
         failure_at(pending.endpoint, trouble,
                    format_text("no answer within {} ms", in_milliseconds(waited))));
}

void Calls::tick(Step& step) {
  std::vector<CallId> due;
  for (const auto& [id, pending] : pending_) {
    if (pending.due <= step.now) due.push_back(id);
  }
  for (const auto id : due) overdue(step, id);
}

std::optional<Outcome> Calls::next_outcome() {
  if (outcomes_.empty()) return std::nullopt;
  auto outcome = std::move(outcomes_.front());
  outcomes_.pop_front();
  return outcome;
}

Instant Calls::wake_at() const {
  auto earliest = Instant::max();
  for (const auto& [id, pending] : pending_) earliest = std::min(earliest, pending.due);
  return earliest;
}

void Calls::replace_credentials(Step& step, std::string user, Secret password) {
  tokens_.replace_credentials(std::move(user), std::move(password), step.now);
  if (token_call_) {
    drop(step, *std::exchange(token_call_, std::nullopt));
    resume_waiting(step);
  }
}

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// Sending a transaction and finding out what became of it. Pure; owned by one machine.
#include "store/etcd3_write.h"

#include <algorithm>
#include <utility>

#include "base/format.h"

namespace tanist::store {

namespace {

// The key as read back; nothing = it is absent.
std::optional<wire::KeyValue> key_in(const wire::TxnAnswer& read, const std::string& key) {
  for (const auto& each : read.answers) {
    const auto* range = std::get_if<wire::RangeAnswer>(&each.content);
    if (range == nullptr) continue;
    const auto at = std::ranges::find(range->kvs, key, &wire::KeyValue::key);
    if (at != range->kvs.end()) return *at;
  }
  return std::nullopt;
}

bool shows(const wire::TxnAnswer& read, const PlannedKey& planned) {
  const auto kv = key_in(read, planned.key);
  if (!planned.value) return !kv;
  return kv && kv->value == *planned.value && kv->lease == planned.lease;
}

bool unchanged(const wire::TxnAnswer& read, const ExpectedKey& expected) {
  const auto kv = key_in(read, expected.key);
  return (kv ? kv->mod_revision : Revision(0)) == expected.revision;
}

}  // namespace

std::optional<StoreResult> Write::start(Context& context) {
  if (plan_.needs_lease) {
    auto result = refused_result("this node has no lease", std::nullopt);
    result.lease_gone = true;
    return result;
  }
  send(context);
  return std::nullopt;
}

void Write::send(Context& context) {
  reading_back_ = false;
  context.begin(plan_.request, Repeat::until_sent, context.until);
}

std::optional<StoreResult> Write::done(Context& context, const Outcome& outcome) {
  const auto* answer = outcome.answer<wire::TxnAnswer>();
  if (answer == nullptr) return failed(context, outcome.result.error());
  return reading_back_ ? judge(context, *answer) : answered(context, *answer);
}

StoreResult Write::applied(Context& context, Revision revision) const {
  std::vector<KeyChange> changes;
  for (const auto& planned : plan_.keys) {
    const auto* before = context.cache.find(planned.key);
    const auto created = before != nullptr ? before->create_revision : revision;
    changes.push_back({planned.key, revision, std::nullopt});
    if (planned.value) {
      changes.back().value = StoredKey{*planned.value, created, revision, planned.lease};
    }
  }
  context.cache.apply(changes);
  if (plan_.removes_everything) context.view_in_doubt = true;
  return {.verdict = StoreVerdict::done, .revision = revision, .lease = context.lease.id};
}

std::optional<StoreResult> Write::answered(Context& context, const wire::TxnAnswer& answer) {
  if (answer.succeeded) return applied(context, answer.header.revision);
  context.view_in_doubt = true;
  const auto lock = lock_in(context.paths(), answer);
  const bool freed = plan_.frees && (!lock || lock->create_revision != *plan_.frees);
  // Gone already; or by our own transaction, whose answer was lost.
  if (freed && (plan_.free_is_enough || !why_unsure_.detail.empty())) {
    return StoreResult{.verdict = StoreVerdict::done, .detail = "the lock was gone already"};
  }
  return refused_result("the keys have changed meanwhile", lock);
}

std::optional<StoreResult> Write::failed(Context& context, const Failure& failure) {
  if (reading_back_) {
    return unknown_result(format_text("{}; reading back: {}", why_unsure_.detail, failure.detail));
  }
  const auto hangs_on_ours = [&](const PlannedKey& planned) {
    return planned.lease == context.lease.id;
  };
  if (failure.trouble == Trouble::lease_gone && std::ranges::any_of(plan_.keys, hangs_on_ours)) {
    context.lease.id = {};
  }
  if (surely_not_done(failure.trouble)) return failed_result(failure);
  why_unsure_ = failure;
  if (context.now() >= context.until) return unknown_result(failure.detail);
  read_back(context);
  return std::nullopt;
}

void Write::read_back(Context& context) {
  reading_back_ = true;
  const auto& paths = context.paths();
  wire::TxnRequest request;
  if (plan_.removes_everything) {
    request.success = {{wire::RangeRequest{paths.prefix(), paths.range_end()}}};
  } else {
    request.success = {read(paths.leader())};
    for (const auto& planned : plan_.keys) request.success.push_back(read(planned.key));
    for (const auto& expected : plan_.expect) request.success.push_back(read(expected.key));
  }
  context.begin(std::move(request), Repeat::while_time_lasts, context.until);
}

std::optional<StoreResult> Write::judge(Context& context, const wire::TxnAnswer& read) {
  context.view_in_doubt = true;
  if (plan_.removes_everything) {
    const auto* left = read.answers.empty()
                           ? nullptr
                           : std::get_if<wire::RangeAnswer>(&read.answers.front().content);
    if (left == nullptr || !left->kvs.empty()) return unknown_result(why_unsure_.detail);
    return StoreResult{.verdict = StoreVerdict::done, .revision = read.header.revision};
  }
  if (plan_.frees) {
    const auto lock = lock_in(context.paths(), read);
    if (!lock || lock->create_revision != *plan_.frees) {
      return StoreResult{.verdict = StoreVerdict::done, .revision = read.header.revision};
    }
    send(context);  // can happen only once: it compares the create revision
    return std::nullopt;
  }
  return judge_keys(context, read);
}

std::optional<StoreResult> Write::judge_keys(Context& context, const wire::TxnAnswer& read) {
  const auto lock = lock_in(context.paths(), read);
  const bool reign_holds = !plan_.reign || is_reign(lock, context.self, *plan_.reign);
  const auto is_there = [&](const PlannedKey& planned) { return shows(read, planned); };
  if (reign_holds && std::ranges::all_of(plan_.keys, is_there)) {
    Revision revision;
    for (const auto& planned : plan_.keys) {
      if (const auto kv = key_in(read, planned.key))
        revision = std::max(revision, kv->mod_revision);
    }
    return StoreResult{
        .verdict = StoreVerdict::done, .revision = revision, .lease = context.lease.id};
  }
  const auto is_unchanged = [&](const ExpectedKey& expected) { return unchanged(read, expected); };
  const auto is_untouched = [&](const PlannedKey& planned) {
    const auto at = std::ranges::find(plan_.expect, planned.key, &ExpectedKey::key);
    return at != plan_.expect.end() && unchanged(read, *at);
  };
  const bool impossible_now = !reign_holds || !std::ranges::all_of(plan_.expect, is_unchanged);
  // It never happened, and its comparison can never hold again: that is definite.
  if (impossible_now && std::ranges::all_of(plan_.keys, is_untouched)) {
    return refused_result("the keys have changed meanwhile", lock);
  }
  auto result = unknown_result(why_unsure_.detail);
  result.holder = lock;
  return result;
}

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// Pieces of transactions and results. Pure.
#include "store/etcd3_operation.h"

#include <algorithm>
#include <utility>

namespace tanist::store {

using wire::Compare;

wire::Compare revision_is(std::string key, Revision revision) {
  return {Compare::Target::mod_revision, std::move(key), revision.value(), {}};
}

std::vector<wire::Compare> reign_holds(const KeyPaths& paths, const MemberName& self,
                                       const Reign& reign) {
  const auto key = paths.leader();
  return {{Compare::Target::value, key, 0, self.value()},
          {Compare::Target::lease, key, reign.lease.value(), {}},
          {Compare::Target::create_revision, key, reign.create_revision.value(), {}}};
}

std::vector<wire::Compare> keys_unchanged(const KeyPaths& paths,
                                          const std::vector<KeyCompare>& expect) {
  std::vector<Compare> compares;
  for (const auto& each : expect)
    compares.push_back(revision_is(paths.of(each.key), each.revision));
  return compares;
}

wire::Operation read(std::string key) { return {wire::RangeRequest{std::move(key), {}}}; }

wire::Operation put(std::string key, std::string value, LeaseId lease) {
  return {wire::PutRequest{std::move(key), std::move(value), lease}};
}

wire::Operation erase(std::string key) { return {wire::DeleteRequest{std::move(key), {}}}; }

StoredKey stored(const wire::KeyValue& kv) {
  return {kv.value, kv.create_revision, kv.mod_revision, kv.lease};
}

ClusterCache::Keys stored_keys(const std::vector<wire::KeyValue>& kvs) {
  ClusterCache::Keys keys;
  for (const auto& kv : kvs) keys.emplace(kv.key, stored(kv));
  return keys;
}

std::optional<LeaderView> lock_in(const KeyPaths& paths, const wire::RangeAnswer& answer) {
  const auto at = std::ranges::find(answer.kvs, paths.leader(), &wire::KeyValue::key);
  return at == answer.kvs.end() ? std::nullopt : std::optional(decode_leader(stored(*at)));
}

std::optional<LeaderView> lock_in(const KeyPaths& paths, const wire::TxnAnswer& answer) {
  for (const auto& each : answer.answers) {
    const auto* range = std::get_if<wire::RangeAnswer>(&each.content);
    if (range == nullptr) continue;
    if (auto lock = lock_in(paths, *range)) return lock;
  }
  return std::nullopt;
}

bool is_reign(const std::optional<LeaderView>& lock, const MemberName& self, const Reign& reign) {
  return lock && lock->name == self && lock->reign() == reign;
}

StoreResult failed_result(const Failure& failure) {
  StoreResult result;
  result.verdict = worth_repeating(failure.trouble) || failure.trouble == Trouble::auth_off
                       ? StoreVerdict::unknown
                       : StoreVerdict::refused;
  result.detail = failure.detail;
  result.lease_gone = failure.trouble == Trouble::lease_gone;
  return result;
}

StoreResult unknown_result(std::string detail) {
  return {.verdict = StoreVerdict::unknown, .detail = std::move(detail)};
}

StoreResult refused_result(std::string detail, std::optional<LeaderView> holder) {
  return {
      .verdict = StoreVerdict::refused, .detail = std::move(detail), .holder = std::move(holder)};
}

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// From an action to its transaction. Pure.
#include <utility>

#include "store/etcd3_write.h"

namespace tanist::store {

namespace {

void add(WritePlan& plan, PlannedKey key) {
  plan.request.success.push_back(key.value ? put(key.key, *key.value, key.lease) : erase(key.key));
  plan.keys.push_back(std::move(key));
}

void append(std::vector<wire::Compare>& to, std::vector<wire::Compare> compares) {
  for (auto& each : compares) to.push_back(std::move(each));
}

}  // namespace

WritePlan plan(const Context& context, const Commit& action) {
  const auto& paths = context.paths();
  WritePlan plan;
  plan.request.compare = keys_unchanged(paths, action.expect);
  for (const auto& each : action.expect) plan.expect.push_back({paths.of(each.key), each.revision});
  plan.reign = action.reign;
  if (plan.reign) append(plan.request.compare, reign_holds(paths, context.self, *plan.reign));
  for (const auto& each : action.writes) {
    plan.needs_lease = plan.needs_lease || (each.with_lease && context.lease.id == LeaseId());
    add(plan, {paths.of(each.key), each.value, each.with_lease ? context.lease.id : LeaseId()});
  }
  plan.request.failure = {read(paths.leader())};
  return plan;
}

WritePlan plan(const Context& context, const PutMember& action) {
  WritePlan plan;
  plan.needs_lease = context.lease.id == LeaseId();
  add(plan, {context.paths().member(context.self), action.value, context.lease.id});
  return plan;
}

WritePlan plan(const Context& context, const ReleaseLock& action) {
  const auto& paths = context.paths();
  WritePlan plan;
  plan.request.compare = reign_holds(paths, context.self, action.reign);
  plan.reign = action.reign;
  plan.frees = action.reign.create_revision;
  add(plan, {paths.leader(), std::nullopt, {}});
  if (action.status) add(plan, {paths.of(StoreKey::status), action.status, {}});
  add(plan, {paths.member(context.self), action.member, action.reign.lease});
  plan.request.failure = {read(paths.leader())};
  return plan;
}

WritePlan plan(const Context& context, const ReleaseStrayLock& action) {
  const auto key = context.paths().leader();
  WritePlan plan;
  plan.request.compare = {
      {wire::Compare::Target::create_revision, key, action.create_revision.value(), {}},
      {wire::Compare::Target::value, key, 0, context.self.value()}};
  plan.frees = action.create_revision;
  plan.free_is_enough = true;
  add(plan, {key, std::nullopt, {}});
  plan.request.failure = {read(key)};
  return plan;
}

WritePlan plan_removal(const Context& context) {
  const auto& paths = context.paths();
  WritePlan plan;
  plan.removes_everything = true;
  plan.request.success = {{wire::DeleteRequest{paths.prefix(), paths.range_end()}}};
  return plan;
}

}  // namespace tanist::store

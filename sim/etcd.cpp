// SPDX-License-Identifier: Apache-2.0
// Keys, leases and transactions.
#include "sim/etcd.h"

#include <algorithm>

namespace tanist::sim {

namespace {

// ceil(1.5 election timeouts).
constexpr std::int64_t ttl_min = 2;

tl::unexpected<wire::RpcError> error(wire::Code code, std::string text) {
  return tl::unexpected(wire::RpcError{code, "etcdserver: " + text});
}

}  // namespace

wire::RpcResult Etcd::perform(const wire::Request& request, Instant now) {
  return std::visit([&](const auto& each) { return answer(each, now); }, request);
}

const wire::KeyValue* Etcd::find(const std::string& key) const {
  const auto at = keys_.find(key);
  return at == keys_.end() ? nullptr : &at->second;
}

std::optional<Instant> Etcd::lease_end(LeaseId id) const {
  const auto at = leases_.find(id);
  if (at == leases_.end()) return std::nullopt;
  return at->second.end;
}

std::int64_t Etcd::lease_ttl(LeaseId id) const {
  const auto at = leases_.find(id);
  return at == leases_.end() ? 0 : at->second.ttl;
}

// ---- Keys ------------------------------------------------------------------------------------

wire::RpcResult Etcd::answer(const wire::RangeRequest& request, Instant) { return range(request); }

wire::RangeAnswer Etcd::range(const wire::RangeRequest& request) const {
  wire::RangeAnswer out{header(), {}};
  const auto end = request.range_end.empty() ? request.key + '\0' : request.range_end;
  for (auto at = keys_.lower_bound(request.key); at != keys_.end() && at->first < end; ++at) {
    out.kvs.push_back(at->second);
  }
  return out;
}

bool Etcd::holds(const wire::Compare& compare) const {
  using Target = wire::Compare::Target;
  const auto* found = find(compare.key);
  const auto kv = found != nullptr ? *found : wire::KeyValue{};
  switch (compare.target) {
    case Target::create_revision: return kv.create_revision.value() == compare.number;
    case Target::mod_revision: return kv.mod_revision.value() == compare.number;
    case Target::lease: return kv.lease.value() == compare.number;
    case Target::value: return found != nullptr && kv.value == compare.value;
    case Target::version: return (found != nullptr) == (compare.number != 0);
  }
  return false;
}

wire::RpcResult Etcd::answer(const wire::TxnRequest& request, Instant) {
  const bool good = std::ranges::all_of(request.compare, [&](const auto& c) { return holds(c); });
  const auto& branch = good ? request.success : request.failure;
  for (const auto& each : branch) {
    const auto* put = std::get_if<wire::PutRequest>(&each.content);
    if (put != nullptr && put->lease != LeaseId() && !leases_.contains(put->lease)) {
      return error(wire::Code::not_found, "requested lease not found");
    }
  }
  if (std::ranges::any_of(branch, [&](const auto& each) { return writes(each); })) {
    revision_ = Revision(revision_.value() + 1);
  }
  wire::TxnAnswer out{{}, good, {}};
  for (const auto& each : branch) {
    if (const auto* read = std::get_if<wire::RangeRequest>(&each.content)) {
      out.answers.push_back({range(*read)});
    } else if (const auto* put = std::get_if<wire::PutRequest>(&each.content)) {
      change(*put);
      out.answers.push_back({wire::PutAnswer{}});
    } else if (const auto* erased = std::get_if<wire::DeleteRequest>(&each.content)) {
      out.answers.push_back({wire::DeleteAnswer{change(*erased)}});
    }
  }
  out.header = header();
  return out;
}

void Etcd::change(const wire::PutRequest& put) {
  auto& kv = keys_[put.key];
  const auto created = kv.create_revision == Revision(0) ? revision_ : kv.create_revision;
  kv = {put.key, put.value, created, revision_, put.lease};
  events_.push_back({false, kv});
}

bool Etcd::writes(const wire::Operation& operation) const {
  if (const auto* erased = std::get_if<wire::DeleteRequest>(&operation.content)) {
    return !range({erased->key, erased->range_end}).kvs.empty();
  }
  return std::holds_alternative<wire::PutRequest>(operation.content);
}

std::int64_t Etcd::change(const wire::DeleteRequest& erased) {
  std::int64_t count = 0;
  const auto end = erased.range_end.empty() ? erased.key + '\0' : erased.range_end;
  for (auto at = keys_.lower_bound(erased.key); at != keys_.end() && at->first < end;) {
    events_.push_back({true, {at->first, {}, {}, revision_, {}}});
    at = keys_.erase(at);
    ++count;
  }
  return count;
}

void Etcd::erase(const std::string& key) {
  if (find(key) == nullptr) return;
  revision_ = Revision(revision_.value() + 1);
  change(wire::DeleteRequest{key, {}});
}

void Etcd::compact(Revision revision) {
  compacted_ = std::max(compacted_, revision);
  std::erase_if(events_, [&](const auto& event) { return event.kv.mod_revision < compacted_; });
}

// ---- Leases ----------------------------------------------------------------------------------

wire::RpcResult Etcd::answer(const wire::GrantRequest& request, Instant now) {
  const auto ttl = std::max(request.ttl_seconds, ttl_min);
  const LeaseId id(++last_lease_);
  leases_[id] = {ttl, now + seconds(ttl)};
  return wire::GrantAnswer{header(), id, ttl};
}

wire::RpcResult Etcd::answer(const wire::RevokeRequest& request, Instant) {
  if (!leases_.contains(request.lease)) {
    return error(wire::Code::not_found, "requested lease not found");
  }
  revoke(request.lease);
  return wire::RevokeAnswer{header()};
}

// A lease past its time is revoked before anybody is answered about it.
wire::RpcResult Etcd::answer(const wire::KeepAliveRequest& request, Instant now) {
  const auto before = header();
  const auto at = leases_.find(request.lease);
  if (at != leases_.end() && at->second.end <= now) revoke(request.lease);
  const auto still = leases_.find(request.lease);
  if (still == leases_.end()) return wire::KeepAliveAnswer{before, request.lease, 0};
  still->second.end = now + seconds(still->second.ttl);
  return wire::KeepAliveAnswer{before, request.lease, still->second.ttl};
}

wire::RpcResult Etcd::answer(const wire::TimeToLiveRequest& request, Instant now) {
  const auto at = leases_.find(request.lease);
  if (at == leases_.end()) return wire::TimeToLiveAnswer{header(), request.lease, -1, 0};
  const auto left = std::chrono::floor<seconds>(at->second.end - now).count();
  return wire::TimeToLiveAnswer{header(), request.lease, left, at->second.ttl};
}

void Etcd::revoke(LeaseId id) {
  leases_.erase(id);
  std::vector<std::string> doomed;
  for (const auto& [key, kv] : keys_) {
    if (kv.lease == id) doomed.push_back(key);
  }
  if (!doomed.empty()) revision_ = Revision(revision_.value() + 1);
  for (const auto& key : doomed) change(wire::DeleteRequest{key, {}});
}

bool Etcd::revoke_expired(Instant now) {
  std::vector<LeaseId> over;
  for (const auto& [id, lease] : leases_) {
    if (lease.end <= now) over.push_back(id);
  }
  const auto before = revision_;
  for (const auto id : over) revoke(id);
  return revision_ != before;
}

void Etcd::elect(Instant now) {
  ++term_;
  for (auto& [id, lease] : leases_) lease.end = now + seconds(lease.ttl) + election_timeout;
}

// ---- The rest --------------------------------------------------------------------------------

wire::RpcResult Etcd::answer(const wire::AuthenticateRequest&, Instant) {
  return error(wire::Code::failed_precondition, "authentication is not enabled");
}

wire::RpcResult Etcd::answer(const wire::MemberListRequest&, Instant) {
  return wire::MemberListAnswer{header(), {}};
}

wire::RpcResult Etcd::answer(const wire::StatusRequest&, Instant) {
  return wire::StatusAnswer{header(), "3.5.25", {}, false};
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// A model of what an etcd cluster agrees on: keys, revisions, leases with a smallest TTL, elections
// that restore every lease's full TTL plus an election timeout, compaction. As if all members were
// one: how they are reached is etcd_members.h. Lease times are the world's. A value.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/etcd3_wire.h"

namespace tanist::sim {

namespace wire = store::wire;

class Etcd {
 public:
  static constexpr Duration election_timeout = seconds(1);

  wire::RpcResult perform(const wire::Request& request, Instant now);
  // Revokes the leases whose time is over. True when keys went with them.
  bool revoke_expired(Instant now);
  // A new leader: a higher term, and every lease is extended (lessor.Promote).
  void elect(Instant now);
  // Events before `revision` are forgotten.
  void compact(Revision revision);
  // As an operator with etcdctl: no lease, no compare.
  void erase(const std::string& key);

  wire::Header header() const { return {7, 1, revision_, term_}; }
  Revision revision() const { return revision_; }
  Revision compacted() const { return compacted_; }
  const std::vector<wire::WatchEvent>& events() const { return events_; }
  const wire::KeyValue* find(const std::string& key) const;
  // When the lease may be revoked; nothing when there is none.
  std::optional<Instant> lease_end(LeaseId id) const;
  std::int64_t lease_ttl(LeaseId id) const;

 private:
  struct Lease {
    std::int64_t ttl = 0;
    Instant end;
  };

  wire::RpcResult answer(const wire::RangeRequest& request, Instant now);
  wire::RpcResult answer(const wire::TxnRequest& request, Instant now);
  wire::RpcResult answer(const wire::GrantRequest& request, Instant now);
  wire::RpcResult answer(const wire::RevokeRequest& request, Instant now);
  wire::RpcResult answer(const wire::KeepAliveRequest& request, Instant now);
  wire::RpcResult answer(const wire::TimeToLiveRequest& request, Instant now);
  wire::RpcResult answer(const wire::AuthenticateRequest& request, Instant now);
  wire::RpcResult answer(const wire::MemberListRequest& request, Instant now);
  wire::RpcResult answer(const wire::StatusRequest& request, Instant now);
  wire::RangeAnswer range(const wire::RangeRequest& request) const;
  bool holds(const wire::Compare& compare) const;
  // A deletion that finds nothing makes no revision.
  bool writes(const wire::Operation& operation) const;
  void change(const wire::PutRequest& put);
  // How many keys there were.
  std::int64_t change(const wire::DeleteRequest& erased);
  void revoke(LeaseId id);

  std::map<std::string, wire::KeyValue> keys_;
  std::map<LeaseId, Lease> leases_;
  std::vector<wire::WatchEvent> events_;
  Revision revision_{100};
  Revision compacted_;
  std::uint64_t term_ = 2;
  std::int64_t last_lease_ = 1000;
};

}  // namespace tanist::sim

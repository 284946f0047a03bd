// SPDX-License-Identifier: Apache-2.0
// What is said to etcd and what it answers, as plain values: the part of its v3 API that we use
// (contract dcs 6). The machine speaks these; the transport turns them into gRPC, a model of etcd
// can answer them directly. Names follow etcd's API. Values only; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "core/types.h"

namespace tanist::store::wire {

// Who answered, and what it knew then. A raft_term or cluster_id of 0 says nothing.
struct Header {
  std::uint64_t cluster_id = 0;
  std::uint64_t member_id = 0;
  Revision revision;
  std::uint64_t raft_term = 0;

  friend bool operator==(const Header&, const Header&) = default;
};

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision;
  Revision mod_revision;
  LeaseId lease;

  friend bool operator==(const KeyValue&, const KeyValue&) = default;
};

// ---- Requests --------------------------------------------------------------------------------

// Keys from `key` to before `range_end`, or just `key` when that is empty. Always linearizable.
struct RangeRequest {
  std::string key;
  std::string range_end;

  friend bool operator==(const RangeRequest&, const RangeRequest&) = default;
};

struct PutRequest {
  std::string key;
  std::string value;
  LeaseId lease;

  friend bool operator==(const PutRequest&, const PutRequest&) = default;
};

struct DeleteRequest {
  std::string key;
  std::string range_end;

  friend bool operator==(const DeleteRequest&, const DeleteRequest&) = default;
};

// Equality only. An absent key has version, revisions and lease 0, and no value equals its.
struct Compare {
  enum class Target { version, create_revision, mod_revision, value, lease };
  Target target = Target::mod_revision;
  std::string key;
  std::int64_t number = 0;  // every target but value
  std::string value;

  friend bool operator==(const Compare&, const Compare&) = default;
};

struct Operation;

// Applied through etcd's log, unless all operations are ranges: then it is a linearizable read.
// Without any operation it is answered locally, without a quorum (safety 1.1): never sent.
struct TxnRequest {
  std::vector<Compare> compare;
  std::vector<Operation> success;
  std::vector<Operation> failure;

  friend bool operator==(const TxnRequest&, const TxnRequest&);
};

struct Operation {
  std::variant<RangeRequest, PutRequest, DeleteRequest, TxnRequest> content;

  friend bool operator==(const Operation&, const Operation&) = default;
};

inline bool operator==(const TxnRequest& a, const TxnRequest& b) {
  return a.compare == b.compare && a.success == b.success && a.failure == b.failure;
}

struct GrantRequest {
  std::int64_t ttl_seconds = 0;

  friend bool operator==(const GrantRequest&, const GrantRequest&) = default;
};

struct RevokeRequest {
  LeaseId lease;

  friend bool operator==(const RevokeRequest&, const RevokeRequest&) = default;
};

// One keepalive on a stream of its own.
struct KeepAliveRequest {
  LeaseId lease;

  friend bool operator==(const KeepAliveRequest&, const KeepAliveRequest&) = default;
};

struct TimeToLiveRequest {
  LeaseId lease;

  friend bool operator==(const TimeToLiveRequest&, const TimeToLiveRequest&) = default;
};

struct AuthenticateRequest {
  std::string user;
  Secret password;

  friend bool operator==(const AuthenticateRequest&, const AuthenticateRequest&) = default;
};

struct MemberListRequest {
  friend bool operator==(const MemberListRequest&, const MemberListRequest&) = default;
};

struct StatusRequest {
  friend bool operator==(const StatusRequest&, const StatusRequest&) = default;
};

// ---- Answers ---------------------------------------------------------------------------------

struct RangeAnswer {
  Header header;
  std::vector<KeyValue> kvs;

  friend bool operator==(const RangeAnswer&, const RangeAnswer&) = default;
};

struct PutAnswer {
  friend bool operator==(const PutAnswer&, const PutAnswer&) = default;
};

struct DeleteAnswer {
  std::int64_t deleted = 0;

  friend bool operator==(const DeleteAnswer&, const DeleteAnswer&) = default;
};

struct OperationAnswer;

struct TxnAnswer {
  Header header;
  bool succeeded = false;
  std::vector<OperationAnswer> answers;  // of the branch that was taken, in its order

  friend bool operator==(const TxnAnswer&, const TxnAnswer&);
};

struct OperationAnswer {
  std::variant<RangeAnswer, PutAnswer, DeleteAnswer, TxnAnswer> content;

  friend bool operator==(const OperationAnswer&, const OperationAnswer&) = default;
};

inline bool operator==(const TxnAnswer& a, const TxnAnswer& b) {
  return a.header == b.header && a.succeeded == b.succeeded && a.answers == b.answers;
}

struct GrantAnswer {
  Header header;
  LeaseId lease;
  std::int64_t ttl_seconds = 0;  // may differ from the one asked for (trap 161)

  friend bool operator==(const GrantAnswer&, const GrantAnswer&) = default;
};

struct RevokeAnswer {
  Header header;

  friend bool operator==(const RevokeAnswer&, const RevokeAnswer&) = default;
};

// The header is from before the renewal. ttl_seconds <= 0: the lease is gone (trap 150).
struct KeepAliveAnswer {
  Header header;
  LeaseId lease;
  std::int64_t ttl_seconds = 0;

  friend bool operator==(const KeepAliveAnswer&, const KeepAliveAnswer&) = default;
};

// granted_seconds 0: the lease is gone. A lease that is past its time but not yet revoked has
// ttl_seconds <= 0 and is still there.
struct TimeToLiveAnswer {
  Header header;
  LeaseId lease;
  std::int64_t ttl_seconds = 0;
  std::int64_t granted_seconds = 0;

  friend bool operator==(const TimeToLiveAnswer&, const TimeToLiveAnswer&) = default;
};

struct AuthenticateAnswer {
  Header header;
  Secret token;

  friend bool operator==(const AuthenticateAnswer&, const AuthenticateAnswer&) = default;
};

struct Member {
  std::vector<std::string> client_urls;  // empty while the member was never started
  bool is_learner = false;

  friend bool operator==(const Member&, const Member&) = default;
};

struct MemberListAnswer {
  Header header;
  std::vector<Member> members;

  friend bool operator==(const MemberListAnswer&, const MemberListAnswer&) = default;
};

struct StatusAnswer {
  Header header;
  std::string version;
  std::vector<std::string> errors;  // alarms such as "memberID:1 alarm:NOSPACE"
  bool is_learner = false;

  friend bool operator==(const StatusAnswer&, const StatusAnswer&) = default;
};

// In the same order: an answer stands where its request does.
using Request =
    std::variant<RangeRequest, TxnRequest, GrantRequest, RevokeRequest, KeepAliveRequest,
                 TimeToLiveRequest, AuthenticateRequest, MemberListRequest, StatusRequest>;
using Answer = std::variant<RangeAnswer, TxnAnswer, GrantAnswer, RevokeAnswer, KeepAliveAnswer,
                            TimeToLiveAnswer, AuthenticateAnswer, MemberListAnswer, StatusAnswer>;

// gRPC's codes, as far as we branch on them.
enum class Code {
  ok = 0,
  cancelled = 1,
  unknown = 2,
  invalid_argument = 3,
  deadline_exceeded = 4,
  not_found = 5,
  permission_denied = 7,
  resource_exhausted = 8,
  failed_precondition = 9,
  out_of_range = 11,
  unimplemented = 12,
  internal = 13,
  unavailable = 14,
  unauthenticated = 16,
};

struct RpcError {
  Code code = Code::unknown;
  std::string message;

  friend bool operator==(const RpcError&, const RpcError&) = default;
};

using RpcResult = tl::expected<Answer, RpcError>;

// ---- Watch -----------------------------------------------------------------------------------

// All events on [key, range_end) from `start_revision` on, with progress notifications, each
// revision in one message.
struct WatchRequest {
  std::string key;
  std::string range_end;
  Revision start_revision;

  friend bool operator==(const WatchRequest&, const WatchRequest&) = default;
};

struct WatchEvent {
  bool deleted = false;
  KeyValue kv;  // of a deletion: key and mod_revision

  friend bool operator==(const WatchEvent&, const WatchEvent&) = default;
};

struct WatchMessage {
  Header header;
  bool created = false;
  bool cancelled = false;
  std::string cancel_reason;
  Revision compact_revision;  // not 0: the start was compacted away
  std::vector<WatchEvent> events;

  friend bool operator==(const WatchMessage&, const WatchMessage&) = default;
};

}  // namespace tanist::store::wire

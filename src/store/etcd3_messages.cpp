// SPDX-License-Identifier: Apache-2.0
// Field by field between wire structs and protobuf messages. The only file that includes protobuf.
#include "store/etcd3_messages.h"

#include <utility>

#include "store/rpc/etcd3.pb.h"

namespace tanist::store {

namespace pb = ::etcdserverpb;

namespace {

// ---- to protobuf -----------------------------------------------------------------------------

void fill(pb::RangeRequest& to, const wire::RangeRequest& from) {
  to.set_key(from.key);
  to.set_range_end(from.range_end);
}

void fill(pb::PutRequest& to, const wire::PutRequest& from) {
  to.set_key(from.key);
  to.set_value(from.value);
  to.set_lease(from.lease.value());
}

void fill(pb::DeleteRangeRequest& to, const wire::DeleteRequest& from) {
  to.set_key(from.key);
  to.set_range_end(from.range_end);
}

void fill(pb::Compare& to, const wire::Compare& from) {
  using Target = wire::Compare::Target;
  to.set_result(pb::Compare::EQUAL);
  to.set_key(from.key);
  switch (from.target) {
    case Target::version: to.set_target(pb::Compare::VERSION); return to.set_version(from.number);
    case Target::create_revision:
      to.set_target(pb::Compare::CREATE);
      return to.set_create_revision(from.number);
    case Target::mod_revision:
      to.set_target(pb::Compare::MOD);
      return to.set_mod_revision(from.number);
    case Target::value: to.set_target(pb::Compare::VALUE); return to.set_value(from.value);
    case Target::lease: to.set_target(pb::Compare::LEASE); return to.set_lease(from.number);
  }
}

void fill(pb::TxnRequest& to, const wire::TxnRequest& from);

struct FillOperation {
  pb::RequestOp& to;

  void operator()(const wire::RangeRequest& from) const { fill(*to.mutable_request_range(), from); }
  void operator()(const wire::PutRequest& from) const { fill(*to.mutable_request_put(), from); }
  void operator()(const wire::DeleteRequest& from) const {
    fill(*to.mutable_request_delete_range(), from);
  }
  void operator()(const wire::TxnRequest& from) const { fill(*to.mutable_request_txn(), from); }
};

void fill(pb::TxnRequest& to, const wire::TxnRequest& from) {
  for (const auto& each : from.compare) fill(*to.add_compare(), each);
  for (const auto& each : from.success) std::visit(FillOperation{*to.add_success()}, each.content);
  for (const auto& each : from.failure) std::visit(FillOperation{*to.add_failure()}, each.content);
}

template <class Message, class Request>
std::string bytes_of(const Request& request) {
  Message message;
  fill(message, request);
  return message.SerializeAsString();
}

// ---- from protobuf ---------------------------------------------------------------------------

wire::Header header_of(const pb::ResponseHeader& from) {
  return {from.cluster_id(), from.member_id(), Revision(from.revision()), from.raft_term()};
}

wire::KeyValue kv_of(const pb::KeyValue& from) {
  return {from.key(), from.value(), Revision(from.create_revision()), Revision(from.mod_revision()),
          LeaseId(from.lease())};
}

wire::RangeAnswer answer_of(const pb::RangeResponse& from) {
  wire::RangeAnswer to{header_of(from.header()), {}};
  for (const auto& each : from.kvs()) to.kvs.push_back(kv_of(each));
  return to;
}

wire::TxnAnswer answer_of(const pb::TxnResponse& from);

wire::OperationAnswer answer_of(const pb::ResponseOp& from) {
  switch (from.response_case()) {
    case pb::ResponseOp::kResponseRange: return {answer_of(from.response_range())};
    case pb::ResponseOp::kResponseDeleteRange:
      return {wire::DeleteAnswer{from.response_delete_range().deleted()}};
    case pb::ResponseOp::kResponseTxn: return {answer_of(from.response_txn())};
    default: return {wire::PutAnswer{}};
  }
}

wire::TxnAnswer answer_of(const pb::TxnResponse& from) {
  wire::TxnAnswer to{header_of(from.header()), from.succeeded(), {}};
  for (const auto& each : from.responses()) to.answers.push_back(answer_of(each));
  return to;
}

wire::GrantAnswer answer_of(const pb::LeaseGrantResponse& from) {
  return {header_of(from.header()), LeaseId(from.id()), from.ttl()};
}

wire::RevokeAnswer answer_of(const pb::LeaseRevokeResponse& from) {
  return {header_of(from.header())};
}

wire::KeepAliveAnswer answer_of(const pb::LeaseKeepAliveResponse& from) {
  return {header_of(from.header()), LeaseId(from.id()), from.ttl()};
}

wire::TimeToLiveAnswer answer_of(const pb::LeaseTimeToLiveResponse& from) {
  return {header_of(from.header()), LeaseId(from.id()), from.ttl(), from.grantedttl()};
}

wire::AuthenticateAnswer answer_of(const pb::AuthenticateResponse& from) {
  return {header_of(from.header()), Secret(from.token())};
}

wire::MemberListAnswer answer_of(const pb::MemberListResponse& from) {
  wire::MemberListAnswer to{header_of(from.header()), {}};
  for (const auto& each : from.members()) {
    to.members.push_back({{each.clienturls().begin(), each.clienturls().end()}, each.islearner()});
  }
  return to;
}

wire::StatusAnswer answer_of(const pb::StatusResponse& from) {
  return {header_of(from.header()),
          from.version(),
          {from.errors().begin(), from.errors().end()},
          from.islearner()};
}

template <class Message>
Result<wire::Answer> parsed(const std::string& bytes) {
  Message message;
  if (!message.ParseFromString(bytes)) {
    return fail(Errc::invalid, "an answer of etcd of {} bytes cannot be read", bytes.size());
  }
  return wire::Answer(answer_of(message));
}

struct Encoder {
  std::string operator()(const wire::RangeRequest& request) const {
    return bytes_of<pb::RangeRequest>(request);
  }
  std::string operator()(const wire::TxnRequest& request) const {
    return bytes_of<pb::TxnRequest>(request);
  }
  std::string operator()(const wire::GrantRequest& request) const {
    pb::LeaseGrantRequest message;
    message.set_ttl(request.ttl_seconds);
    return message.SerializeAsString();
  }
  std::string operator()(const wire::RevokeRequest& request) const {
    pb::LeaseRevokeRequest message;
    message.set_id(request.lease.value());
    return message.SerializeAsString();
  }
  std::string operator()(const wire::KeepAliveRequest& request) const {
    pb::LeaseKeepAliveRequest message;
    message.set_id(request.lease.value());
    return message.SerializeAsString();
  }
  std::string operator()(const wire::TimeToLiveRequest& request) const {
    pb::LeaseTimeToLiveRequest message;
    message.set_id(request.lease.value());
    return message.SerializeAsString();
  }
  std::string operator()(const wire::AuthenticateRequest& request) const {
    pb::AuthenticateRequest message;
    message.set_name(request.user);
    message.set_password(request.password.reveal());
    return message.SerializeAsString();
  }
  std::string operator()(const wire::MemberListRequest&) const { return {}; }
  std::string operator()(const wire::StatusRequest&) const { return {}; }
};

struct Decoder {
  const std::string& bytes;

  using R = Result<wire::Answer>;
  R operator()(const wire::RangeRequest&) const { return parsed<pb::RangeResponse>(bytes); }
  R operator()(const wire::TxnRequest&) const { return parsed<pb::TxnResponse>(bytes); }
  R operator()(const wire::GrantRequest&) const { return parsed<pb::LeaseGrantResponse>(bytes); }
  R operator()(const wire::RevokeRequest&) const { return parsed<pb::LeaseRevokeResponse>(bytes); }
  R operator()(const wire::KeepAliveRequest&) const {
    return parsed<pb::LeaseKeepAliveResponse>(bytes);
  }
  R operator()(const wire::TimeToLiveRequest&) const {
    return parsed<pb::LeaseTimeToLiveResponse>(bytes);
  }
  R operator()(const wire::AuthenticateRequest&) const {
    return parsed<pb::AuthenticateResponse>(bytes);
  }
  R operator()(const wire::MemberListRequest&) const {
    return parsed<pb::MemberListResponse>(bytes);
  }
  R operator()(const wire::StatusRequest&) const { return parsed<pb::StatusResponse>(bytes); }
};

struct Method {
  const char* operator()(const wire::RangeRequest&) const { return "KV/Range"; }
  const char* operator()(const wire::TxnRequest&) const { return "KV/Txn"; }
  const char* operator()(const wire::GrantRequest&) const { return "Lease/LeaseGrant"; }
  const char* operator()(const wire::RevokeRequest&) const { return "Lease/LeaseRevoke"; }
  const char* operator()(const wire::KeepAliveRequest&) const { return "Lease/LeaseKeepAlive"; }
  const char* operator()(const wire::TimeToLiveRequest&) const { return "Lease/LeaseTimeToLive"; }
  const char* operator()(const wire::AuthenticateRequest&) const { return "Auth/Authenticate"; }
  const char* operator()(const wire::MemberListRequest&) const { return "Cluster/MemberList"; }
  const char* operator()(const wire::StatusRequest&) const { return "Maintenance/Status"; }
};

}  // namespace

std::string method_of(const wire::Request& request) {
  return std::string("/etcdserverpb.") + std::visit(Method{}, request);
}

std::string encode(const wire::Request& request) { return std::visit(Encoder{}, request); }

std::string encode_watch(const wire::WatchRequest& request) {
  pb::WatchRequest message;
  auto& create = *message.mutable_create_request();
  create.set_key(request.key);
  create.set_range_end(request.range_end);
  create.set_start_revision(request.start_revision.value());
  create.set_progress_notify(true);
  return message.SerializeAsString();
}

std::string encode_progress_request() {
  pb::WatchRequest message;
  message.mutable_progress_request();
  return message.SerializeAsString();
}

Result<wire::Answer> decode_answer(const wire::Request& request, const std::string& bytes) {
  return std::visit(Decoder{bytes}, request);
}

Result<wire::WatchMessage> decode_watch(const std::string& bytes) {
  pb::WatchResponse message;
  if (!message.ParseFromString(bytes)) {
    return fail(Errc::invalid, "a watch message of etcd of {} bytes cannot be read", bytes.size());
  }
  wire::WatchMessage to;
  to.header = header_of(message.header());
  to.created = message.created();
  to.cancelled = message.canceled();
  to.cancel_reason = message.cancel_reason();
  to.compact_revision = Revision(message.compact_revision());
  for (const auto& each : message.events()) {
    to.events.push_back({each.type() == pb::Event::DELETE, kv_of(each.kv())});
  }
  return to;
}

}  // namespace tanist::store

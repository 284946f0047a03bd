// SPDX-License-Identifier: Apache-2.0
// Bytes of etcd's protocol. The byte strings are etcd's API and must never change.
#include "store/etcd3_messages.h"

#include <gtest/gtest.h>

#include <random>

#include "store/rpc/etcd3.pb.h"

namespace tanist::store {

namespace {

using namespace std::string_literals;

TEST(Messages, RequestsHaveTheBytesOfEtcdsApi) {
  EXPECT_EQ(encode(wire::RangeRequest{"k", "l"}), "\x0a\x01k\x12\x01l");
  EXPECT_EQ(encode(wire::GrantRequest{30}), "\x08\x1e");
  EXPECT_EQ(encode(wire::RevokeRequest{LeaseId(7)}), "\x08\x07");
  EXPECT_EQ(encode(wire::KeepAliveRequest{LeaseId(7)}), "\x08\x07");
  EXPECT_EQ(encode(wire::TimeToLiveRequest{LeaseId(7)}), "\x08\x07");
  EXPECT_EQ(encode(wire::AuthenticateRequest{"u", Secret("p")}), "\x0a\x01u\x12\x01p");
  EXPECT_EQ(encode(wire::MemberListRequest{}), "");
  EXPECT_EQ(encode(wire::StatusRequest{}), "");
  EXPECT_EQ(encode_watch({"k", "l", Revision(5)}), "\x0a\x0a\x0a\x01k\x12\x01l\x18\x05\x20\x01");
  EXPECT_EQ(encode_progress_request(), "\x1a\x00"s);
}

TEST(Messages, TransactionsNest) {
  using Target = wire::Compare::Target;
  const wire::TxnRequest inner{{}, {{wire::DeleteRequest{"d", {}}}}, {}};
  const wire::TxnRequest txn{{{Target::value, "k", 0, "v"},
                              {Target::lease, "k", 7, {}},
                              {Target::create_revision, "k", 5, {}},
                              {Target::mod_revision, "k", 6, {}},
                              {Target::version, "k", 1, {}}},
                             {{wire::PutRequest{"k", "v", LeaseId(7)}}, {inner}},
                             {{wire::RangeRequest{"k", {}}}}};
  EXPECT_EQ(encode(txn),
            "\x0a\x08\x10\x03\x1a\x01k\x3a\x01v"
            "\x0a\x07\x10\x04\x1a\x01k\x40\x07"
            "\x0a\x07\x10\x01\x1a\x01k\x28\x05"
            "\x0a\x07\x10\x02\x1a\x01k\x30\x06"
            "\x0a\x05\x1a\x01k\x20\x01"
            "\x12\x0a\x12\x08\x0a\x01k\x12\x01v\x18\x07"
            "\x12\x09\x22\x07\x12\x05\x1a\x03\x0a\x01\x64"
            "\x1a\x05\x0a\x03\x0a\x01k"s);
}

TEST(Messages, MethodsAreThoseOfEtcdsServices) {
  EXPECT_EQ(method_of(wire::TxnRequest{}), "/etcdserverpb.KV/Txn");
  EXPECT_EQ(method_of(wire::KeepAliveRequest{}), "/etcdserverpb.Lease/LeaseKeepAlive");
}

TEST(Messages, AnswersAreReadFieldByField) {
  const std::string header = "\x0a\x08\x08\x01\x10\x02\x18\x03\x20\x04";
  const auto kept = decode_answer(wire::KeepAliveRequest{}, header + "\x10\x07\x18\x1e");
  ASSERT_TRUE(kept);
  EXPECT_EQ(std::get<wire::KeepAliveAnswer>(*kept),
            (wire::KeepAliveAnswer{{1, 2, Revision(3), 4}, LeaseId(7), 30}));
  const auto range = decode_answer(
      wire::RangeRequest{}, header + "\x12\x0e\x0a\x01k\x10\x05\x18\x06\x20\x01\x2a\x01v\x30\x07");
  ASSERT_TRUE(range);
  EXPECT_EQ(std::get<wire::RangeAnswer>(*range).kvs,
            (std::vector<wire::KeyValue>{{"k", "v", Revision(5), Revision(6), LeaseId(7)}}));
}

TEST(Messages, Trap150AnAbsentTtlIsZero) {
  const auto kept = decode_answer(wire::KeepAliveRequest{}, "\x10\x07");
  ASSERT_TRUE(kept);
  EXPECT_EQ(std::get<wire::KeepAliveAnswer>(*kept).ttl_seconds, 0);
}

TEST(Messages, TheBranchOfATransactionIsReadInOrder) {
  etcdserverpb::TxnResponse message;
  message.set_succeeded(true);
  message.add_responses()->mutable_response_put();
  message.add_responses()->mutable_response_delete_range()->set_deleted(3);
  message.add_responses()->mutable_response_range()->add_kvs()->set_key("k");
  message.add_responses()->mutable_response_txn()->set_succeeded(true);
  const auto answer = decode_answer(wire::TxnRequest{}, message.SerializeAsString());
  ASSERT_TRUE(answer);
  const auto& txn = std::get<wire::TxnAnswer>(*answer);
  EXPECT_TRUE(txn.succeeded);
  ASSERT_EQ(txn.answers.size(), 4U);
  EXPECT_TRUE(std::holds_alternative<wire::PutAnswer>(txn.answers[0].content));
  EXPECT_EQ(std::get<wire::DeleteAnswer>(txn.answers[1].content).deleted, 3);
  EXPECT_EQ(std::get<wire::RangeAnswer>(txn.answers[2].content).kvs[0].key, "k");
  EXPECT_TRUE(std::get<wire::TxnAnswer>(txn.answers[3].content).succeeded);
}

TEST(Messages, WatchMessagesTellPutsFromDeletions) {
  etcdserverpb::WatchResponse message;
  message.set_created(true);
  message.set_canceled(true);
  message.set_compact_revision(9);
  message.set_cancel_reason("why");
  message.add_events()->mutable_kv()->set_key("a");
  auto& deletion = *message.add_events();
  deletion.set_type(etcdserverpb::Event::DELETE);
  deletion.mutable_kv()->set_mod_revision(12);
  const auto read = decode_watch(message.SerializeAsString());
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->created && read->cancelled);
  EXPECT_EQ(read->cancel_reason, "why");
  EXPECT_EQ(read->compact_revision, Revision(9));
  ASSERT_EQ(read->events.size(), 2U);
  EXPECT_FALSE(read->events[0].deleted);
  EXPECT_TRUE(read->events[1].deleted);
  EXPECT_EQ(read->events[1].kv.mod_revision, Revision(12));
}

TEST(Messages, GarbageIsAnErrorOrAnEmptyAnswerButNeverACrash) {
  const std::vector<wire::Request> requests{
      wire::RangeRequest{},        wire::TxnRequest{},        wire::GrantRequest{},
      wire::RevokeRequest{},       wire::KeepAliveRequest{},  wire::TimeToLiveRequest{},
      wire::AuthenticateRequest{}, wire::MemberListRequest{}, wire::StatusRequest{}};
  EXPECT_FALSE(decode_answer(wire::RangeRequest{}, "\xff\xff\xff\xff"));
  EXPECT_FALSE(decode_watch("\xff\xff\xff\xff"));
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random());
    static_cast<void>(decode_answer(requests[random() % requests.size()], bytes));
    static_cast<void>(decode_watch(bytes));
  }
}

TEST(Messages, AnEndlesslyNestedTransactionIsRefused) {
  etcdserverpb::TxnResponse message;
  auto* at = &message;
  for (int i = 0; i < 2000; ++i) at = at->add_responses()->mutable_response_txn();
  EXPECT_FALSE(decode_answer(wire::TxnRequest{}, message.SerializeAsString()));
}

}  // namespace

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// KeepLock: what proves a renewal, what refutes it, and what does neither.
#include "store/etcd3_renewal.h"

#include <gtest/gtest.h>

#include "store/test_world.h"

namespace tanist::store {

namespace {

using test::Fate;
using test::is;
using test::World;

const std::string leader_key = "/service/demo/leader";

// The transactions that were sent since the world last forgot.
std::vector<wire::TxnRequest> proofs(const World& world) {
  std::vector<wire::TxnRequest> found;
  for (const auto& rpc : world.sent) {
    if (const auto* txn = std::get_if<wire::TxnRequest>(&rpc.request)) found.push_back(*txn);
  }
  return found;
}

Instant sent_first(const World& world, bool (*which)(const SendRpc&)) {
  for (std::size_t i = 0; i < world.sent.size(); ++i) {
    if (which(world.sent[i])) return world.sent_at[i];
  }
  return Instant();
}

TEST(KeepLock, IsProvenByAKeepaliveAndThenATransactionAtTheSameEndpoint) {
  World world({"e1", "e2", "e3"});
  const auto reign = world.hold_lock();
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_EQ(kept.reign, reign);
  EXPECT_EQ(kept.lease, reign.lease);
  ASSERT_EQ(world.sent.size(), 2U);
  EXPECT_TRUE(is<wire::KeepAliveRequest>(world.sent[0]));
  EXPECT_TRUE(is<wire::TxnRequest>(world.sent[1]));
  EXPECT_EQ(world.sent[0].endpoint, world.sent[1].endpoint);
}

TEST(KeepLock, CountsTheLeaseFromTheSendTimeOfTheKeepaliveWithTheTtlInItsAnswer) {
  World world;
  const auto reign = world.hold_lock(seconds(30));
  world.fate = [](const SendRpc&) { return Fate::late(milliseconds(300)); };
  const auto sent_at = world.now();
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.lease_until, sent_at + seconds(30));
}

TEST(KeepLock, ComparesValueLeaseAndCreateRevisionAndNeverSendsAnEmptyTransaction) {
  World world;
  const auto reign = world.hold_lock();
  world.perform(KeepLock{.reign = reign, .status = {}});
  world.perform(KeepLock{.reign = reign, .status = "{}"});
  using Target = wire::Compare::Target;
  const std::vector<wire::Compare> expected{
      {Target::value, leader_key, 0, "n1"},
      {Target::lease, leader_key, reign.lease.value(), {}},
      {Target::create_revision, leader_key, reign.create_revision.value(), {}}};
  ASSERT_EQ(proofs(world).size(), 2U);
  const std::vector<wire::Operation> read{{wire::RangeRequest{leader_key, {}}}};
  const std::vector<wire::Operation> put{
      {wire::PutRequest{"/service/demo/status", "{}", LeaseId()}}};
  EXPECT_EQ(proofs(world)[0], (wire::TxnRequest{expected, read, read}));
  EXPECT_EQ(proofs(world)[1], (wire::TxnRequest{expected, put, read}));
}

TEST(KeepLock, ShowsTheWrittenStatusInTheViewAtOnce) {
  World world;
  const auto reign = world.hold_lock();
  world.watch_delivers = false;
  world.perform(KeepLock{.reign = reign, .status = R"({"optime":4711})"});
  EXPECT_EQ(world.view().optime(), Lsn(4711));
}

TEST(KeepLock, Trap152AKeepaliveOfAnotherRaftTermThanTheTransactionProvesNothing) {
  World world;
  const auto reign = world.hold_lock();
  bool first = true;
  world.fate = [&](const SendRpc& rpc) {
    if (is<wire::TxnRequest>(rpc) && std::exchange(first, false)) ++world.etcd.term;
    return Fate{};
  };
  const auto started_at = world.now();
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_EQ(world.count<wire::KeepAliveRequest>(), 2);
  EXPECT_GT(kept.lease_until, started_at + seconds(30)) << "only the second keepalive counts";
}

TEST(KeepLock, Trap150TtlZeroIsARefusalAtOnce) {
  World world({"e1", "e2", "e3"});
  const auto reign = world.hold_lock();
  world.watch_delivers = false;
  world.etcd.revoke(reign.lease);
  const auto started_at = world.now();
  const auto id = world.start(KeepLock{.reign = reign, .status = {}});
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::refused);
  EXPECT_TRUE(world.results[id].lease_gone);
  EXPECT_FALSE(world.results[id].holder);
  EXPECT_EQ(world.finished_at[id], started_at + milliseconds(2));
  EXPECT_EQ(proofs(world).size(), 0U);
}

TEST(KeepLock, Trap150RequestedLeaseNotFoundIsTheSame) {
  World world;
  const auto reign = world.hold_lock();
  world.fate = [](const SendRpc&) {
    return Fate::failed(wire::Code::not_found, "etcdserver: requested lease not found");
  };
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::refused);
  EXPECT_TRUE(kept.lease_gone);
}

TEST(KeepLock, AnEtcdThatLostItsDataSaysNothingAboutTheLease) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  world.etcd.lose_all_data();
  const auto id = world.start(KeepLock{.reign = reign, .status = {}}, seconds(20));
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown);
  EXPECT_TRUE(world.view().locked());
}

TEST(KeepLock, AMemberThatLagsIsAskedForWhatAQuorumKnows) {
  World world;
  const auto reign = world.hold_lock();
  world.watch_delivers = false;
  world.etcd.revoke(reign.lease);
  world.fate = [&](const SendRpc& rpc) {
    if (!is<wire::KeepAliveRequest>(rpc)) return Fate{};
    auto lagging = world.etcd.header();
    lagging.revision = Revision(1);
    return Fate::answered_with(wire::KeepAliveAnswer{lagging, reign.lease, 0});
  };
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::refused);
  EXPECT_TRUE(kept.lease_gone);
}

TEST(KeepLock, ALeaseIsGoneWhenNoQuorumContradictsInTheTimeOfAnAttempt) {
  World world;
  const auto reign = world.hold_lock();
  world.etcd.lose_all_data();
  world.fate = [](const SendRpc& rpc) {
    return is<wire::KeepAliveRequest>(rpc) ? Fate{} : Fate::dropped();
  };
  const auto started_at = world.now();
  const auto id = world.start(KeepLock{.reign = reign, .status = {}});
  world.run_until_finished(id);
  EXPECT_TRUE(world.results[id].lease_gone);
  EXPECT_LE(world.finished_at[id], started_at + milliseconds(510));
}

TEST(KeepLock, Trap151ADeletedKeyUnderALivingLeaseIsRefused) {
  World world;
  const auto reign = world.hold_lock();
  world.etcd.erase(leader_key);
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::refused);
  EXPECT_FALSE(kept.lease_gone);
  EXPECT_FALSE(kept.holder);
}

TEST(KeepLock, Trap151TheOwnNameOnAnotherLeaseIsRefused) {
  World world;
  const auto reign = world.hold_lock();
  world.etcd.put(leader_key, "n1", world.etcd.grant(seconds(30)));
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::refused);
  ASSERT_TRUE(kept.holder);
  EXPECT_NE(kept.holder->lease, reign.lease);
}

TEST(KeepLock, NamesTheOtherHolder) {
  World world;
  const auto reign = world.hold_lock();
  world.etcd.erase(leader_key);
  world.etcd.put(leader_key, "n2");
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::refused);
  ASSERT_TRUE(kept.holder);
  EXPECT_EQ(kept.holder->name, MemberName("n2"));
}

TEST(KeepLock, Trap6NoErrorIsARefusalWhateverItSays) {
  const std::vector<std::pair<wire::Code, std::string>> errors{
      {wire::Code::permission_denied, "etcdserver: permission denied"},
      {wire::Code::unavailable, "etcdserver: no leader"},
      {wire::Code::unavailable, "etcdserver: leader changed"},
      {wire::Code::unknown, "etcdserver: not a primary lessor"},
      {wire::Code::failed_precondition, "something new"},
      {wire::Code::invalid_argument, "etcdserver: duplicate key given in txn request"},
      {wire::Code::internal, "an answer of etcd cannot be read"},
      {wire::Code::resource_exhausted, "etcdserver: too many requests"}};
  for (const auto& error : errors) {
    const auto& text = error.second;
    for (const bool of_keepalive : {true, false}) {
      World world({"e1", "e2"});
      const auto reign = world.hold_lock();
      world.fate = [&](const SendRpc& rpc) {
        const bool fails = is<wire::KeepAliveRequest>(rpc) == of_keepalive;
        return fails ? Fate::failed(error.first, text) : Fate{};
      };
      const auto id = world.start(KeepLock{.reign = reign, .status = {}}, seconds(5));
      const auto until = world.now() + seconds(5);
      world.run_until_finished(id);
      EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown) << text;
      EXPECT_EQ(world.finished_at[id], until) << text << ": gave up early";
      EXPECT_GT(world.count<wire::KeepAliveRequest>("e2"), 1) << text;
    }
  }
}

TEST(KeepLock, ASuccessAfterErrorsIsASuccess) {
  World world;
  const auto reign = world.hold_lock();
  int failures = 3;
  world.fate = [&](const SendRpc&) { return failures-- > 0 ? Fate::unavailable() : Fate{}; };
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
}

TEST(KeepLock, AsksTheNextEndpointAfterHalfASecondAndClosesTheOldStream) {
  World world({"e1", "e2", "e3"});
  const auto reign = world.hold_lock();
  world.silent = {"e1"};
  const auto started_at = world.now();
  const auto id = world.start(KeepLock{.reign = reign, .status = {}});
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::done);
  EXPECT_EQ(world.finished_at[id], started_at + milliseconds(504));
  EXPECT_EQ(world.results[id].lease_until, started_at + milliseconds(500) + seconds(30));
  EXPECT_TRUE(world.cancelled.contains(world.sent[0].id));
}

TEST(KeepLock, AnAttemptTakesASixthOfAShortTtl) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock(seconds(2));
  world.silent = {"e1"};
  const auto started_at = world.now();
  const auto id = world.start(KeepLock{.reign = reign, .status = {}}, seconds(2));
  world.run_until_finished(id);
  EXPECT_EQ(world.unanswered_at[id], started_at + Duration(seconds(2)) / 6);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::done) << world.results[id].detail;
}

TEST(KeepLock, SaysOnceThatTheFirstAttemptWentUnanswered) {
  World world({"e1", "e2", "e3"});
  const auto reign = world.hold_lock();
  world.silent = {"e1", "e2", "e3"};
  const auto started_at = world.now();
  const auto id = world.start(KeepLock{.reign = reign, .status = {}}, seconds(8));
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown);
  EXPECT_EQ(world.unanswered, std::vector{id});
  EXPECT_EQ(world.unanswered_at[id], started_at + milliseconds(500));
}

TEST(KeepLock, SaysUnansweredAlsoWhenEveryEndpointRefusesAtOnce) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  world.fate = [](const SendRpc&) { return Fate::unavailable(); };
  const auto started_at = world.now();
  const auto id = world.start(KeepLock{.reign = reign, .status = {}}, seconds(3));
  world.run_until_finished(id);
  EXPECT_EQ(world.unanswered_at[id], started_at + milliseconds(500));
}

TEST(KeepLock, IsNotUnansweredWhenTheFirstAttemptProvesIt) {
  World world;
  const auto reign = world.hold_lock();
  world.perform(KeepLock{.reign = reign, .status = {}});
  world.run_for(seconds(5));
  EXPECT_TRUE(world.unanswered.empty());
}

TEST(KeepLock, WaitsForASlowTransactionWhileTheNextEndpointIsAsked) {
  World world({"e1", "e2", "e3"});
  const auto reign = world.hold_lock();
  world.fate = [](const SendRpc& rpc) {
    return is<wire::TxnRequest>(rpc) ? Fate::late(milliseconds(1400)) : Fate{};
  };
  const auto started_at = world.now();
  const auto id = world.start(KeepLock{.reign = reign, .status = {}});
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::done);
  EXPECT_EQ(world.finished_at[id], started_at + milliseconds(1402));
  EXPECT_EQ(world.results[id].lease_until, started_at + seconds(30)) << "its own keepalive's time";
  EXPECT_GE(world.count<wire::KeepAliveRequest>(), 3);
}

TEST(KeepLock, AttemptsDoNotMultiplyWhileEtcdDoesNotCommit) {
  World world({"e1", "e2", "e3"});
  const auto reign = world.hold_lock();
  world.fate = [](const SendRpc& rpc) {
    return is<wire::TxnRequest>(rpc) ? Fate::dropped() : Fate{};
  };
  const auto id = world.start(KeepLock{.reign = reign, .status = {}}, seconds(20));
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown);
  EXPECT_LE(world.count<wire::KeepAliveRequest>(), 41) << "one every half second";
}

TEST(KeepLock, AKeepaliveAnsweredAfterItsOwnTtlProvesNothing) {
  World world;
  const auto reign = world.hold_lock(seconds(2));
  world.fate = [&](const SendRpc& rpc) {
    // Answered in time by the machine's clock, but with a ttl that is already over.
    if (!is<wire::KeepAliveRequest>(rpc)) return Fate{};
    auto fate = Fate::answered_with(wire::KeepAliveAnswer{world.etcd.header(), reign.lease, 1});
    fate.delay = milliseconds(300);
    return fate;
  };
  world.fate = [&, inner = world.fate](const SendRpc& rpc) {
    return is<wire::TxnRequest>(rpc) ? Fate::late(milliseconds(800)) : inner(rpc);
  };
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}}, seconds(2));
  EXPECT_EQ(kept.verdict, StoreVerdict::unknown);
}

TEST(KeepLock, Trap154AnAnswerOfAnOlderTermIsNotEvenARefusal) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  world.fate = [&](const SendRpc& rpc) {
    auto header = world.etcd.header();
    header.raft_term -= 1;
    return rpc.endpoint == "e1:2379" && is<wire::KeepAliveRequest>(rpc)
               ? Fate::answered_with(wire::KeepAliveAnswer{header, reign.lease, 0})
               : Fate{};
  };
  const auto kept = world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_EQ(world.sent.back().endpoint, "e2:2379");
}

TEST(KeepLock, Trap159UnderNospaceTheLockIsKeptWithoutTheStatus) {
  World world;
  const auto reign = world.hold_lock();
  world.etcd.no_space = true;
  const auto kept = world.perform(KeepLock{.reign = reign, .status = R"({"optime":1})"});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_EQ(kept.detail, "status was not written");
  EXPECT_TRUE(world.warned("NOSPACE"));
}

TEST(KeepLock, Trap163AStatusThatEtcdFindsTooLargeDoesNotCostTheLock) {
  World world;
  const auto reign = world.hold_lock();
  world.fate = [](const SendRpc& rpc) {
    const auto* txn = std::get_if<wire::TxnRequest>(&rpc.request);
    const bool writes =
        txn != nullptr && std::holds_alternative<wire::PutRequest>(txn->success[0].content);
    return writes ? Fate::failed(wire::Code::invalid_argument, "etcdserver: request is too large")
                  : Fate{};
  };
  const auto kept = world.perform(KeepLock{.reign = reign, .status = R"({"optime":1})"});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
}

TEST(KeepLock, Trap163AnEnormousStatusIsNotEvenSent) {
  World world;
  const auto reign = world.hold_lock();
  const auto kept =
      world.perform(KeepLock{.reign = reign, .status = std::string(value_bytes_max + 1, 'x')});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_TRUE(world.warned("too large"));
}

TEST(KeepLock, AdoptsTheReignOfAnEarlierProcess) {
  World before;
  const auto reign = before.hold_lock();
  World after;
  after.etcd = before.etcd;
  after.run_for(milliseconds(10));
  const auto kept = after.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
  const auto put = after.perform(PutMember{"{}"});
  EXPECT_EQ(put.verdict, StoreVerdict::done) << "the adopted lease is this node's lease now";
  EXPECT_EQ(after.etcd.keys["/service/demo/members/n1"].lease, reign.lease);
}

TEST(KeepLock, CanBeCancelled) {
  World world;
  const auto reign = world.hold_lock();
  world.silent = {"e1"};
  const auto id = world.start(KeepLock{.reign = reign, .status = {}});
  world.step(CancelAction{id});
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown);
  EXPECT_TRUE(world.cancelled.contains(world.sent[0].id));
  world.run_for(seconds(20));
  EXPECT_TRUE(world.unanswered.empty());
}

TEST(KeepLock, StartsWhereTheLastAnswerCameFrom) {
  World world({"e1", "e2", "e3"});
  const auto reign = world.hold_lock();
  world.silent = {"e1"};
  world.perform(KeepLock{.reign = reign, .status = {}});
  world.forget_traffic();
  world.perform(KeepLock{.reign = reign, .status = {}});
  EXPECT_EQ(world.sent[0].endpoint, "e2:2379");
  EXPECT_EQ(sent_first(world, is<wire::KeepAliveRequest>), world.sent_at[0]);
}

}  // namespace

}  // namespace tanist::store

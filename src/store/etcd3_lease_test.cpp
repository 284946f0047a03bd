// SPDX-License-Identifier: Apache-2.0
// KeepLease and AskLease.
#include "store/etcd3_lease.h"

#include <gtest/gtest.h>

#include "store/test_world.h"

namespace tanist::store {

namespace {

using test::Fate;
using test::is;
using test::World;

// ---- KeepLease -------------------------------------------------------------------------------

TEST(KeepLease, GrantsALeaseWhenThereIsNone) {
  World world;
  const auto sent_at = world.now();
  const auto kept = world.perform(KeepLease{seconds(30)});
  ASSERT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_TRUE(world.etcd.has_lease(kept.lease));
  EXPECT_EQ(kept.lease_until, sent_at + seconds(30));
}

TEST(KeepLease, KeepsTheSameLeaseAliveAfterwards) {
  World world;
  const auto lease = world.perform(KeepLease{seconds(30)}).lease;
  world.run_for(seconds(5));
  const auto sent_at = world.now();
  const auto kept = world.perform(KeepLease{seconds(30)});
  EXPECT_EQ(kept.lease, lease);
  EXPECT_EQ(kept.lease_until, sent_at + seconds(30));
  EXPECT_FALSE(kept.lease_gone);
}

TEST(KeepLease, Trap150TtlZeroMeansThatTheLeaseIsGone) {
  World world;
  const auto lease = world.perform(KeepLease{seconds(30)}).lease;
  world.etcd.revoke(lease);
  const auto kept = world.perform(KeepLease{seconds(30)});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_NE(kept.lease, lease);
  EXPECT_TRUE(kept.lease_gone) << "the member key went with the old one";
}

TEST(KeepLease, GrantsANewLeaseWhenTheTtlChanges) {
  World world;
  const auto lease = world.perform(KeepLease{seconds(30)}).lease;
  const auto kept = world.perform(KeepLease{seconds(60)});
  EXPECT_NE(kept.lease, lease);
  EXPECT_TRUE(world.etcd.has_lease(lease)) << "the old one is left to expire";
}

TEST(KeepLease, Trap161CountsWithTheGrantedTtlAndDoesNotGrantForEver) {
  World world;
  world.etcd.ttl_min = 15;
  const auto sent_at = world.now();
  const auto first = world.perform(KeepLease{seconds(3)});
  EXPECT_EQ(first.lease_until, sent_at + seconds(15));
  EXPECT_EQ(world.perform(KeepLease{seconds(3)}).lease, first.lease);
}

TEST(KeepLease, Trap159GrantsAreRefusedUnderNospaceAndThatSurfaces) {
  World world;
  world.etcd.no_space = true;
  const auto kept = world.perform(KeepLease{seconds(30)}, seconds(3));
  EXPECT_EQ(kept.verdict, StoreVerdict::unknown);
  EXPECT_TRUE(world.warned("NOSPACE"));
}

TEST(KeepLease, Trap10ADeadEndpointCostsHalfASecond) {
  World world({"e1", "e2", "e3"});
  world.perform(KeepLease{seconds(30)});
  world.silent = {"e1"};
  const auto started_at = world.now();
  const auto id = world.start(KeepLease{seconds(30)});
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::done);
  EXPECT_EQ(world.finished_at[id], started_at + milliseconds(502));
}

TEST(KeepLease, ASlowEtcdGetsMoreTimeInEachRound) {
  World world({"e1", "e2"});
  world.fate = [](const SendRpc&) { return Fate::late(milliseconds(800)); };
  EXPECT_EQ(world.perform(KeepLease{seconds(30)}).verdict, StoreVerdict::done);
}

TEST(KeepLease, UsesAllOfItsTimeBeforeGivingUp) {
  World world({"e1", "e2", "e3"});
  world.fate = [](const SendRpc&) { return Fate::unavailable(); };
  const auto id = world.start(KeepLease{seconds(30)}, seconds(7));
  const auto until = world.now() + seconds(7);
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown);
  EXPECT_EQ(world.finished_at[id], until);
}

TEST(KeepLease, AnAnswerAfterItsOwnTtlIsAskedForAgain) {
  World world;
  const auto lease = world.perform(KeepLease{seconds(30)}).lease;
  bool first = true;
  world.fate = [&](const SendRpc& rpc) {
    if (!is<wire::KeepAliveRequest>(rpc) || !std::exchange(first, false)) return Fate{};
    auto fate = Fate::answered_with(wire::KeepAliveAnswer{world.etcd.header(), lease, 1});
    fate.delay = milliseconds(1100);
    return fate;
  };
  world.silent = {};
  const auto kept = world.perform(KeepLease{seconds(30)});
  EXPECT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_GT(kept.lease_until, world.now());
}

// ---- AskLease --------------------------------------------------------------------------------

TEST(AskLease, ALeaseThatLivesIsRefused) {
  World world;
  const auto lease = world.etcd.grant(seconds(30));
  EXPECT_EQ(world.perform(AskLease{lease}).verdict, StoreVerdict::refused);
}

TEST(AskLease, ALeaseThatIsGoneIsDone) {
  World world;
  const auto answer = world.perform(AskLease{LeaseId(4711)});
  EXPECT_EQ(answer.verdict, StoreVerdict::done);
  EXPECT_TRUE(answer.lease_gone);
}

TEST(AskLease, ALeasePastItsTimeThatWasNotRevokedYetStillLives) {
  World world;
  const auto lease = world.etcd.grant(seconds(30));
  world.etcd.let_run_out(lease);
  EXPECT_EQ(world.perform(AskLease{lease}).verdict, StoreVerdict::refused);
}

TEST(AskLease, AsksAMemberThatHasJustReadLinearizably) {
  World world({"e1", "e2", "e3"});
  world.run_for(milliseconds(10));
  world.forget_traffic();
  world.perform(AskLease{LeaseId(4711)});
  ASSERT_EQ(world.sent.size(), 2U);
  EXPECT_TRUE(is<wire::RangeRequest>(world.sent[0]));
  EXPECT_TRUE(is<wire::TimeToLiveRequest>(world.sent[1]));
  EXPECT_EQ(world.sent[0].endpoint, world.sent[1].endpoint);
}

TEST(AskLease, Trap152AnAnswerOfAnotherTermThanThatReadIsAskedForAgain) {
  World world;
  world.run_for(milliseconds(10));
  bool first = true;
  world.fate = [&](const SendRpc& rpc) {
    if (is<wire::TimeToLiveRequest>(rpc) && std::exchange(first, false)) ++world.etcd.term;
    return Fate{};
  };
  EXPECT_EQ(world.perform(AskLease{LeaseId(4711)}).verdict, StoreVerdict::done);
  EXPECT_EQ(world.count<wire::TimeToLiveRequest>(), 2);
}

TEST(AskLease, IsUnknownWhileNobodyAnswers) {
  World world;
  world.silent = {"e1"};
  EXPECT_EQ(world.perform(AskLease{LeaseId(4711)}, seconds(3)).verdict, StoreVerdict::unknown);
}

TEST(AskLease, ALeaselessErrorOfAnOldServerMeansGone) {
  World world;
  world.fate = [](const SendRpc& rpc) {
    return is<wire::TimeToLiveRequest>(rpc)
               ? Fate::failed(wire::Code::not_found, "etcdserver: requested lease not found")
               : Fate{};
  };
  EXPECT_EQ(world.perform(AskLease{LeaseId(4711)}).verdict, StoreVerdict::done);
}

}  // namespace

}  // namespace tanist::store

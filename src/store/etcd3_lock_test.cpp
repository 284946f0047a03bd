// SPDX-License-Identifier: Apache-2.0
// TakeLock and ReattachLock: what is compared, and what becomes of outcomes that nobody knows.
#include "store/etcd3_lock.h"

#include <gtest/gtest.h>

#include "store/test_world.h"

namespace tanist::store {

namespace {

using test::Fate;
using test::is;
using test::World;

const std::string leader_key = "/service/demo/leader";
const std::string member_key = "/service/demo/members/n1";

// Loses the answers of the first `times` transactions after they were performed.
std::function<Fate(const SendRpc&)> losing_txn_answers(int times) {
  return [times](const SendRpc& rpc) mutable {
    return is<wire::TxnRequest>(rpc) && times-- > 0 ? Fate::lost_answer() : Fate{};
  };
}

bool takes_the_lock(const SendRpc& rpc) {
  const auto* txn = std::get_if<wire::TxnRequest>(&rpc.request);
  if (txn == nullptr || txn->success.empty()) return false;
  const auto* put = std::get_if<wire::PutRequest>(&txn->success.front().content);
  return put != nullptr && put->key == leader_key;
}

int takings(const World& world) {
  return static_cast<int>(std::ranges::count_if(world.sent, takes_the_lock));
}

// ---- TakeLock --------------------------------------------------------------------------------

TEST(TakeLock, CreatesTheKeyOnTheOwnLeaseAndKnowsItsReign) {
  World world;
  const auto sent_at = world.now();
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  ASSERT_EQ(taken.verdict, StoreVerdict::done);
  const auto& key = world.etcd.keys.at(leader_key);
  EXPECT_EQ(key.value, "n1");
  EXPECT_EQ(taken.reign, (Reign{key.lease, key.create_revision}));
  EXPECT_EQ(taken.lease_until, sent_at + seconds(30));
  EXPECT_TRUE(world.view().locked_by(MemberName("n1")));
}

// What the loop gives for taking back a lock that vanished (safety 1.4).
TEST(TakeLock, IsPossibleInAFewHundredMilliseconds) {
  World world;
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)}, milliseconds(300));
  EXPECT_EQ(taken.verdict, StoreVerdict::done) << taken.detail;
}

TEST(TakeLock, ComparesTheAbsenceOfTheLockAndEveryExpectedKeyInOneTransaction) {
  World world;
  world.etcd.put("/service/demo/sync", "{}");
  const auto sync = world.etcd.revision;
  world.perform(TakeLock{.ttl = seconds(30),
                         .expect = {{StoreKey::sync, sync}, {StoreKey::failover, Revision(0)}}});
  const auto rpc = std::ranges::find_if(world.sent, takes_the_lock);
  ASSERT_NE(rpc, world.sent.end());
  using Target = wire::Compare::Target;
  const std::vector<wire::Compare> expected{
      {Target::mod_revision, "/service/demo/sync", sync.value(), {}},
      {Target::mod_revision, "/service/demo/failover", 0, {}},
      {Target::create_revision, leader_key, 0, {}}};
  EXPECT_EQ(std::get<wire::TxnRequest>(rpc->request).compare, expected);
}

TEST(TakeLock, MakesTheIdentityLastingInTheSameTransaction) {  // safety 1.8
  World world;
  const auto taken = world.perform(
      TakeLock{.ttl = seconds(30), .expect = {}, .identity = SystemId("7000000000000000001")});
  ASSERT_EQ(taken.verdict, StoreVerdict::done);
  const auto& identity = world.etcd.keys.at("/service/demo/initialize");
  EXPECT_EQ(identity.value, "7000000000000000001");
  EXPECT_EQ(identity.lease, LeaseId(0));
  EXPECT_EQ(identity.mod_revision, world.etcd.keys.at(leader_key).create_revision);
  const auto& shown = world.view().initialize;
  ASSERT_TRUE(shown) << "as soon as the lock";
  EXPECT_EQ(shown->system_id.value(), identity.value);
  EXPECT_EQ(shown->lease, LeaseId(0));
}

TEST(TakeLock, WritesTheMembersKeyInTheSameTransaction) {  // decision 0004
  World world;
  const auto taken = world.perform(TakeLock{
      .ttl = seconds(30), .expect = {}, .identity = {}, .member = R"({"state":"running"})"});
  ASSERT_EQ(taken.verdict, StoreVerdict::done);
  const auto& lock = world.etcd.keys.at(leader_key);
  const auto& member = world.etcd.keys.at(member_key);
  EXPECT_EQ(member.value, R"({"state":"running"})");
  EXPECT_EQ(member.lease, lock.lease);
  EXPECT_EQ(member.mod_revision, lock.create_revision);
  EXPECT_NE(world.view().member(MemberName("n1")), nullptr) << "as soon as the lock";
}

// The second attempt was decided on before the first lock was taken, which is gone again.
TEST(TakeLock, FailsWhenAnotherReignCameAndWentSinceItWasDecided) {  // seed 9306918
  const std::string status_key = "/service/demo/status";
  World world;
  world.etcd.put(status_key, R"({"optime":7,"slots":{"x":5}})");
  world.run_for(milliseconds(10));
  const TakeLock decided{.ttl = seconds(30), .expect = {{StoreKey::status, world.etcd.revision}}};
  const auto first = world.perform(decided);
  ASSERT_EQ(first.verdict, StoreVerdict::done);
  const auto& status = world.etcd.keys.at(status_key);
  EXPECT_EQ(status.value, R"({"optime":7,"slots":{"x":5}})");
  EXPECT_EQ(status.mod_revision, first.revision);
  EXPECT_EQ(world.view().status->revision, first.revision) << "as soon as the lock";
  world.etcd.erase(leader_key);
  world.run_for(milliseconds(10));
  EXPECT_EQ(world.perform(decided).verdict, StoreVerdict::refused);
}

TEST(TakeLock, LeavesTheIdentityAloneWhenItIsRefused) {
  World world;
  world.etcd.put("/service/demo/initialize", "other");
  const auto taken = world.perform(TakeLock{.ttl = seconds(30),
                                            .expect = {{StoreKey::initialize, Revision(0)}},
                                            .identity = SystemId("7000000000000000001")});
  EXPECT_EQ(taken.verdict, StoreVerdict::refused);
  EXPECT_EQ(world.etcd.keys.at("/service/demo/initialize").value, "other");
}

TEST(TakeLock, IsRefusedWithTheHolderWhenAnotherOneHasIt) {
  World world;
  world.etcd.put(leader_key, "n2");
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::refused);
  ASSERT_TRUE(taken.holder);
  EXPECT_EQ(taken.holder->name, MemberName("n2"));
}

TEST(TakeLock, IsRefusedWithoutAHolderWhenAnExpectedKeyHasChanged) {
  World world;
  world.etcd.put("/service/demo/sync", "{}");
  const auto taken =
      world.perform(TakeLock{.ttl = seconds(30), .expect = {{StoreKey::sync, Revision(1)}}});
  EXPECT_EQ(taken.verdict, StoreVerdict::refused);
  EXPECT_FALSE(taken.holder);
  EXPECT_FALSE(world.etcd.keys.contains(leader_key));
}

TEST(TakeLock, IsNotTriedWhenTheLeaseTookAllButASecond) {
  World world;
  world.fate = [](const SendRpc& rpc) {
    return is<wire::GrantRequest>(rpc) ? Fate::late(milliseconds(1450)) : Fate{};
  };
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)}, milliseconds(2400));
  EXPECT_EQ(taken.verdict, StoreVerdict::unknown);
  EXPECT_EQ(takings(world), 0);
}

// Of little time in all, half is for the transaction and for reading back.
TEST(TakeLock, IsNotTriedWhenTheLeaseTookMoreThanHalfOfALittleTime) {
  World world;
  world.fate = [](const SendRpc& rpc) {
    return is<wire::GrantRequest>(rpc) ? Fate::late(milliseconds(200)) : Fate{};
  };
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)}, milliseconds(300));
  EXPECT_EQ(taken.verdict, StoreVerdict::unknown);
  EXPECT_EQ(takings(world), 0);
}

TEST(TakeLock, Trap8AndTrap156WhatWasTakenWithoutAnAnswerIsGivenBack) {
  World world({"e1", "e2", "e3"});
  world.fate = losing_txn_answers(1);
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::unknown);
  EXPECT_FALSE(taken.reign);
  EXPECT_FALSE(world.etcd.keys.contains(leader_key));
  EXPECT_EQ(takings(world), 1) << "never repeated blindly";
}

TEST(TakeLock, AnAmbiguousOutcomeThatShowsNothingStaysUnknown) {
  World world({"e1", "e2"});
  world.fate = [](const SendRpc& rpc) { return takes_the_lock(rpc) ? Fate::dropped() : Fate{}; };
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::unknown);
  EXPECT_FALSE(taken.holder);
  EXPECT_EQ(takings(world), 1);
}

TEST(TakeLock, AnAmbiguousOutcomeNamesTheHolderButMayStillHappen) {
  World world({"e1", "e2"});
  world.fate = [&](const SendRpc& rpc) {
    if (!takes_the_lock(rpc)) return Fate{};
    world.etcd.put(leader_key, "n2");
    return Fate::dropped();
  };
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::unknown);
  ASSERT_TRUE(taken.holder);
  EXPECT_EQ(taken.holder->name, MemberName("n2"));
}

TEST(TakeLock, WhatIsTakenInAnotherRaftTermThanTheLeaseIsGivenBack) {
  World world;
  world.fate = [&](const SendRpc& rpc) {
    if (takes_the_lock(rpc)) ++world.etcd.term;
    return Fate{};
  };
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::unknown);
  EXPECT_FALSE(world.etcd.keys.contains(leader_key));
}

TEST(TakeLock, IsTriedAgainOnANewLeaseWhenTheOldOneVanishedInBetween) {
  World world;
  world.perform(KeepLease{seconds(30)});
  bool first = true;
  world.fate = [&](const SendRpc& rpc) {
    if (takes_the_lock(rpc) && std::exchange(first, false)) {
      const auto& put = std::get<wire::PutRequest>(
          std::get<wire::TxnRequest>(rpc.request).success.front().content);
      world.etcd.revoke(put.lease);
    }
    return Fate{};
  };
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::done);
  EXPECT_TRUE(world.etcd.has_lease(taken.lease));
}

TEST(TakeLock, GoesToAnotherEndpointWhenItWasCertainlyNotDone) {
  World world({"e1", "e2"});
  world.fate = [](const SendRpc& rpc) {
    return takes_the_lock(rpc) && rpc.endpoint == "e1:2379"
               ? Fate::failed(wire::Code::unavailable, "etcdserver: no leader")
               : Fate{};
  };
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::done);
}

TEST(TakeLock, Trap161CountsTheTtlThatEtcdGranted) {
  World world;
  world.etcd.ttl_min = 9;
  const auto sent_at = world.now();
  const auto taken = world.perform(TakeLock{.ttl = seconds(3)});
  EXPECT_EQ(taken.lease_until, sent_at + seconds(9));
}

TEST(TakeLock, Trap150AnExpiredLeaseIsReplacedNotUsed) {
  World world;
  const auto lease = world.perform(KeepLease{seconds(30)}).lease;
  world.etcd.revoke(lease);
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::done);
  EXPECT_NE(taken.lease, lease);
}

TEST(TakeLock, IsRefusedWithoutPermission) {
  World world;
  world.fate = [](const SendRpc& rpc) {
    return takes_the_lock(rpc)
               ? Fate::failed(wire::Code::permission_denied, "etcdserver: permission denied")
               : Fate{};
  };
  const auto taken = world.perform(TakeLock{.ttl = seconds(30)});
  EXPECT_EQ(taken.verdict, StoreVerdict::refused);
  EXPECT_NE(taken.detail.find("permission denied"), std::string::npos);
}

TEST(TakeLock, GivingBackCancelledMidwayLeavesTheLockToReleaseStrayLock) {
  World world({"e1", "e2"});
  world.fate = losing_txn_answers(2);
  const auto id = world.start(TakeLock{.ttl = seconds(30)});
  world.run_for(milliseconds(100));
  world.step(CancelAction{id});
  world.run_for(seconds(1));
  ASSERT_TRUE(world.view().locked_by(MemberName("n1")));
  world.perform(ReleaseStrayLock{world.view().leader->create_revision});
  EXPECT_FALSE(world.etcd.keys.contains(leader_key));
}

// ---- ReattachLock ----------------------------------------------------------------------------

TEST(ReattachLock, MovesLockAndMemberToANewLeaseWithTheSameCreateRevision) {
  World world;
  const auto reign = world.hold_lock(seconds(30));
  const auto sent_at = world.now();
  const auto moved = world.perform(
      ReattachLock{.reign = reign, .ttl = seconds(60), .member = R"({"role":"primary"})"});
  ASSERT_EQ(moved.verdict, StoreVerdict::done);
  ASSERT_TRUE(moved.reign);
  EXPECT_NE(moved.reign->lease, reign.lease);
  EXPECT_EQ(moved.reign->create_revision, reign.create_revision);
  EXPECT_EQ(moved.lease_until, sent_at + seconds(60));
  EXPECT_EQ(world.etcd.keys.at(leader_key).lease, moved.reign->lease);
  EXPECT_EQ(world.etcd.keys.at(member_key).lease, moved.reign->lease);
  EXPECT_EQ(world.perform(KeepLock{*moved.reign, {}}).verdict, StoreVerdict::done);
}

TEST(ReattachLock, IsRefusedWhenTheReignIsOver) {
  World world;
  const auto reign = world.hold_lock();
  world.etcd.erase(leader_key);
  world.etcd.put(leader_key, "n2");
  const auto moved = world.perform(ReattachLock{reign, seconds(60), "{}"});
  EXPECT_EQ(moved.verdict, StoreVerdict::refused);
  ASSERT_TRUE(moved.holder);
  EXPECT_EQ(moved.holder->name, MemberName("n2"));
}

TEST(ReattachLock, AMoveWhoseAnswerWasLostIsProvenByARenewal) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  world.fate = losing_txn_answers(1);
  const auto moved = world.perform(ReattachLock{reign, seconds(60), "{}"});
  ASSERT_EQ(moved.verdict, StoreVerdict::done);
  EXPECT_EQ(moved.reign->lease, world.etcd.keys.at(leader_key).lease);
  EXPECT_NE(moved.reign->lease, reign.lease);
  EXPECT_TRUE(moved.lease_until);
}

TEST(ReattachLock, AMoveThatDidNotHappenIsRepeatedAfterReadingBack) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  bool first = true;
  world.fate = [&](const SendRpc& rpc) {
    return takes_the_lock(rpc) && std::exchange(first, false) ? Fate::unavailable() : Fate{};
  };
  const auto moved = world.perform(ReattachLock{reign, seconds(60), "{}"});
  EXPECT_EQ(moved.verdict, StoreVerdict::done);
  EXPECT_EQ(takings(world), 2);
  EXPECT_GE(world.count<wire::RangeRequest>(), 1);
}

TEST(ReattachLock, AMoveInAnotherTermThanItsLeaseIsProvenByARenewal) {
  World world;
  const auto reign = world.hold_lock();
  world.fate = [&](const SendRpc& rpc) {
    if (takes_the_lock(rpc)) ++world.etcd.term;
    return Fate{};
  };
  const auto moved = world.perform(ReattachLock{reign, seconds(60), "{}"});
  EXPECT_EQ(moved.verdict, StoreVerdict::done);
  EXPECT_EQ(world.count<wire::KeepAliveRequest>(), 1);
}

TEST(ReattachLock, ALateMoveIsRecognisedByTheNextRenewalOfTheOldReign) {
  World world;
  const auto reign = world.hold_lock();
  std::optional<SendRpc> move;
  world.fate = [&](const SendRpc& rpc) {
    if (!takes_the_lock(rpc)) return Fate{};
    move = rpc;
    return Fate::dropped();
  };
  const auto moved = world.perform(ReattachLock{reign, seconds(60), "{}"}, seconds(2));
  EXPECT_EQ(moved.verdict, StoreVerdict::unknown);
  ASSERT_TRUE(move);
  static_cast<void>(world.etcd.perform(move->request, world.now()));  // etcd applies it after all
  world.fate = [](const SendRpc&) { return Fate{}; };
  const auto kept = world.perform(KeepLock{reign, {}});
  ASSERT_EQ(kept.verdict, StoreVerdict::done);
  EXPECT_EQ(kept.reign->create_revision, reign.create_revision);
  EXPECT_EQ(kept.reign->lease, world.etcd.keys.at(leader_key).lease);
}

TEST(ReattachLock, AnErrorIsNoRefusal) {
  World world;
  const auto reign = world.hold_lock();
  world.fate = [](const SendRpc& rpc) {
    return takes_the_lock(rpc)
               ? Fate::failed(wire::Code::not_found, "etcdserver: requested lease not found")
               : Fate{};
  };
  const auto moved = world.perform(ReattachLock{reign, seconds(60), "{}"});
  EXPECT_EQ(moved.verdict, StoreVerdict::unknown);
  EXPECT_FALSE(moved.lease_gone) << "the reign's lease lives";
}

}  // namespace

}  // namespace tanist::store

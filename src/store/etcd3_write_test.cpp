// SPDX-License-Identifier: Apache-2.0
// Commit, PutMember, ReleaseLock, ReleaseStrayLock and the removal of a cluster.
#include "store/etcd3_write.h"

#include <gtest/gtest.h>

#include "store/test_world.h"

namespace tanist::store {

namespace {

using test::Fate;
using test::is;
using test::World;

const std::string leader_key = "/service/demo/leader";
const std::string member_key = "/service/demo/members/n1";
const std::string sync_key = "/service/demo/sync";

Commit sync_commit(Revision expected, std::string value, std::optional<Reign> reign = {}) {
  return {.expect = {{StoreKey::sync, expected}},
          .writes = {{StoreKey::sync, std::move(value)}},
          .reign = reign};
}

// The first transaction meets `fate`, all else is answered.
void first_txn(World& world, Fate what) {
  world.fate = [what, first = true](const SendRpc& rpc) mutable {
    return is<wire::TxnRequest>(rpc) && std::exchange(first, false) ? what : Fate{};
  };
}

int writes(const World& world) {
  return static_cast<int>(std::ranges::count_if(world.sent, [](const SendRpc& rpc) {
    const auto* txn = std::get_if<wire::TxnRequest>(&rpc.request);
    return txn != nullptr && !txn->success.empty() &&
           !std::holds_alternative<wire::RangeRequest>(txn->success.front().content);
  }));
}

// ---- Commit ----------------------------------------------------------------------------------

TEST(Commit, WritesWhenTheRevisionsHoldAndAnswersWithTheNewOne) {
  World world;
  world.run_for(milliseconds(10));
  const auto created = world.perform(sync_commit(Revision(0), "{}"));
  ASSERT_EQ(created.verdict, StoreVerdict::done);
  EXPECT_EQ(created.revision, world.etcd.keys.at(sync_key).mod_revision);
  const auto changed = world.perform(sync_commit(created.revision, R"({"quorum":1})"));
  EXPECT_EQ(changed.verdict, StoreVerdict::done);
}

TEST(Commit, ShowsItsWritesInTheViewAtOnce) {
  World world;
  world.run_for(milliseconds(10));
  world.watch_delivers = false;
  world.perform({Commit{.writes = {{StoreKey::initialize, "7000000000000000001"},
                                   {StoreKey::config, R"({"ttl":30})"}}}});
  EXPECT_EQ(world.view().initialize->system_id, SystemId("7000000000000000001"));
  EXPECT_TRUE(world.view().config->valid);
}

TEST(Commit, IsRefusedWhenARevisionHasChanged) {
  World world;
  world.etcd.put(sync_key, "{}");
  const auto result = world.perform(sync_commit(Revision(0), "{}"));
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
}

TEST(Commit, Trap157AFailedCompareHasTheViewReadAnew) {
  World world;
  world.run_for(milliseconds(10));
  world.watch_delivers = false;  // the view has missed what the compare shows
  world.etcd.put(sync_key, R"({"leader":"n2"})");
  world.forget_traffic();
  world.perform(sync_commit(Revision(0), "{}"));
  world.run_for(milliseconds(10));
  EXPECT_EQ(world.view().sync->leader, MemberName("n2"));
  EXPECT_EQ(world.watches.size(), 1U);
  EXPECT_TRUE(world.health.view_current);
}

TEST(Commit, ComparesTheWholeReignOfALeaderOnlyWrite) {
  World world;
  const auto reign = world.hold_lock();
  EXPECT_EQ(world.perform(sync_commit(Revision(0), "{}", reign)).verdict, StoreVerdict::done);
  const auto revision = world.etcd.keys.at(sync_key).mod_revision;
  world.etcd.put(leader_key, "n1", world.etcd.grant(seconds(30)));  // the name alone is not enough
  const auto result = world.perform(sync_commit(revision, "[]", reign));
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  EXPECT_TRUE(result.holder);
}

TEST(Commit, DeletesAKey) {
  World world;
  world.etcd.put(sync_key, "{}");
  world.run_for(milliseconds(10));
  const auto result = world.perform(Commit{.expect = {{StoreKey::sync, world.etcd.revision}},
                                           .writes = {{StoreKey::sync, std::nullopt}},
                                           .reign = {}});
  EXPECT_EQ(result.verdict, StoreVerdict::done);
  EXPECT_FALSE(world.etcd.keys.contains(sync_key));
  EXPECT_FALSE(world.view().sync);
}

TEST(Commit, BindsAKeyToTheOwnLeaseAndIsRefusedWithoutOne) {
  World world;
  const Commit commit{.writes = {{.key = StoreKey::initialize, .value = "", .with_lease = true}},
                      .reign = {}};
  const auto without = world.perform(commit);
  EXPECT_EQ(without.verdict, StoreVerdict::refused);
  EXPECT_TRUE(without.lease_gone);
  const auto lease = world.perform(KeepLease{seconds(30)}).lease;
  EXPECT_EQ(world.perform(commit).verdict, StoreVerdict::done);
  EXPECT_EQ(world.etcd.keys.at("/service/demo/initialize").lease, lease);
}

TEST(Commit, Trap156AWriteWhoseAnswerWasLostIsFoundDoneByReadingBack) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  first_txn(world, Fate::lost_answer());
  const auto result = world.perform(sync_commit(Revision(0), "{}", reign));
  EXPECT_EQ(result.verdict, StoreVerdict::done);
  EXPECT_EQ(result.revision, world.etcd.keys.at(sync_key).mod_revision);
  EXPECT_EQ(writes(world), 1) << "never repeated blindly";
}

TEST(Commit, Trap156AWriteThatDoesNotShowIsUnknownAndNotRepeated) {
  World world({"e1", "e2"});
  world.run_for(milliseconds(10));
  first_txn(world, Fate::unavailable());
  const auto result = world.perform(sync_commit(Revision(0), "{}"));
  EXPECT_EQ(result.verdict, StoreVerdict::unknown);
  EXPECT_EQ(writes(world), 1);
}

TEST(Commit, AWriteThatCanNeverHappenAnyMoreIsRefused) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  first_txn(world, Fate::dropped());
  const auto id = world.start(sync_commit(Revision(0), "{}", reign));
  world.etcd.erase(leader_key);  // the reign is over, /sync was never written
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::refused);
}

TEST(Commit, AKeyThatSomebodyElseChangedMeanwhileLeavesItUnknown) {
  World world({"e1", "e2"});
  world.run_for(milliseconds(10));
  first_txn(world, Fate::dropped());
  const auto id = world.start(sync_commit(Revision(0), "{}"));
  world.etcd.put(sync_key, R"({"leader":"n2"})");  // ours may have come before
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown);
}

TEST(Commit, AReadBackValueOfALostReignIsNotDone) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  first_txn(world, Fate::lost_answer());
  const auto id = world.start(sync_commit(Revision(0), "{}", reign));
  world.run_for(milliseconds(100));
  world.etcd.erase(leader_key);
  world.run_until_finished(id);
  EXPECT_NE(world.results[id].verdict, StoreVerdict::done);
}

TEST(Commit, IsSentAgainElsewhereWhileItHasCertainlyNotBeenDone) {
  World world({"e1", "e2"});
  world.run_for(milliseconds(10));
  for (const auto* text : {"failed to connect to all addresses; last error: refused",
                           "etcdserver: no leader", "etcdserver: too many requests"}) {
    first_txn(world, Fate::failed(wire::Code::unavailable, text));
    const auto now = world.etcd.keys[sync_key].mod_revision;
    if (now == Revision(0)) world.etcd.keys.erase(sync_key);
    EXPECT_EQ(world.perform(sync_commit(now, text)).verdict, StoreVerdict::done) << text;
  }
}

TEST(Commit, Trap159NospaceIsRetriedAndSurfaces) {
  World world;
  world.run_for(milliseconds(10));
  world.etcd.no_space = true;
  const auto id = world.start(sync_commit(Revision(0), "{}"), seconds(5));
  const auto until = world.now() + seconds(5);
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown);
  EXPECT_EQ(world.finished_at[id], until);
  EXPECT_TRUE(world.warned("NOSPACE"));
}

TEST(Commit, Trap163ATooLargeValueIsRefused) {
  World world;
  world.fate = [](const SendRpc& rpc) {
    return is<wire::TxnRequest>(rpc)
               ? Fate::failed(wire::Code::invalid_argument, "etcdserver: request is too large")
               : Fate{};
  };
  EXPECT_EQ(world.perform(sync_commit(Revision(0), "{}")).verdict, StoreVerdict::refused);
}

TEST(Commit, EndsUnknownWhenNobodyAnswers) {
  World world({"e1", "e2", "e3"});
  world.silent = {"e1", "e2", "e3"};
  const auto id = world.start(sync_commit(Revision(0), "{}"), seconds(4));
  const auto until = world.now() + seconds(4);
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::unknown);
  EXPECT_EQ(world.finished_at[id], until);
  EXPECT_NE(world.results[id].detail.find("no answer"), std::string::npos);
}

// ---- PutMember -------------------------------------------------------------------------------

TEST(PutMember, WritesTheOwnKeyOnTheOwnLease) {
  World world;
  const auto lease = world.perform(KeepLease{seconds(30)}).lease;
  EXPECT_EQ(world.perform(PutMember{R"({"state":"running"})"}).verdict, StoreVerdict::done);
  EXPECT_EQ(world.etcd.keys.at(member_key).lease, lease);
  EXPECT_EQ(world.view().member(MemberName("n1"))->state, ServerState::running);
}

TEST(PutMember, IsRefusedWithoutALease) {
  World world;
  const auto result = world.perform(PutMember{"{}"});
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  EXPECT_TRUE(result.lease_gone);
}

TEST(PutMember, Trap151AVanishedLeaseIsRefusedAndForgotten) {
  World world;
  const auto lease = world.perform(KeepLease{seconds(30)}).lease;
  world.etcd.revoke(lease);
  const auto result = world.perform(PutMember{"{}"});
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  EXPECT_TRUE(result.lease_gone);
  const auto kept = world.perform(KeepLease{seconds(30)});
  EXPECT_NE(kept.lease, lease);
  EXPECT_EQ(world.perform(PutMember{"{}"}).verdict, StoreVerdict::done);
}

TEST(PutMember, ALostAnswerIsFoundDone) {
  World world({"e1", "e2"});
  world.perform(KeepLease{seconds(30)});
  first_txn(world, Fate::lost_answer());
  EXPECT_EQ(world.perform(PutMember{R"({"state":"running"})"}).verdict, StoreVerdict::done);
}

// ---- ReleaseLock -----------------------------------------------------------------------------

TEST(ReleaseLock, DeletesTheLockWritesStatusAndMarksTheMemberInOneRevision) {
  World world;
  const auto reign = world.hold_lock();
  const auto result = world.perform(ReleaseLock{
      reign, R"({"optime":9})", R"({"role":"demoted","api_url":"http://n1","tanist":"1"})"});
  ASSERT_EQ(result.verdict, StoreVerdict::done);
  EXPECT_FALSE(world.etcd.keys.contains(leader_key));
  EXPECT_EQ(world.etcd.keys.at(member_key).mod_revision, result.revision);
  EXPECT_EQ(world.etcd.keys.at(member_key).lease, reign.lease);
  ASSERT_TRUE(world.view().lost_leader);
  EXPECT_TRUE(world.view().lost_leader->released);
  EXPECT_EQ(world.view().lost_leader->deleted_at, result.revision);
}

TEST(ReleaseLock, NeverTouchesTheLockOfAnotherReign) {
  World world;
  const auto reign = world.hold_lock();
  world.etcd.erase(leader_key);
  world.etcd.put(leader_key, "n1");  // same name, other reign
  const auto result = world.perform(ReleaseLock{reign, {}, "{}"});
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  EXPECT_TRUE(world.etcd.keys.contains(leader_key));
}

TEST(ReleaseLock, ALostAnswerIsFoundDone) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  first_txn(world, Fate::lost_answer());
  EXPECT_EQ(world.perform(ReleaseLock{reign, {}, "{}"}).verdict, StoreVerdict::done);
}

TEST(ReleaseLock, IsRepeatedAfterReadingBackThatItDidNotHappen) {
  World world({"e1", "e2"});
  const auto reign = world.hold_lock();
  first_txn(world, Fate::unavailable());
  EXPECT_EQ(world.perform(ReleaseLock{reign, {}, "{}"}).verdict, StoreVerdict::done);
  EXPECT_FALSE(world.etcd.keys.contains(leader_key));
}

// ---- ReleaseStrayLock ------------------------------------------------------------------------

TEST(ReleaseStrayLock, DeletesExactlyTheLockOfThatCreateRevision) {
  World world;
  world.etcd.put(leader_key, "n1");
  const auto revision = world.etcd.revision;
  EXPECT_EQ(world.perform(ReleaseStrayLock{revision}).verdict, StoreVerdict::done);
  EXPECT_FALSE(world.etcd.keys.contains(leader_key));
}

TEST(ReleaseStrayLock, IsDoneWhenThatLockIsGoneAlready) {
  World world;
  world.etcd.put(leader_key, "n2");
  EXPECT_EQ(world.perform(ReleaseStrayLock{Revision(1)}).verdict, StoreVerdict::done);
  EXPECT_TRUE(world.etcd.keys.contains(leader_key));
}

TEST(ReleaseStrayLock, DoesNotDeleteTheLockOfAnotherMember) {
  World world;
  world.etcd.put(leader_key, "n2");
  const auto result = world.perform(ReleaseStrayLock{world.etcd.revision});
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  EXPECT_TRUE(world.etcd.keys.contains(leader_key));
}

// ---- Removal ---------------------------------------------------------------------------------

TEST(RemoveCluster, DeletesTheClusterAndNothingElse) {
  World world(World::settings_for({"e1"}), false);
  world.etcd.put("/service/demo/config", "{}");
  world.etcd.put("/service/demo/members/n1", "{}");
  world.etcd.put("/service/demo2/config", "{}");
  const auto id = world.start(RemoveCluster{});
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::done);
  EXPECT_EQ(world.etcd.keys.size(), 1U);
}

TEST(RemoveCluster, ALostAnswerIsFoundDone) {
  World world(World::settings_for({"e1", "e2"}), false);
  world.etcd.put("/service/demo/config", "{}");
  first_txn(world, Fate::lost_answer());
  const auto id = world.start(RemoveCluster{});
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::done);
}

}  // namespace

}  // namespace tanist::store

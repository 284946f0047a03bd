// SPDX-License-Identifier: Apache-2.0
// Endpoints, retries, tokens and stale answers, as every operation meets them.
#include "store/etcd3_calls.h"

#include <gtest/gtest.h>

#include "store/test_world.h"

namespace tanist::store {

namespace {

using test::Fate;
using test::is;
using test::World;

// An etcd with users: every request needs the current token.
class Guarded {
 public:
  explicit Guarded(World& world) : world_(world) {
    world.fate = [this](const SendRpc& rpc) { return fate(rpc); };
  }

  std::string token = "token-1";
  std::string password = "secret";
  bool enabled = true;
  std::string rejection = "invalid auth token";
  int authentications = 0;

 private:
  Fate fate(const SendRpc& rpc) {
    if (!enabled) return Fate{};
    if (const auto* login = std::get_if<wire::AuthenticateRequest>(&rpc.request)) {
      ++authentications;
      if (login->password.reveal() != password) {
        return Fate::failed(wire::Code::invalid_argument,
                            "etcdserver: authentication failed, invalid user ID or password");
      }
      return Fate::answered_with(wire::AuthenticateAnswer{world_.etcd.header(), Secret(token)});
    }
    if (rpc.token.empty()) {
      return Fate::failed(wire::Code::invalid_argument, "etcdserver: user name is empty");
    }
    if (rpc.token.reveal() != token) {
      return Fate::failed(wire::Code::unauthenticated, "etcdserver: " + rejection);
    }
    return Fate{};
  }

  World& world_;
};

StoreSettings with_user(std::vector<std::string> hosts = {"e1"}) {
  auto settings = World::settings_for(std::move(hosts));
  settings.username = "agent";
  settings.password = Secret("secret");
  return settings;
}

// ---- Tokens (trap 158) -----------------------------------------------------------------------

TEST(Authentication, Trap158EveryRequestCarriesTheToken) {
  auto settings = with_user();
  settings.fixed_endpoints = false;
  World world(settings, true);
  Guarded guarded(world);
  world.run_for(seconds(10));
  const auto reign = world.hold_lock();
  world.perform(KeepLock{reign, {}});
  world.perform(PutMember{"{}"});
  for (const auto& rpc : world.sent) {
    if (!is<wire::AuthenticateRequest>(rpc)) EXPECT_EQ(rpc.token.reveal(), "token-1");
  }
  EXPECT_TRUE(world.health.view_current);
}

TEST(Authentication, Trap158TheWatchCarriesTheTokenToo) {
  World world(with_user(), true);
  Guarded guarded(world);
  world.run_for(seconds(10));
  ASSERT_FALSE(world.watches.empty());
  EXPECT_EQ(world.watches.back().token.reveal(), "token-1");
}

TEST(Authentication, Trap158AnExpiredTokenIsRenewedOnceAndTheRequestRepeated) {
  for (const auto* rejection : {"invalid auth token", "revision of auth store is old",
                                "permission denied", "user name is empty"}) {
    World world(with_user(), true);
    Guarded guarded(world);
    guarded.rejection = rejection;
    world.run_for(seconds(10));
    guarded.token = "token-2";
    guarded.authentications = 0;
    EXPECT_EQ(world.perform(KeepLease{seconds(30)}).verdict, StoreVerdict::done) << rejection;
    EXPECT_EQ(guarded.authentications, 1) << rejection;
  }
}

TEST(Authentication, Trap158AnExpiredTokenDoesNotCostARenewal) {
  World world(with_user({"e1", "e2"}), true);
  Guarded guarded(world);
  world.run_for(seconds(10));
  const auto reign = world.hold_lock();
  world.run_for(seconds(5));
  guarded.token = "token-2";
  EXPECT_EQ(world.perform(KeepLock{reign, {}}).verdict, StoreVerdict::done);
  EXPECT_TRUE(world.unanswered.empty());
}

TEST(Authentication, Trap158AWriteThatWasRejectedForItsTokenIsRepeated) {
  World world(with_user(), true);
  Guarded guarded(world);
  world.run_for(seconds(10));
  guarded.token = "token-2";
  const auto result = world.perform(Commit{.writes = {{StoreKey::config, "{}"}}, .reign = {}});
  EXPECT_EQ(result.verdict, StoreVerdict::done);
}

TEST(Authentication, MissingPermissionIsRefusedAfterOneRenewal) {
  World world(with_user(), true);
  Guarded guarded(world);
  world.run_for(seconds(10));
  world.fate = [inner = world.fate](const SendRpc& rpc) {
    return is<wire::TxnRequest>(rpc)
               ? Fate::failed(wire::Code::permission_denied, "etcdserver: permission denied")
               : inner(rpc);
  };
  guarded.authentications = 0;
  const auto result = world.perform(Commit{.writes = {{StoreKey::config, "{}"}}, .reign = {}});
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  EXPECT_EQ(guarded.authentications, 1);
}

TEST(Authentication, AWrongPasswordIsSaidAndRefused) {
  World world(with_user(), true);
  Guarded guarded(world);
  guarded.password = "another";
  const auto result = world.perform(ReadCluster{}, seconds(3));
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  EXPECT_TRUE(world.warned("authentication failed"));
  EXPECT_FALSE(world.warned("secret"));
  EXPECT_LE(guarded.authentications, 5) << "no hammering";
}

TEST(Authentication, NewCredentialsAreUsedFromTheNextRequestOn) {
  World world(with_user(), true);
  Guarded guarded(world);
  guarded.password = "another";
  world.run_for(seconds(5));
  world.step(NewCredentials{"agent", Secret("another")});
  EXPECT_EQ(world.perform(ReadCluster{}).verdict, StoreVerdict::done);
}

TEST(Authentication, IsLeftOutWhereItIsNotEnabled) {
  World world(with_user(), true);
  EXPECT_EQ(world.perform(ReadCluster{}).verdict, StoreVerdict::done);
  EXPECT_TRUE(world.sent.back().token.empty());
}

TEST(Authentication, Trap158MayBeEnabledLater) {
  World world(with_user(), true);
  Guarded guarded(world);
  guarded.enabled = false;
  world.run_for(seconds(10));
  guarded.enabled = true;
  EXPECT_EQ(world.perform(ReadCluster{}).verdict, StoreVerdict::done);
}

TEST(Authentication, WithoutCredentialsTheOperationFails) {
  World world;
  Guarded guarded(world);
  const auto result = world.perform(ReadCluster{});
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
}

TEST(Authentication, Trap158TheTokenIsAskedForAtTheNextMemberIfOneIsDown) {
  World world(with_user({"e1", "e2"}), true);
  Guarded guarded(world);
  world.silent = {"e1"};
  EXPECT_EQ(world.perform(ReadCluster{}).verdict, StoreVerdict::done);
}

// ---- Endpoints (traps 10 and 154) ------------------------------------------------------------

TEST(Endpoints, Trap10OneThatFailedIsNotAskedFirstAgain) {
  World world({"e1", "e2", "e3"});
  world.run_for(milliseconds(10));
  world.silent = {"e1"};
  world.perform(ReadCluster{});
  world.forget_traffic();
  for (int i = 0; i < 5; ++i) world.perform(ReadCluster{});
  EXPECT_EQ(world.count<wire::RangeRequest>("e1"), 0);
}

TEST(Endpoints, Trap154AStaleMemberIsLeftForAnother) {
  World world({"e1", "e2"});
  world.run_for(milliseconds(10));
  world.fate = [&](const SendRpc& rpc) {
    if (rpc.endpoint != "e1:2379" || !is<wire::RangeRequest>(rpc)) return Fate{};
    auto header = world.etcd.header();
    header.raft_term -= 1;
    return Fate::answered_with(wire::RangeAnswer{header, {}});
  };
  world.etcd.put("/service/demo/leader", "n2");
  const auto read = world.perform(ReadCluster{});
  EXPECT_EQ(read.verdict, StoreVerdict::done);
  EXPECT_TRUE(read.view->locked());
}

TEST(Endpoints, OneOfAnotherClusterIsNotBelievedAndNamed) {
  World world({"e1", "e2"});
  world.run_for(milliseconds(10));
  world.fate = [&](const SendRpc& rpc) {
    auto header = world.etcd.header();
    header.cluster_id = 99;
    header.raft_term = 1000;
    return rpc.endpoint == "e1:2379" && is<wire::RangeRequest>(rpc)
               ? Fate::answered_with(wire::RangeAnswer{header, {}})
               : Fate{};
  };
  world.etcd.put("/service/demo/leader", "n2");
  EXPECT_TRUE(world.perform(ReadCluster{}).view->locked());
  EXPECT_TRUE(world.warned("e1:2379 belongs to another etcd cluster"));
}

TEST(Endpoints, AnEtcdRestoredFromABackupIsAcceptedAfterATtlOfSilence) {
  World world;
  world.etcd.put("/service/demo/leader", "n2");
  world.run_for(seconds(1));
  ASSERT_TRUE(world.view().locked());
  world.etcd.restore_from_an_empty_backup();
  world.etcd.put("/service/demo/config", "{}");
  world.end_watch();
  world.run_for(seconds(20));
  EXPECT_TRUE(world.view().locked()) << "older terms are not believed at once";
  world.run_for(seconds(30));
  EXPECT_FALSE(world.view().locked());
  EXPECT_TRUE(world.view().config);
  EXPECT_TRUE(world.health.view_current);
}

TEST(Endpoints, AnEtcdThatLostItsDataInTheSameTermIsAcceptedAfterATtlToo) {
  World world;
  world.etcd.put("/service/demo/leader", "n2");
  world.run_for(seconds(1));
  ASSERT_TRUE(world.view().locked());
  world.etcd.lose_all_data();
  world.end_watch();
  world.run_for(seconds(20));
  EXPECT_TRUE(world.view().locked()) << "a lock is not gone because etcd has forgotten it";
  EXPECT_FALSE(world.health.view_current);
  world.run_for(seconds(30));
  EXPECT_TRUE(world.warned("the etcd cluster has been replaced"));
  EXPECT_FALSE(world.view().locked());
  EXPECT_TRUE(world.health.view_current);
  ASSERT_TRUE(world.view().lost_leader);
  EXPECT_EQ(world.view().lost_leader->leader.name, MemberName("n2"));
}

TEST(Endpoints, AQuestionFromBeforeAWriteMayBeAnsweredAfterIt) {
  World world;
  world.run_for(milliseconds(10));
  const auto old = world.etcd.header();
  world.fate = [&](const SendRpc& rpc) {
    if (!is<wire::RangeRequest>(rpc)) return Fate{};
    auto fate = Fate::answered_with(wire::RangeAnswer{old, {}});
    fate.delay = milliseconds(50);
    return fate;
  };
  const auto id = world.start(ReadCluster{});
  world.etcd.put("/service/demo/leader", "n2");
  world.run_until_finished(id);
  EXPECT_EQ(world.results[id].verdict, StoreVerdict::done);
  EXPECT_EQ(world.count<wire::RangeRequest>(), 2) << "the first read and this one";
}

TEST(Endpoints, WithoutAnyTheOperationEndsUnknown) {
  World world({});
  const auto result = world.perform(ReadCluster{}, seconds(2));
  EXPECT_EQ(result.verdict, StoreVerdict::unknown);
  EXPECT_EQ(result.detail, "no endpoint of etcd is known");
}

TEST(Endpoints, AnAnswerOfTheWrongKindIsNobodysSuccess) {
  World world;
  world.run_for(milliseconds(10));
  world.fate = [&](const SendRpc&) {
    return Fate::answered_with(wire::StatusAnswer{world.etcd.header(), "3.5.25", {}, false});
  };
  EXPECT_EQ(world.perform(ReadCluster{}, seconds(2)).verdict, StoreVerdict::unknown);
}

TEST(Endpoints, AnswersToForgottenIdsAreIgnored) {
  World world;
  world.run_for(milliseconds(10));
  world.step(RpcAnswered{RpcId(999999), wire::RpcResult(wire::RevokeAnswer{})});
  world.step(WatchSaid{RpcId(999999), {}});
  world.step(WatchEnded{RpcId(999999), {}});
  world.step(CancelAction{EffectId(999999)});
  EXPECT_TRUE(world.health.view_current);
}

}  // namespace

}  // namespace tanist::store

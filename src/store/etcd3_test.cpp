// SPDX-License-Identifier: Apache-2.0
// The whole store against real etcd: everything that a model could get wrong.
#include "store/etcd3.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <map>
#include <optional>

#include "store/test_etcd.h"

namespace tanist::store {

namespace {

using test::TestEtcd;

// A store and the loop it lives on; the test runs the loop while it waits.
class TestStore {
 public:
  explicit TestStore(StoreSettings settings)
      : store_(make_etcd3_store(std::move(settings), loop_.get_executor(),
                                {.view = [this](ClusterViewPtr view) { view_ = std::move(view); },
                                 .health =
                                     [this](const StoreHealth& health) {
                                       health_ = health;
                                       warnings_.insert(warnings_.end(), health.warnings.begin(),
                                                        health.warnings.end());
                                     },
                                 .finished =
                                     [this](EffectId id, StoreResult result) {
                                       EXPECT_FALSE(results_.contains(id)) << "finished twice";
                                       results_.emplace(id, std::move(result));
                                     },
                                 .unanswered = [this](EffectId) { ++unanswered_; }})) {}

  EffectId start(StoreAction action, Duration limit = seconds(10)) {
    const EffectId id(++last_id_);
    store_->start(id, std::move(action), os::now() + limit);
    return id;
  }
  StoreResult wait(EffectId id, Duration limit = seconds(15)) {
    EXPECT_TRUE(run_until([&] { return results_.contains(id); }, limit)) << "no result";
    return results_[id];
  }
  StoreResult perform(StoreAction action, Duration limit = seconds(10)) {
    return wait(start(std::move(action), limit), limit + seconds(5));
  }
  bool run_until(const std::function<bool()>& condition, Duration limit = seconds(20)) {
    const auto end = os::now() + limit;
    while (!condition()) {
      if (os::now() >= end) return false;
      loop_.restart();
      loop_.run_one_for(milliseconds(20));
    }
    return true;
  }
  void run_for(Duration time) {
    const auto end = os::now() + time;
    run_until([&] { return os::now() >= end; }, time + seconds(5));
  }

  Store& store() { return *store_; }
  const ClusterViewPtr& view() const { return view_; }
  const StoreHealth& health() const { return health_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  int unanswered() const { return unanswered_; }
  bool view_current() {
    return run_until([&] { return view_ && health_.view_current; });
  }

 private:
  boost::asio::io_context loop_{1};
  ClusterViewPtr view_;
  StoreHealth health_;
  std::vector<std::string> warnings_;
  std::map<EffectId, StoreResult> results_;
  int unanswered_ = 0;
  std::uint64_t last_id_ = 0;
  std::unique_ptr<Store> store_;
};

TEST(Etcd3Store, TakesKeepsAndReleasesTheLock) {
  TestEtcd etcd;
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.view_current()) << etcd.log();

  const auto taken = store.perform(TakeLock{.ttl = seconds(10)});
  ASSERT_EQ(taken.verdict, StoreVerdict::done) << taken.detail;
  EXPECT_TRUE(store.view()->locked_by(MemberName("n1")));

  const auto kept = store.perform(KeepLock{*taken.reign, R"({"optime":1})"});
  ASSERT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
  EXPECT_GT(*kept.lease_until, *taken.lease_until);
  EXPECT_EQ(store.view()->optime(), Lsn(1));

  const auto released = store.perform(
      ReleaseLock{*taken.reign, R"({"optime":2})", R"({"role":"demoted","tanist":"0.1"})"});
  ASSERT_EQ(released.verdict, StoreVerdict::done) << released.detail;
  EXPECT_FALSE(store.view()->locked());
  ASSERT_TRUE(store.view()->lost_leader);
  EXPECT_TRUE(store.view()->lost_leader->released);
}

TEST(Etcd3Store, OnlyOneOfTwoGetsTheLock) {
  TestEtcd etcd;
  TestStore first(etcd.settings("n1"));
  TestStore second(etcd.settings("n2"));
  ASSERT_TRUE(first.view_current() && second.view_current());
  const auto won = first.perform(TakeLock{.ttl = seconds(10)});
  ASSERT_EQ(won.verdict, StoreVerdict::done) << won.detail;
  const auto lost = second.perform(TakeLock{.ttl = seconds(10)});
  EXPECT_EQ(lost.verdict, StoreVerdict::refused);
  ASSERT_TRUE(lost.holder);
  EXPECT_EQ(lost.holder->name, MemberName("n1"));
  EXPECT_TRUE(second.run_until([&] { return second.view()->locked_by(MemberName("n1")); }));
}

TEST(Etcd3Store, AReleaseIsSeenByOthersAsARelease) {
  TestEtcd etcd;
  TestStore first(etcd.settings("n1"));
  TestStore second(etcd.settings("n2"));
  ASSERT_TRUE(first.view_current() && second.view_current());
  const auto taken = first.perform(TakeLock{.ttl = seconds(10)});
  first.perform(PutMember{R"({"role":"primary","api_url":"http://n1","tanist":"0.1"})"});
  ASSERT_TRUE(second.run_until([&] { return second.view()->locked(); }));
  first.perform(ReleaseLock{*taken.reign, R"({"optime":7})", R"({"role":"demoted","tanist":"0"})"});
  ASSERT_TRUE(second.run_until([&] { return second.view()->lost_leader.has_value(); }));
  EXPECT_TRUE(second.view()->lost_leader->released);
  EXPECT_EQ(second.view()->optime(), Lsn(7));
}

TEST(Etcd3Store, AnExpiredLeaseTakesTheLockAndTheRenewalIsRefused) {
  TestEtcd etcd;
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.view_current());
  const auto taken = store.perform(TakeLock{.ttl = seconds(2)});
  store.perform(PutMember{R"({"role":"primary","tanist":"0.1"})"});
  ASSERT_EQ(taken.verdict, StoreVerdict::done);
  EXPECT_EQ(store.perform(AskLease{taken.lease}).verdict, StoreVerdict::refused) << "it lives";
  ASSERT_TRUE(store.run_until([&] { return store.view()->lost_leader.has_value(); }));
  EXPECT_FALSE(store.view()->lost_leader->released);
  EXPECT_TRUE(store.view()->lost_leader->was_tanist);
  EXPECT_EQ(store.perform(AskLease{taken.lease}).verdict, StoreVerdict::done) << "it is gone";
  const auto kept = store.perform(KeepLock{*taken.reign, {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::refused);
  EXPECT_TRUE(kept.lease_gone);
  EXPECT_EQ(store.perform(TakeLock{.ttl = seconds(2)}).verdict, StoreVerdict::done);
}

TEST(Etcd3Store, AReignMovesToAnotherLease) {
  TestEtcd etcd;
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.view_current());
  const auto taken = store.perform(TakeLock{.ttl = seconds(10)});
  const auto moved = store.perform(ReattachLock{*taken.reign, seconds(20), "{}"});
  ASSERT_EQ(moved.verdict, StoreVerdict::done) << moved.detail;
  EXPECT_EQ(moved.reign->create_revision, taken.reign->create_revision);
  EXPECT_GT(*moved.lease_until, os::now() + seconds(15));
  EXPECT_EQ(store.perform(KeepLock{*moved.reign, {}}).verdict, StoreVerdict::done);
  EXPECT_EQ(store.perform(KeepLock{*taken.reign, {}}).verdict, StoreVerdict::refused);
}

TEST(Etcd3Store, ASecondProcessAdoptsTheReign) {
  TestEtcd etcd;
  StoreResult taken;
  {
    TestStore before(etcd.settings());
    taken = before.perform(TakeLock{.ttl = seconds(10)});
    ASSERT_EQ(taken.verdict, StoreVerdict::done);
  }
  TestStore after(etcd.settings());
  const auto kept = after.perform(KeepLock{*taken.reign, {}});
  EXPECT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
  EXPECT_EQ(after.perform(PutMember{"{}"}).verdict, StoreVerdict::done);
}

TEST(Etcd3Store, LearnsTheElectionTimeoutAndWarnsAboutThisVersion) {
  TestEtcd etcd({.nodes = 1,
                 .tls = false,
                 .token_ttl = {},
                 .more_flags = {"--heartbeat-interval=100", "--election-timeout=2000"}});
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.run_until([&] { return store.health().election_timeout > Duration(0); }));
  EXPECT_EQ(store.health().election_timeout, seconds(2));
  ASSERT_TRUE(store.run_until([&] { return !store.warnings().empty(); }));
  EXPECT_EQ(store.warnings().size(), 1U);
  EXPECT_NE(store.warnings()[0].find("upgrade"), std::string::npos);
}

TEST(Etcd3Store, Trap153SurvivesACompactionUnderItsWatch) {
  TestEtcd etcd;
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.view_current());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(etcd.ctl({"put", "/service/demo/config", "{}"}));
  ASSERT_TRUE(store.run_until([&] { return store.view()->config.has_value(); }));
  const auto revision = store.view()->revision.value();
  ASSERT_TRUE(etcd.ctl({"compact", std::to_string(revision)}));
  ASSERT_TRUE(etcd.ctl({"put", "/service/demo/leader", "n9"}));
  EXPECT_TRUE(store.run_until([&] { return store.view()->locked(); }));
  EXPECT_TRUE(store.view_current());
}

TEST(Etcd3Store, Trap153ReadsAnewWhenEtcdWasRestartedAndCompacted) {
  TestEtcd etcd;
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.view_current());
  etcd.kill(0);
  ASSERT_TRUE(store.run_until([&] { return !store.health().view_current; }));
  etcd.start(0);
  ASSERT_TRUE(test::wait_for([&] { return etcd.ctl({"put", "/service/demo/leader", "n9"}); }));
  EXPECT_TRUE(store.run_until([&] { return store.view()->locked(); }));
  EXPECT_TRUE(store.view_current());
}

TEST(Etcd3Store, Trap163AHugeStatusDoesNotCostTheLock) {
  TestEtcd etcd(
      {.nodes = 1, .tls = false, .token_ttl = {}, .more_flags = {"--max-request-bytes=10000"}});
  TestStore store(etcd.settings());
  const auto taken = store.perform(TakeLock{.ttl = seconds(10)});
  ASSERT_EQ(taken.verdict, StoreVerdict::done);
  const auto kept = store.perform(KeepLock{*taken.reign, std::string(50'000, 'x')});
  EXPECT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
  const auto commit = store.perform(
      Commit{.writes = {{StoreKey::history, std::string(50'000, 'x')}}, .reign = taken.reign});
  EXPECT_EQ(commit.verdict, StoreVerdict::refused);
  EXPECT_NE(commit.detail.find("too large"), std::string::npos);
}

TEST(Etcd3Store, Trap159ANospaceAlarmDoesNotCostTheLock) {
  TestEtcd etcd(
      {.nodes = 1, .tls = false, .token_ttl = {}, .more_flags = {"--quota-backend-bytes=1000000"}});
  TestStore store(etcd.settings());
  const auto taken = store.perform(TakeLock{.ttl = seconds(10)});
  ASSERT_EQ(taken.verdict, StoreVerdict::done);
  const std::string filling(100'000, 'x');
  for (int i = 0; i < 20; ++i) static_cast<void>(etcd.ctl({"put", "/fill", filling}));
  const auto kept = store.perform(KeepLock{*taken.reign, R"({"optime":1})"});
  EXPECT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
  EXPECT_EQ(kept.detail, "status was not written");
  EXPECT_NE(store.warnings().back().find("NOSPACE"), std::string::npos);
  EXPECT_EQ(store.perform(KeepLease{seconds(5)}, seconds(2)).verdict, StoreVerdict::unknown);
}

TEST(Etcd3Store, AThousandQuickOperations) {
  TestEtcd etcd({.nodes = 1, .tls = false, .token_ttl = {}, .more_flags = {}});
  TestStore store(etcd.settings());
  const auto taken = store.perform(TakeLock{.ttl = seconds(30)});
  ASSERT_EQ(taken.verdict, StoreVerdict::done);
  std::vector<EffectId> ids;
  for (int i = 0; i < 1000; ++i) {
    switch (i % 4) {
      case 0:
        ids.push_back(store.start(KeepLock{*taken.reign, R"({"optime":1})"}, seconds(30)));
        break;
      case 1: ids.push_back(store.start(PutMember{"{}"}, seconds(30))); break;
      case 2: ids.push_back(store.start(ReadCluster{}, seconds(30))); break;
      default: ids.push_back(store.start(KeepLease{seconds(30)}, seconds(30))); break;
    }
  }
  for (const auto id : ids) {
    ASSERT_EQ(store.wait(id, seconds(40)).verdict, StoreVerdict::done);
  }
  EXPECT_TRUE(store.view_current());
}

TEST(Etcd3Store, AnUnreachableStoreIsAClearError) {
  StoreSettings settings;
  settings.scope = "demo";
  settings.name = MemberName("n1");
  settings.endpoints = {{"127.64.250.250", 2379}, {"no-such-host.invalid", 2379}};
  TestStore store(settings);
  const auto result = store.perform(ReadCluster{}, seconds(2));
  EXPECT_EQ(result.verdict, StoreVerdict::unknown);
  // The one that was asked last is named, whatever its trouble.
  const bool names_one = result.detail.find("127.64.250.250:2379") != std::string::npos ||
                         result.detail.find("no-such-host.invalid:2379") != std::string::npos;
  EXPECT_TRUE(names_one) << result.detail;
  EXPECT_FALSE(store.health().view_current);
  EXPECT_FALSE(store.view());
}

TEST(Etcd3Store, EndsEveryEffectOnceWhenShutDownInTheMiddleOfEverything) {
  TestEtcd etcd;
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.view_current());
  const auto taken = store.perform(TakeLock{.ttl = seconds(30)});
  etcd.signal(0, SIGSTOP);
  std::vector<EffectId> ids;
  for (int i = 0; i < 50; ++i) {
    ids.push_back(store.start(KeepLock{*taken.reign, "{}"}));
    ids.push_back(store.start(TakeLock{.ttl = seconds(30)}));
    ids.push_back(store.start(ReadCluster{}));
  }
  store.run_for(milliseconds(700));
  const auto started_at = os::now();
  store.store().shut_down();
  EXPECT_LT(os::now() - started_at, seconds(2));
  const auto after = store.start(ReadCluster{});
  for (const auto id : ids) EXPECT_EQ(store.wait(id).verdict, StoreVerdict::unknown);
  EXPECT_EQ(store.wait(after).verdict, StoreVerdict::unknown);
  store.store().shut_down();
  store.store().cancel(after);
  etcd.signal(0, SIGCONT);
}

TEST(Etcd3Store, MayBeDestroyedWithoutAWord) {
  TestEtcd etcd;
  for (int i = 0; i < 5; ++i) {
    TestStore store(etcd.settings());
    store.start(TakeLock{.ttl = seconds(30)});
    store.run_for(milliseconds(i * 3));
  }
}

// ---- Three nodes -----------------------------------------------------------------------------

class Etcd3StoreOfThree : public testing::Test {
 protected:
  // The lock on a store that uses node 0 only for as long as that answers.
  void SetUp() override {
    store.emplace(etcd.settings());
    ASSERT_TRUE(store->view_current()) << etcd.log();
    const auto taken = store->perform(TakeLock{.ttl = seconds(5)});
    ASSERT_EQ(taken.verdict, StoreVerdict::done) << taken.detail;
    reign = *taken.reign;
  }
  // Renews until the time is over; every renewal must be proven before the last one's end.
  void renew_for(Duration time) {
    const auto end = os::now() + time;
    auto lease_until = os::now() + seconds(5);
    while (os::now() < end) {
      const auto kept = store->perform(KeepLock{reign, {}}, seconds(5));
      ASSERT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
      ASSERT_LT(os::now(), lease_until);
      lease_until = *kept.lease_until;
      store->run_for(milliseconds(100));
    }
  }

  TestEtcd etcd{{.nodes = 3, .tls = false, .token_ttl = {}, .more_flags = {}}};
  std::optional<TestStore> store;
  Reign reign;
};

TEST_F(Etcd3StoreOfThree, Trap10EveryMemberMayDieInTurnDuringRenewals) {
  for (std::size_t node = 0; node < 3; ++node) {
    const auto id = store->start(KeepLock{reign, {}}, seconds(5));
    etcd.kill(node);
    const auto kept = store->wait(id);
    ASSERT_EQ(kept.verdict, StoreVerdict::done) << node << ": " << kept.detail;
    renew_for(seconds(3));
    EXPECT_TRUE(store->view_current());
    etcd.start(node);
    ASSERT_TRUE(test::wait_for([&] { return etcd.ctl({"endpoint", "health"}); }));
  }
}

TEST_F(Etcd3StoreOfThree, Trap155EveryMemberMayStopInTurnDuringRenewals) {
  for (std::size_t node = 0; node < 3; ++node) {
    etcd.signal(node, SIGSTOP);
    renew_for(seconds(4));
    const auto others = etcd.url((node + 1) % 3) + "," + etcd.url((node + 2) % 3);
    const auto value = format_text(R"({{"ttl":{}}})", node + 20);
    ASSERT_TRUE(
        test::wait_for([&] { return etcd.ctl({"put", "/service/demo/config", value}, others); }));
    EXPECT_TRUE(store->run_until([&] {
      const auto& config = store->view()->config;
      return config &&
             *config->value->find("ttl")->as_int() == static_cast<std::int64_t>(node) + 20;
    })) << "the view still follows";
    etcd.signal(node, SIGCONT);
    store->run_for(seconds(1));
  }
}

TEST_F(Etcd3StoreOfThree, WithoutAQuorumARenewalIsUnknownAndWithOneItGoesOn) {
  etcd.kill(1);
  etcd.kill(2);
  const auto lost = store->perform(KeepLock{reign, {}}, seconds(2));
  EXPECT_EQ(lost.verdict, StoreVerdict::unknown);
  EXPECT_EQ(store->unanswered(), 1);
  etcd.start(1);
  const auto kept = store->perform(KeepLock{reign, {}}, seconds(15));
  EXPECT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
}

TEST_F(Etcd3StoreOfThree, FindsMembersThatWereNotConfigured) {
  auto settings = etcd.settings("n2");
  settings.endpoints.resize(1);
  TestStore other(settings);
  ASSERT_TRUE(other.view_current());
  other.run_for(seconds(1));
  etcd.kill(0);
  const auto read = other.perform(ReadCluster{});
  EXPECT_EQ(read.verdict, StoreVerdict::done) << read.detail;
  EXPECT_TRUE(other.view_current());
}

// ---- TLS and users ---------------------------------------------------------------------------

TEST(Etcd3StoreTls, WorksWithClientCertificates) {
  TestEtcd etcd({.nodes = 1, .tls = true, .token_ttl = {}, .more_flags = {}});
  TestStore store(etcd.settings());
  ASSERT_TRUE(store.view_current()) << etcd.log();
  EXPECT_EQ(store.perform(TakeLock{.ttl = seconds(10)}).verdict, StoreVerdict::done);
}

TEST(Etcd3StoreTls, AWrongAuthorityIsAClearError) {
  TestEtcd etcd({.nodes = 1, .tls = true, .token_ttl = {}, .more_flags = {}});
  auto settings = etcd.settings();
  settings.ca_file = etcd.file("other_ca.pem");
  TestStore store(settings);
  const auto result = store.perform(ReadCluster{}, seconds(2));
  EXPECT_EQ(result.verdict, StoreVerdict::unknown);
  EXPECT_NE(result.detail.find("certificate verify failed"), std::string::npos) << result.detail;
}

TEST(Etcd3StoreUsers, Trap158ShortLivedTokensCostNoRenewal) {
  TestEtcd etcd({.nodes = 1, .tls = false, .token_ttl = "1s", .more_flags = {}});
  etcd.enable_users();
  auto settings = etcd.settings();
  settings.username = "agent";
  settings.password = Secret("secret");
  TestStore store(settings);
  ASSERT_TRUE(store.view_current()) << etcd.log();
  const auto taken = store.perform(TakeLock{.ttl = seconds(10)});
  ASSERT_EQ(taken.verdict, StoreVerdict::done) << taken.detail;
  const auto end = os::now() + seconds(5);
  while (os::now() < end) {
    const auto kept = store.perform(KeepLock{*taken.reign, R"({"optime":1})"});
    ASSERT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
    ASSERT_EQ(store.perform(PutMember{"{}"}).verdict, StoreVerdict::done);
    store.run_for(milliseconds(150));
  }
  EXPECT_TRUE(store.view_current());
}

TEST(Etcd3StoreUsers, AWrongPasswordIsAClearErrorUntilItIsCorrected) {
  TestEtcd etcd;
  etcd.enable_users();
  auto settings = etcd.settings();
  settings.username = "agent";
  settings.password = Secret("wrong");
  TestStore store(settings);
  const auto result = store.perform(ReadCluster{}, seconds(3));
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  ASSERT_TRUE(store.run_until([&] { return !store.warnings().empty(); }));
  EXPECT_NE(store.warnings()[0].find("authentication failed"), std::string::npos);
  store.store().set_credentials("agent", Secret("secret"));
  EXPECT_TRUE(store.view_current());
}

TEST(Etcd3StoreUsers, MissingPermissionIsRefusedAndNamed) {
  TestEtcd etcd;
  etcd.enable_users();
  auto settings = etcd.settings();
  settings.namespace_ = "forbidden";
  settings.username = "agent";
  settings.password = Secret("secret");
  TestStore store(settings);
  const auto result = store.perform(ReadCluster{}, seconds(3));
  EXPECT_EQ(result.verdict, StoreVerdict::refused);
  EXPECT_NE(result.detail.find("permission denied"), std::string::npos) << result.detail;
}

TEST(Etcd3StoreUsers, Trap158UsersMayBeEnabledUnderARunningAgent) {
  TestEtcd etcd;
  auto settings = etcd.settings();
  settings.username = "agent";
  settings.password = Secret("secret");
  TestStore store(settings);
  ASSERT_TRUE(store.view_current());
  const auto taken = store.perform(TakeLock{.ttl = seconds(10)});
  etcd.enable_users();
  const auto kept = store.perform(KeepLock{*taken.reign, "{}"});
  EXPECT_EQ(kept.verdict, StoreVerdict::done) << kept.detail;
  EXPECT_TRUE(store.view_current());
}

}  // namespace

}  // namespace tanist::store

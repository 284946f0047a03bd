// SPDX-License-Identifier: Apache-2.0
// Discovery, versions, alarms and the election timeout.
#include "store/etcd3_upkeep.h"

#include <gtest/gtest.h>

#include "store/test_world.h"

namespace tanist::store {

namespace {

using test::Fate;
using test::is;
using test::World;

StoreSettings discovering(std::vector<std::string> hosts) {
  auto settings = World::settings_for(std::move(hosts));
  settings.fixed_endpoints = false;
  return settings;
}

// ---- Versions (safety 1.1, trap 162) ---------------------------------------------------------

TEST(EtcdVersion, IsWarnedAboutAsTheLawNamesThem) {
  const auto warned = [](const char* version) { return !warning_about_version(version).empty(); };
  EXPECT_TRUE(warned("3.4.23"));
  EXPECT_TRUE(warned("3.4.37"));
  EXPECT_FALSE(warned("3.4.38"));
  EXPECT_TRUE(warned("3.5.2"));
  EXPECT_TRUE(warned("3.5.22"));
  EXPECT_FALSE(warned("3.5.23"));
  EXPECT_TRUE(warned("3.6.4"));
  EXPECT_FALSE(warned("3.6.5"));
  EXPECT_FALSE(warned("3.7.0"));
  EXPECT_TRUE(warned("3.3.27"));
  EXPECT_FALSE(warned("not a version"));
}

TEST(EtcdVersion, TheGravestFaultIsNamedWithTheRemedy) {
  EXPECT_EQ(warning_about_version("3.4.30"),
            "etcd 3.4.30 renews leases although its leader is stuck writing to disk; upgrade to "
            "3.4.38 or newer");
  EXPECT_EQ(warning_about_version("3.4.31"),
            "etcd 3.4.31 may renew leases that it has already revoked; upgrade to 3.4.38 or newer");
  EXPECT_NE(warning_about_version("3.5.1").find("differing data"), std::string::npos);
}

TEST(EtcdVersion, IsAskedOfEveryMemberAndSaidOnce) {
  World world({"e1", "e2", "e3"});
  world.etcd.version = "3.4.23";
  world.run_for(std::chrono::hours(1));
  EXPECT_GE(world.count<wire::StatusRequest>("e3"), 1);
  EXPECT_EQ(world.warnings.size(), 1U);
}

TEST(EtcdAlarm, Trap159IsSaid) {
  World world;
  world.fate = [&](const SendRpc& rpc) {
    return is<wire::StatusRequest>(rpc)
               ? Fate::answered_with(wire::StatusAnswer{
                     world.etcd.header(), "3.5.25", {"memberID:7 alarm:NOSPACE "}, false})
               : Fate{};
  };
  world.run_for(std::chrono::minutes(6));
  EXPECT_TRUE(world.warned("alarm:NOSPACE"));
}

// ---- Election timeout (safety 1.6, trap 161) -------------------------------------------------

TEST(ElectionTimeout, FollowsFromTheSmallestLeaseThatEtcdGrants) {
  const std::vector<std::pair<std::int64_t, Duration>> rows{
      {1, milliseconds(500)}, {2, seconds(1)}, {3, seconds(2)}, {15, seconds(10)}};
  for (const auto& [granted, expected] : rows) {
    World world;
    world.etcd.ttl_min = granted;
    world.run_for(seconds(1));
    EXPECT_EQ(world.health.election_timeout, expected) << granted;
  }
}

TEST(ElectionTimeout, TheProbeIsRevoked) {
  World world;
  world.run_for(seconds(1));
  EXPECT_EQ(world.count<wire::GrantRequest>(), 1);
  EXPECT_EQ(world.count<wire::RevokeRequest>(), 1);
}

TEST(ElectionTimeout, IsLearnedLaterWhenEtcdDoesNotAnswerAtFirst) {
  World world;
  world.silent = {"e1"};
  world.run_for(seconds(20));
  EXPECT_EQ(world.health.election_timeout, Duration(0));
  world.silent.clear();
  world.run_for(seconds(20));
  EXPECT_EQ(world.health.election_timeout, Duration(seconds(1)));
}

// ---- Discovery (contract dcs 8, trap 160) ----------------------------------------------------

TEST(Discovery, AsksForTheMembersAtTheStartAndEveryTenTtls) {
  World world(discovering({"e1"}), true);
  world.etcd.members = {{{"http://e1:2379"}, false}, {{"http://e2:2379"}, false}};
  world.run_for(seconds(1));
  EXPECT_EQ(world.endpoints, (std::vector<std::string>{"e1:2379", "e2:2379"}));
  EXPECT_EQ(world.count<wire::MemberListRequest>(), 1);
  world.run_for(seconds(300));
  EXPECT_EQ(world.count<wire::MemberListRequest>(), 2);
}

TEST(Discovery, Trap160LearnersAndMembersNeverStartedAreSkipped) {
  World world(discovering({"e1"}), true);
  world.etcd.members = {{{"http://e1:2379"}, false}, {{"http://e2:2379"}, true}, {{}, false}};
  world.run_for(seconds(1));
  EXPECT_TRUE(world.endpoints.empty()) << "nothing new was learned";
}

TEST(Discovery, IsOffForAFixedListOfEndpoints) {
  World world({"e1"});
  world.run_for(seconds(1000));
  EXPECT_EQ(world.count<wire::MemberListRequest>(), 0);
}

TEST(Discovery, OverTlsOnlyHttpsAddressesCount) {
  auto settings = discovering({"e1"});
  settings.use_tls = true;
  World world(settings, true);
  world.etcd.members = {{{"http://e2:2379", "https://e3:2379"}, false}};
  world.run_for(seconds(1));
  EXPECT_EQ(world.endpoints, (std::vector<std::string>{"e3:2379", "e1:2379"}));
}

TEST(Discovery, IsRepeatedSoonAfterEveryEndpointFailed) {
  World world(discovering({"e1", "e2"}), true);
  world.run_for(seconds(20));
  world.forget_traffic();
  world.silent = {"e1", "e2"};
  world.perform(KeepLease{seconds(30)}, seconds(5));
  world.silent.clear();
  world.run_for(seconds(15));
  EXPECT_GE(world.count<wire::MemberListRequest>(), 1);
}

TEST(Discovery, ADeadMemberDoesNotMakeUsAskAllTheTime) {
  World world(discovering({"e1", "e2"}), true);
  world.etcd.members = {{{"http://e1:2379"}, false}, {{"http://e2:2379"}, false}};
  world.silent = {"e2"};
  world.run_for(seconds(250));
  EXPECT_EQ(world.count<wire::MemberListRequest>(), 1);
}

TEST(Discovery, AddressesFromDnsAreUsed) {
  auto settings = discovering({});
  World world(settings, true);
  world.run_for(seconds(5));
  EXPECT_TRUE(world.views.empty());
  world.step(Resolved{{"e7:2379"}});
  world.run_for(seconds(10));
  EXPECT_TRUE(world.health.view_current);
}

// ---- Quiet -----------------------------------------------------------------------------------

TEST(Idle, AMachineWithoutActionsHardlyTalks) {
  World world({"e1", "e2", "e3"});
  world.run_for(seconds(10));
  world.forget_traffic();
  world.run_for(seconds(280));
  EXPECT_TRUE(world.sent.empty());
}

}  // namespace

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// The local copy of the cluster: how it is made, doubted and repaired.
#include "store/etcd3_view.h"

#include <gtest/gtest.h>

#include "store/test_world.h"

namespace tanist::store {

namespace {

using test::Fate;
using test::is;
using test::World;

const std::string leader_key = "/service/demo/leader";
const std::string config_key = "/service/demo/config";

// Until the view is current, and the watch no longer a young one.
void settle(World& world) {
  world.run_for(seconds(2));
  ASSERT_TRUE(world.health.view_current);
  world.forget_traffic();
}

TEST(View, ReadsEverythingAndWatchesFromTheNextRevisionOnAtTheSameEndpoint) {
  World world({"e1", "e2", "e3"});
  world.etcd.put(config_key, "{}");
  world.run_for(milliseconds(10));
  ASSERT_EQ(world.watches.size(), 1U);
  const auto& watch = world.watches.front();
  EXPECT_EQ(watch.request.key, "/service/demo/");
  EXPECT_EQ(watch.request.range_end, "/service/demo0");
  EXPECT_EQ(watch.request.start_revision, Revision(world.etcd.revision.value() + 1));
  const auto read = std::ranges::find_if(world.sent, is<wire::RangeRequest>);
  EXPECT_EQ(watch.endpoint, read->endpoint);
  EXPECT_TRUE(world.view().config);
  EXPECT_TRUE(world.health.view_current);
}

TEST(View, IsNotCurrentBeforeEtcdConfirmedTheWatch) {
  World world;
  world.run_for(milliseconds(2));
  ASSERT_EQ(world.watches.size(), 1U);
  EXPECT_FALSE(world.health.view_current);
}

TEST(View, FollowsEvents) {
  World world;
  settle(world);
  world.etcd.put(leader_key, "n2");
  world.show_events();
  world.run_for(milliseconds(10));
  EXPECT_TRUE(world.view().locked_by(MemberName("n2")));
  world.etcd.erase(leader_key);
  world.show_events();
  world.run_for(milliseconds(10));
  EXPECT_FALSE(world.view().locked());
}

TEST(View, IsToldOnlyWhenItChanges) {
  World world;
  settle(world);
  const auto before = world.views.size();
  world.say({});  // progress
  world.run_for(seconds(5));
  EXPECT_EQ(world.views.size(), before);
}

TEST(View, Trap153AWatchCancelledInBandIsReplacedAfterAFullRead) {
  World world;
  settle(world);
  world.watch_delivers = false;
  world.etcd.put(leader_key, "n2");
  world.say({.cancelled = true, .compact_revision = Revision(90)});
  EXPECT_FALSE(world.health.view_current) << "in doubt from this moment on";
  world.run_for(milliseconds(10));
  EXPECT_TRUE(world.view().locked());
  ASSERT_EQ(world.watches.size(), 1U);
  EXPECT_EQ(world.watches[0].request.start_revision, Revision(world.etcd.revision.value() + 1));
  EXPECT_TRUE(world.health.view_current);
}

TEST(View, Trap153AStreamThatEndsIsReplacedAfterAFullRead) {
  World world({"e1", "e2"});
  settle(world);
  world.end_watch();
  EXPECT_FALSE(world.health.view_current);
  world.run_for(milliseconds(10));
  EXPECT_EQ(world.count<wire::RangeRequest>(), 1);
  EXPECT_EQ(world.watches.size(), 1U);
  EXPECT_EQ(world.watches.back().endpoint, "e2:2379");
  EXPECT_TRUE(world.health.view_current);
}

TEST(View, AWatchThatIsRefusedAtOnceIsNotAskedForInATightLoop) {
  World world;
  settle(world);
  for (int i = 0; i < 5; ++i) {
    world.say({.cancelled = true, .cancel_reason = "permission denied"});
    world.run_for(milliseconds(100));
  }
  EXPECT_LE(world.watches.size(), 2U);
}

TEST(View, MovesWhenItsEndpointFailsForAnyRequest) {
  World world({"e1", "e2"});
  settle(world);
  world.silent = {"e1"};
  world.perform(KeepLease{seconds(30)});
  world.run_for(milliseconds(10));
  ASSERT_FALSE(world.watches.empty());
  EXPECT_EQ(world.watches.back().endpoint, "e2:2379");
  EXPECT_TRUE(world.health.view_current);
}

TEST(View, Trap155ASilentWatchIsAskedForItsProgressAfterASecond) {
  World world({"e1", "e2"});
  settle(world);
  world.etcd.put("/another/cluster", "x");  // the store's revision grows, our keys do not change
  world.perform(KeepLease{seconds(30)});
  EXPECT_EQ(world.progress_asked, 0);
  world.run_for(milliseconds(1100));
  EXPECT_EQ(world.progress_asked, 1);
  world.run_for(seconds(5));
  EXPECT_EQ(world.watches.size(), 0U) << "it answered: the watch stays";
  EXPECT_TRUE(world.health.view_current);
}

TEST(View, Trap155AWatchThatDoesNotEvenTellItsProgressIsMoved) {
  World world({"e1", "e2"});
  settle(world);
  world.watch_delivers = false;
  world.etcd.put(leader_key, "n2");
  world.perform(KeepLease{seconds(30)});
  world.silent = {"e1"};
  world.run_for(milliseconds(2100));
  ASSERT_FALSE(world.watches.empty());
  EXPECT_EQ(world.watches.back().endpoint, "e2:2379");
  EXPECT_TRUE(world.view().locked());
}

TEST(View, Trap155AStoppedMemberThatNeverConfirmsTheWatchIsLeft) {
  World world({"e1", "e2"});
  world.run_for(milliseconds(3));
  ASSERT_EQ(world.watches.size(), 1U);
  world.silent = {"e1"};
  world.run_for(seconds(4));
  EXPECT_EQ(world.watches.back().endpoint, "e2:2379");
  EXPECT_TRUE(world.health.view_current);
}

TEST(View, Trap154AWatchMessageOfAnOlderTermIsNotBelieved) {
  World world({"e1", "e2"});
  settle(world);
  auto header = world.etcd.header();
  header.raft_term -= 1;
  world.step(
      WatchSaid{world.stream(),
                {.header = header,
                 .events = {{false, {leader_key, "old", Revision(200), Revision(200), {}}}}}});
  world.run_for(milliseconds(10));
  EXPECT_FALSE(world.view().locked());
  EXPECT_EQ(world.watches.back().endpoint, "e2:2379");
}

TEST(View, RepeatedAndOldEventsChangeNothing) {
  World world;
  settle(world);
  world.etcd.put(config_key, R"({"ttl":30})");
  world.show_events();
  world.run_for(milliseconds(10));
  const auto& kv = world.etcd.keys.at(config_key);
  auto old = kv;
  old.value = R"({"ttl":99})";
  old.mod_revision = Revision(kv.mod_revision.value() - 1);
  world.say({.events = {{false, old}, {false, kv}}});
  world.run_for(milliseconds(10));
  EXPECT_EQ(*world.view().config->value->find("ttl")->as_int(), 30);
}

TEST(View, AFailedReadIsRepeatedAfterASecond) {
  World world;
  world.silent = {"e1"};
  world.run_for(seconds(15));
  EXPECT_TRUE(world.views.empty());
  world.silent.clear();
  world.run_for(seconds(15));
  EXPECT_TRUE(world.health.view_current);
}

TEST(View, Trap162IsReadInFullEveryTenMinutes) {
  World world;
  settle(world);
  world.run_for(std::chrono::minutes(21));
  EXPECT_EQ(world.count<wire::RangeRequest>(), 2);
  EXPECT_TRUE(world.warnings.empty());
}

TEST(View, Trap162AMissedDeletionIsFoundAndSaid) {
  World world;
  world.etcd.put(leader_key, "n2");
  settle(world);
  ASSERT_TRUE(world.view().locked());
  world.watch_delivers = false;
  world.etcd.erase(leader_key);
  world.say({});  // a progress that claims everything was shown
  world.run_for(std::chrono::minutes(11));
  EXPECT_FALSE(world.view().locked());
  EXPECT_TRUE(world.warned("missed changes of /service/demo/leader"));
}

TEST(View, AnOrdinaryChangeBesideTheFullReadIsNoDifference) {
  World world;
  settle(world);
  world.fate = [&](const SendRpc& rpc) {
    if (is<wire::RangeRequest>(rpc)) world.etcd.put(config_key, "{}");
    return Fate{};
  };
  world.run_for(std::chrono::minutes(11));
  EXPECT_FALSE(world.warned("missed changes"));
}

TEST(View, WhoReleasedTheLockIsKnownFromTheSameRevision) {
  World world;
  world.etcd.put("/service/demo/members/n2", R"({"api_url":"http://n2","tanist":"1"})");
  world.etcd.put(leader_key, "n2");
  settle(world);
  world.etcd.revision = Revision(world.etcd.revision.value() + 1);
  const auto at = world.etcd.revision;
  world.say({.events = {{true, {leader_key, {}, {}, at, {}}},
                        {false,
                         {"/service/demo/members/n2",
                          R"({"role":"demoted","tanist":"1"})",
                          Revision(1),
                          at,
                          {}}}}});
  const auto& lost = world.view().lost_leader;
  ASSERT_TRUE(lost);
  EXPECT_TRUE(lost->released);
  EXPECT_TRUE(lost->was_tanist);
  EXPECT_EQ(lost->deleted_at, at);
  EXPECT_EQ(lost->api_url, "http://n2");
}

}  // namespace

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// Tests of the member table: what the integration test against a real store does not show.
#include "ctl/member_table.h"

#include <gtest/gtest.h>

namespace tanist::ctl {
namespace {

MemberView replica(const std::string& name) {
  MemberView member{.name = MemberName(name),
                    .conn_url = "postgres://10.1.0." + name.substr(1) + ":5432/postgres",
                    .state = ServerState::running};
  member.data = Tree::map();
  return member;
}

Reading cluster_of(std::vector<MemberView> members, Lsn optime = Lsn()) {
  auto view = std::make_shared<ClusterView>();
  for (auto& member : members) view->members[member.name] = member;
  view->status = StatusView{.optime = optime};
  return {"shop", view, {}};
}

std::string lag_of(std::uint64_t bytes) {
  auto member = replica("a1");
  member.receive_lsn = member.replay_lsn = Lsn(1);
  const auto text = member_table_text(cluster_of({member}, Lsn(bytes + 1)), {Format::json});
  const std::string key = "\"Replay Lag\": ";
  const auto at = text.find(key) + key.size();
  return text.substr(at, text.find_first_of(",}", at) - at);
}

TEST(MemberTable, AnUnknownClusterIsUninitialized) {
  const Reading empty{"shop", std::make_shared<ClusterView>(), {}};
  EXPECT_TRUE(member_table_text(empty).starts_with("+ Cluster: shop (uninitialized) "));
  EXPECT_EQ(member_table_text(empty, {Format::json}), "[]\n");
}

TEST(MemberTable, LagIsRoundedHalfToEven) {
  EXPECT_EQ(lag_of(512 * 1024), "0");
  EXPECT_EQ(lag_of(512 * 1024 + 1), "1");
  EXPECT_EQ(lag_of(3 * 512 * 1024), "2");
  EXPECT_EQ(lag_of(5 * 512 * 1024), "2");
}

TEST(MemberTable, PortsAreShownWhereOneIsUnusual) {
  auto other = replica("a2");
  other.conn_url = "postgres://10.1.0.2:5433/postgres";
  const auto text = member_table_text(cluster_of({replica("a1"), other}), {Format::tsv});
  EXPECT_NE(text.find("10.1.0.1:5432"), std::string::npos) << text;
}

TEST(MemberTable, LongReasonsAreHiddenInPrettyOnly) {
  auto member = replica("a1");
  Tree data = Tree::map({{"pending_restart", true}});
  data.set(
      "pending_restart_reason",
      Tree::map({{"x", Tree::map({{"old_value", std::string(60, 'y')}, {"new_value", "z"}})}}));
  member.data = std::move(data);
  const auto cluster = cluster_of({member});
  EXPECT_NE(member_table_text(cluster).find("x: [hidden - too long]"), std::string::npos);
  EXPECT_EQ(member_table_text(cluster, {Format::tsv}).find("hidden"), std::string::npos);
}

TEST(MemberTable, TheGuardIsShownWhereItIsNotAsItShouldBe) {
  auto healthy = replica("a1");
  healthy.data = Tree::map({{"guard", "armed"}});
  auto bare = replica("a2");
  bare.data = Tree::map({{"guard", "absent"}});
  const auto shown = [](const Reading& cluster, bool extended) {
    MemberTableStyle style;
    style.extended = extended;
    return member_table_text(cluster, style).find("Guard") != std::string::npos;
  };
  EXPECT_FALSE(shown(cluster_of({healthy}), false));
  EXPECT_TRUE(shown(cluster_of({healthy}), true));
  EXPECT_TRUE(shown(cluster_of({healthy, bare}), false));
  EXPECT_FALSE(shown(cluster_of({replica("a3")}), true));  // a member that runs Patroni
}

TEST(MemberTable, ThePauseAndASwitchoverToComeStandBelow) {
  auto cluster = cluster_of({replica("a1")});
  auto view = *cluster.view;
  view.failover = FailoverView{.leader = MemberName("a1"),
                               .member = MemberName("a2"),
                               .scheduled_at = parse_timestamp("2031-05-01T04:00:00Z")->time};
  cluster.view = std::make_shared<ClusterView>(view);
  cluster.settings.pause = true;
  EXPECT_TRUE(
      member_table_text(cluster).ends_with(" Maintenance mode: on\n"
                                           " Switchover scheduled at: 2031-05-01T04:00:00+00:00\n"
                                           "                    from: a1\n"
                                           "                      to: a2\n"))
      << member_table_text(cluster);
}

TEST(MemberTable, TheTreeFollowsReplicatefromAndLosesCircles) {
  auto a2 = replica("a2");
  auto a3 = replica("a3");
  auto a4 = replica("a4");
  auto a5 = replica("a5");
  a3.tags.replicatefrom = a2.name;
  a4.tags.replicatefrom = a5.name;
  a5.tags.replicatefrom = a4.name;
  auto cluster = cluster_of({replica("a1"), a2, a3, a4, a5});
  auto view = *cluster.view;
  view.leader = LeaderView{.name = MemberName("a1")};
  cluster.view = std::make_shared<ClusterView>(view);
  const auto text = member_table_text(cluster, {Format::pretty, false, true});
  EXPECT_NE(text.find("| a1 "), std::string::npos) << text;
  EXPECT_NE(text.find("| + a2 "), std::string::npos) << text;
  EXPECT_NE(text.find("|   + a3 "), std::string::npos) << text;
  EXPECT_EQ(text.find("a4"), std::string::npos) << text;
}

}  // namespace
}  // namespace tanist::ctl

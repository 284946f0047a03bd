// SPDX-License-Identifier: Apache-2.0
// Tests of the selection of members.
#include "ctl/selection.h"

#include <gtest/gtest.h>

namespace tanist::ctl {
namespace {

Reading cluster_of_two() {
  auto view = std::make_shared<ClusterView>();
  view->leader = LeaderView{.name = MemberName("a1")};
  for (const auto* name : {"a1", "a2"}) {
    view->members[MemberName(name)] = {.name = MemberName(name)};
  }
  view->members[MemberName("a1")].role = Role::primary;
  return {"shop", view, {}};
}

TEST(Selection, ReplicasAreAllButTheHolderOfTheLock) {
  EXPECT_EQ(names_text(*select_members(cluster_of_two(), MemberRole::replica, {})), "a2");
}

TEST(Selection, AStandbyLeaderIsNoPrimary) {
  const auto cluster = cluster_of_two();
  const auto& leader = cluster.view->members.at(MemberName("a1"));
  EXPECT_TRUE(has_role(*cluster.view, leader, MemberRole::primary));
  EXPECT_FALSE(has_role(*cluster.view, leader, MemberRole::standby_leader));
}

TEST(Selection, UnknownNamesAreDroppedSilently) {
  EXPECT_EQ(names_text(*select_members(cluster_of_two(), MemberRole::any, {"x", "a2"})), "a2");
}

TEST(Selection, NobodyLeftIsToldInTheWordsOfTheContract) {
  EXPECT_EQ(select_members(cluster_of_two(), MemberRole::replica, {"a1"}).error().message,
            "No 'replica' among provided members");
}

TEST(Selection, AnEmptyClusterHasNoMembers) {
  const Reading empty{"shop", std::make_shared<ClusterView>(), {}};
  EXPECT_EQ(select_members(empty, MemberRole::any, {}).error().message,
            "shop cluster doesn't have any members");
}

}  // namespace
}  // namespace tanist::ctl

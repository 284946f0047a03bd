// SPDX-License-Identifier: Apache-2.0
// Order by revision, and what is known of a lock that is gone.
#include "store/cluster_cache.h"

#include <gtest/gtest.h>

namespace tanist::store {

namespace {

const std::string leader_key = "/service/demo/leader";
const std::string config_key = "/service/demo/config";
const std::string member_key = "/service/demo/members/n2";

StoredKey value(std::string text, std::int64_t revision, std::int64_t created = 0) {
  return {std::move(text), Revision(created != 0 ? created : revision), Revision(revision),
          LeaseId()};
}
KeyChange put(const std::string& key, std::string text, std::int64_t revision) {
  return {key, Revision(revision), value(std::move(text), revision)};
}
KeyChange gone(const std::string& key, std::int64_t revision) {
  return {key, Revision(revision), std::nullopt};
}

class ClusterCacheTest : public testing::Test {
 protected:
  ClusterCache cache{KeyPaths("service", "demo")};
};

TEST_F(ClusterCacheTest, ShowsTheSamePointerUntilSomethingChanges) {
  cache.replace({{config_key, value("{}", 5)}}, Revision(10));
  const auto before = cache.view();
  EXPECT_EQ(cache.view(), before);
  cache.apply({put(config_key, "{}", 4)});
  EXPECT_EQ(cache.view(), before) << "old news";
  cache.apply({put(config_key, R"({"ttl":1})", 11)});
  EXPECT_NE(cache.view(), before);
  EXPECT_EQ(before->config->value, Tree::map()) << "a view never changes";
}

TEST_F(ClusterCacheTest, AnOlderEventNeverReplacesANewerWrite) {
  cache.replace({}, Revision(10));
  cache.apply({put(config_key, R"({"a":2})", 12)});  // our own write, ahead of the watch
  cache.apply({put(config_key, R"({"a":1})", 11)});  // the watch comes later
  EXPECT_EQ(cache.view()->config->revision, Revision(12));
}

TEST_F(ClusterCacheTest, AnOlderEventNeverBringsBackADeletedKey) {
  cache.replace({{leader_key, value("n1", 5)}}, Revision(10));
  cache.apply({gone(leader_key, 12)});
  cache.apply({put(leader_key, "n1", 11)});
  EXPECT_FALSE(cache.view()->locked());
}

TEST_F(ClusterCacheTest, EventsFromBeforeAFullReadAreIgnored) {
  cache.replace({}, Revision(10));
  cache.apply({put(leader_key, "n1", 9)});
  EXPECT_FALSE(cache.view()->locked()) << "deleted between 9 and 10";
}

TEST_F(ClusterCacheTest, AFullReadKeepsWhatIsNewer) {
  cache.replace({}, Revision(10));
  cache.apply({put(config_key, "{}", 15), put(leader_key, "n1", 16), gone(leader_key, 17)});
  cache.replace({{leader_key, value("n1", 12)}}, Revision(14));
  EXPECT_TRUE(cache.view()->config);
  EXPECT_FALSE(cache.view()->locked());
}

TEST_F(ClusterCacheTest, AFullReadRemovesWhatIsGone) {
  cache.replace({{config_key, value("{}", 5)}, {leader_key, value("n1", 6)}}, Revision(10));
  cache.replace({{config_key, value("{}", 5)}}, Revision(20));
  EXPECT_FALSE(cache.view()->locked());
  EXPECT_EQ(cache.view()->revision, Revision(20));
}

TEST_F(ClusterCacheTest, AnOlderFullReadChangesNothing) {
  cache.replace({{config_key, value("{}", 5)}}, Revision(20));
  cache.replace({}, Revision(10));
  EXPECT_TRUE(cache.view()->config);
}

TEST_F(ClusterCacheTest, ForgetsEverythingForAnotherEtcdCluster) {
  cache.replace({{config_key, value("{}", 500)}}, Revision(1000));
  cache.forget();
  cache.replace({{leader_key, value("n1", 3)}}, Revision(4));
  EXPECT_FALSE(cache.view()->config);
  EXPECT_TRUE(cache.view()->locked());
}

TEST_F(ClusterCacheTest, DifferencesLeaveOutWhatIsNewer) {
  cache.replace({{config_key, value("{}", 5)}, {leader_key, value("n1", 6)}}, Revision(10));
  cache.apply({gone(leader_key, 30), put(member_key, "{}", 31)});
  EXPECT_TRUE(
      cache.differences({{config_key, value("{}", 5)}, {leader_key, value("n1", 6)}}, Revision(20))
          .empty());
  EXPECT_EQ(cache.differences({{config_key, value("[]", 11)}}, Revision(20)),
            std::vector<std::string>{config_key});
  EXPECT_EQ(cache.differences({}, Revision(20)), std::vector<std::string>{config_key});
}

TEST_F(ClusterCacheTest, TheLegacyPositionCountsOnlyWhileStatusIsAbsent) {
  const std::string legacy = "/service/demo/optime/leader";
  const std::string status = "/service/demo/status";
  cache.replace({{legacy, value("7", 5)}}, Revision(10));
  EXPECT_EQ(cache.view()->optime(), Lsn(7));
  cache.apply({put(status, R"({"optime":9})", 11)});
  EXPECT_EQ(cache.view()->optime(), Lsn(9));
  cache.apply({put(legacy, "8", 12)});
  EXPECT_EQ(cache.view()->optime(), Lsn(9));
  cache.apply({gone(status, 13)});
  EXPECT_EQ(cache.view()->optime(), Lsn(8));
}

// ---- A lock that is gone (safety 1.7) --------------------------------------------------------

class LostLeaderTest : public ClusterCacheTest {
 protected:
  void SetUp() override {
    cache.replace({{leader_key, value("n2", 5)},
                   {member_key, value(R"({"role":"primary","api_url":"u","tanist":"1"})", 6)}},
                  Revision(10));
  }
  const std::optional<LostLeader>& lost() { return cache.view()->lost_leader; }
};

TEST_F(LostLeaderTest, IsAbsentWhileTheLockIsHeld) { EXPECT_FALSE(lost()); }

TEST_F(LostLeaderTest, AReleaseMarksTheHolderInTheSameRevision) {
  cache.apply({gone(leader_key, 11), put(member_key, R"({"role":"demoted","tanist":"1"})", 11)});
  ASSERT_TRUE(lost());
  EXPECT_TRUE(lost()->released);
  EXPECT_EQ(lost()->deleted_at, Revision(11));
  EXPECT_EQ(lost()->leader.create_revision, Revision(5));
}

TEST_F(LostLeaderTest, WhoLedInAnEtcdThatIsNoMoreMayStillLead) {
  cache.forget();
  cache.replace({}, Revision(2));
  ASSERT_TRUE(lost());
  EXPECT_EQ(lost()->leader.name, MemberName("n2"));
  EXPECT_EQ(lost()->leader.lease, LeaseId(0)) << "of it nobody can be asked";
  EXPECT_EQ(lost()->api_url, "u");
  EXPECT_TRUE(lost()->was_tanist);
  EXPECT_TRUE(lost()->after_gap);
}

TEST_F(LostLeaderTest, AMarkedReleaseInAnEtcdThatIsNoMoreIsForgotten) {
  cache.apply({gone(leader_key, 11), put(member_key, R"({"role":"demoted","tanist":"1"})", 11)});
  cache.forget();
  cache.replace({}, Revision(2));
  ASSERT_TRUE(lost());
  EXPECT_FALSE(lost()->released) << "others may have led since";
}

TEST_F(LostLeaderTest, ALockFromABackupSaysNothingOfWhoLedLast) {
  cache.forget();
  cache.replace({{leader_key, value("n2", 5)},
                 {member_key, value(R"({"role":"primary","api_url":"u","tanist":"1"})", 6)}},
                Revision(7));
  cache.apply({gone(leader_key, 8)});
  ASSERT_TRUE(lost());
  EXPECT_TRUE(lost()->after_gap);
}

TEST_F(LostLeaderTest, TheOrderOfEventsWithinARevisionDoesNotMatter) {
  cache.apply({put(member_key, R"({"role":"demoted","tanist":"1"})", 11), gone(leader_key, 11)});
  EXPECT_TRUE(lost()->released);
}

TEST_F(LostLeaderTest, AMarkOfAnotherRevisionIsNone) {
  cache.apply({put(member_key, R"({"role":"demoted","tanist":"1"})", 11), gone(leader_key, 12)});
  EXPECT_FALSE(lost()->released);
}

TEST_F(LostLeaderTest, AnotherRoleIsNoMark) {
  cache.apply({gone(leader_key, 11), put(member_key, R"({"role":"primary","tanist":"1"})", 11)});
  EXPECT_FALSE(lost()->released);
}

TEST_F(LostLeaderTest, AnExpiredLeaseTakesBothKeysAndIsNoRelease) {
  cache.apply({gone(leader_key, 11), gone(member_key, 11)});
  ASSERT_TRUE(lost());
  EXPECT_FALSE(lost()->released);
  EXPECT_TRUE(lost()->was_tanist) << "known from before";
  EXPECT_EQ(lost()->api_url, "u");
}

TEST_F(LostLeaderTest, ADeletionFoundByAFullReadIsNoRelease) {
  cache.replace({{member_key, value(R"({"role":"demoted","tanist":"1"})", 15, 6)}}, Revision(20));
  ASSERT_TRUE(lost());
  EXPECT_FALSE(lost()->released) << "nobody saw what else that revision did";
  EXPECT_TRUE(lost()->after_gap);
}

TEST_F(LostLeaderTest, OthersMayHaveHeldTheLockDuringAGap) {
  cache.apply({gone(leader_key, 11)});
  EXPECT_FALSE(lost()->after_gap);
  cache.replace({}, Revision(20));
  EXPECT_TRUE(lost()->after_gap);
}

// Seed 10852 of the simulator: the agent of a primary froze and its key was deleted; who took the
// lock waited for evidence and died; who took it then knew of that one only.
TEST_F(LostLeaderTest, OthersMayWriteWhereTheHolderWasNeverSeenToLead) {
  cache.apply({gone(leader_key, 11)});
  ASSERT_TRUE(lost());
  EXPECT_FALSE(lost()->after_gap);
  cache.apply({put(leader_key, "n2", 12)});  // its role was written before that
  cache.apply({gone(leader_key, 13)});
  ASSERT_TRUE(lost());
  EXPECT_TRUE(lost()->after_gap);
  cache.apply({put(leader_key, "n2", 14)});
  cache.apply({put(member_key, R"({"role":"primary","tanist":"1"})", 15)});
  cache.apply({gone(leader_key, 16)});
  ASSERT_TRUE(lost());
  EXPECT_FALSE(lost()->after_gap);
}

TEST_F(LostLeaderTest, StaysUntilSomebodyHoldsTheLockAgain) {
  cache.apply({gone(leader_key, 11)});
  cache.apply({put(config_key, "{}", 12)});
  EXPECT_TRUE(lost());
  cache.apply({put(leader_key, "n1", 13)});
  EXPECT_FALSE(lost());
}

TEST_F(LostLeaderTest, AnotherLeaderInTheSameMessageLeavesNoLoss) {
  cache.apply({gone(leader_key, 11), put(leader_key, "n1", 12)});
  EXPECT_FALSE(lost());
  EXPECT_TRUE(cache.view()->locked_by(MemberName("n1")));
}

TEST_F(LostLeaderTest, APatroniLeaderIsKnownAsSuch) {
  cache.apply({put(member_key, R"({"role":"primary"})", 11), gone(leader_key, 12)});
  EXPECT_FALSE(lost()->was_tanist);
}

}  // namespace

}  // namespace tanist::store

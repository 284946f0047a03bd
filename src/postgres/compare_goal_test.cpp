// SPDX-License-Identifier: Apache-2.0
// Changes of how a standby is fed, on real servers: found, and carried out as the version allows.
// tidy: table
#include "postgres/compare_goal.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

using testing::HasSubstr;
using testing::Not;

class RecoveryChange : public Situation {
 protected:
  void begin() {
    ASSERT_TRUE(first.bootstrap());
    copy(first, second);
    ASSERT_TRUE(streams(second));
    compare();  // the first comparison after joining always reloads
    reload();
    ASSERT_EQ(compare(), GoalDifference::none);
  }
  GoalDifference compare() {
    return *second.perform(CompareGoal{second.following(first)}).difference;
  }
  // As the loop orders it after a comparison.
  void reload() {
    const auto done =
        second.perform(ReloadServer{.goal = second.following(first), .always = false});
    ASSERT_TRUE(done.ok) << done.error;
  }
};

// Trap 116.
TEST_F(RecoveryChange, SettingsOfAlterSystemAreFoundAndRemoved) {
  begin();
  ASSERT_EQ(second.query("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.99'"), "");
  ASSERT_NE(second.query("SELECT pg_reload_conf()"), "");
  ASSERT_TRUE(second.see([&](const ServerFacts&) {
    return second.query("SHOW primary_conninfo") == "host=127.0.0.99";
  }));
  EXPECT_EQ(compare(), GoalDifference::reload);
  reload();
  EXPECT_THAT(second.query("SHOW primary_conninfo"), HasSubstr("host=" + first.address));
  EXPECT_THAT(content(second.in_data("postgresql.auto.conf")), Not(HasSubstr("primary_conninfo")));
  EXPECT_EQ(compare(), GoalDifference::none);
  EXPECT_TRUE(streams(second));
}

// Trap 117: the path of the password file stays the same.
TEST_F(RecoveryChange, APasswordThatWasChangedReachesThePasswordFile) {
  begin();
  ASSERT_EQ(first.query("ALTER ROLE replicator PASSWORD 'another one'"), "");
  second.settings.replication.password = Secret("another one");
  second.apply();
  EXPECT_EQ(compare(), GoalDifference::reload);
  reload();
  EXPECT_THAT(content(second.settings.pgpass), HasSubstr(":another one"));
  EXPECT_EQ(compare(), GoalDifference::none);
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  ASSERT_EQ(first.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
  EXPECT_TRUE(streams(second)) << "with the new password";
}

// Trap 168: PostgreSQL 13 reads a new restore_command only at its start.
TEST_F(RecoveryChange, ARestoreCommandIsReloadedWhereTheServerCan) {
  begin();
  second.settings.recovery_conf["restore_command"] = "false";
  second.apply();
  const bool by_reload = second.observe().major_version >= 14;
  EXPECT_EQ(compare(), by_reload ? GoalDifference::reload : GoalDifference::restart);
}

// Trap 168: the upstream changes by reload, and the receiver really moves.
TEST_F(RecoveryChange, AnotherUpstreamIsReachedByReload) {
  begin();
  const auto postmaster = second.observe().postmaster;
  auto elsewhere = second.following(first);
  elsewhere.upstream->member = MemberName("other name, same server");
  elsewhere.upstream->host = first.address + "," + first.address;
  elsewhere.upstream->port = std::to_string(first.port) + "," + std::to_string(first.port);
  EXPECT_EQ(second.perform(CompareGoal{elsewhere}).difference, GoalDifference::reload);
  ASSERT_TRUE(second.perform(ReloadServer{.goal = elsewhere}).ok);
  EXPECT_TRUE(second.see([&](const ServerFacts&) {
    return second.query("SELECT conninfo FROM pg_stat_wal_receiver").find(first.address + ",") !=
           std::string::npos;
  }));
  EXPECT_EQ(second.observe().postmaster, postmaster);
}

}  // namespace
}  // namespace tanist::postgres

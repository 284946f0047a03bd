// SPDX-License-Identifier: Apache-2.0
// What standbys are told, by version and upstream.
#include "postgres/recovery_settings.h"

#include <gmock/gmock.h>

#include "base/json.h"

namespace tanist::postgres {
namespace {

using testing::Contains;
using testing::Key;
using testing::Not;
using testing::Pair;

ServerSettings settings() {
  ServerSettings result;
  result.name = MemberName("node-b");
  result.pgpass = "/var/lib/pgpass";
  result.replication.username = "rep";
  result.replication.password = Secret("s3cret");
  return result;
}

ServerGoal following(Upstream upstream) {
  ServerGoal goal;
  goal.standby = true;
  goal.upstream = std::move(upstream);
  return goal;
}

const Upstream leader{
    .member = MemberName("a"), .host = "10.0.0.1", .port = "5432", .slot = "node_b"};

// Trap 165: the server's own slot synchronisation needs `dbname`.
TEST(WantedRecovery, FollowsAMember) {
  const auto wanted = wanted_recovery(settings(), following(leader), 15);
  EXPECT_EQ(
      wanted.at("primary_conninfo"),
      "dbname=postgres user=rep passfile=/var/lib/pgpass host=10.0.0.1 port=5432 sslmode=prefer "
      "application_name=node-b gssencmode=prefer channel_binding=prefer");
  EXPECT_EQ(wanted.at("primary_slot_name"), "node_b");
  EXPECT_EQ(wanted.at("recovery_target_timeline"), "latest");
  for (const auto* name : {"recovery_target", "recovery_target_name", "recovery_target_time",
                           "recovery_target_xid", "recovery_target_lsn"}) {
    EXPECT_THAT(wanted, Contains(Pair(name, ""))) << name;
  }
}

TEST(WantedRecovery, NeverHoldsThePassword) {
  for (const auto& [name, value] : wanted_recovery(settings(), following(leader), 15)) {
    EXPECT_EQ(value.find("s3cret"), std::string::npos) << name;
  }
}

// Trap 172.
TEST(WantedRecovery, SpeaksOnlyWhatTheVersionKnows) {
  const auto conninfo = [](int major) {
    return sql::format_conninfo(primary_conninfo(settings(), leader, major));
  };
  EXPECT_EQ(conninfo(12).find("channel_binding"), std::string::npos);
  EXPECT_NE(conninfo(13).find("channel_binding=prefer"), std::string::npos);
  EXPECT_EQ(conninfo(16).find("sslnegotiation"), std::string::npos);
  EXPECT_NE(conninfo(17).find("sslnegotiation=postgres"), std::string::npos);
}

TEST(WantedRecovery, TakesTlsOptionsAndKerberosFromTheCredentials) {
  auto own = settings();
  own.replication.password = Secret();
  own.replication.sslpassword = Secret("key phrase");
  own.replication.options = {{"sslmode", "verify-full"}, {"sslcert", "/c"}, {"sslkey", "/k"}};
  own.krbsrvname = "pg";
  EXPECT_EQ(
      sql::format_conninfo(primary_conninfo(own, leader, 15)),
      "dbname=postgres user=rep host=10.0.0.1 port=5432 sslmode=verify-full sslcert=/c sslkey=/k "
      "sslpassword=key\\ phrase application_name=node-b krbsrvname=pg gssencmode=prefer "
      "channel_binding=prefer");
}

TEST(WantedRecovery, WithoutUpstreamOrSlotsNamesNone) {
  auto goal = following(leader);
  goal.upstream.reset();
  auto wanted = wanted_recovery(settings(), goal, 15);
  EXPECT_THAT(wanted, Not(Contains(Key("primary_conninfo"))));
  EXPECT_THAT(wanted, Not(Contains(Key("primary_slot_name"))));
  auto own = settings();
  own.use_slots = false;
  wanted = wanted_recovery(own, following(leader), 15);
  EXPECT_THAT(wanted, Contains(Key("primary_conninfo")));
  EXPECT_THAT(wanted, Not(Contains(Key("primary_slot_name"))));
}

TEST(WantedRecovery, OfAPrimaryIsEmpty) {
  ServerGoal goal = following(leader);
  goal.standby = false;
  EXPECT_TRUE(wanted_recovery(settings(), goal, 15).empty());
}

TEST(WantedRecovery, KeepsTheUsersOwnButNoTargets) {
  auto own = settings();
  own.recovery_conf = {{"restore_command", "cp %f"},
                       {"recovery_target_time", "2020"},
                       {"primary_slot_name", "x"},
                       {"Recovery_End_Command", "true"},
                       {"standby_mode", "on"},
                       {"trigger_file", "/t"},
                       {"nonsense", "1"}};
  const auto wanted = wanted_recovery(own, following(leader), 15);
  EXPECT_THAT(wanted, Contains(Pair("restore_command", "cp %f")));
  EXPECT_THAT(wanted, Contains(Pair("recovery_end_command", "true")));
  EXPECT_THAT(wanted, Contains(Pair("promote_trigger_file", "/t")));
  EXPECT_THAT(wanted, Contains(Pair("recovery_target_time", "")));
  EXPECT_THAT(wanted, Contains(Pair("primary_slot_name", "node_b")));
  EXPECT_THAT(wanted, Not(Contains(Key("standby_mode"))));
  EXPECT_THAT(wanted, Not(Contains(Key("nonsense"))));
  EXPECT_THAT(wanted_recovery(own, following(leader), 16),
              Not(Contains(Key("promote_trigger_file"))));
}

TEST(WantedRecovery, SettingsAmongTheParametersReplaceTheSection) {
  auto own = settings();
  own.recovery_conf = {{"restore_command", "cp %f"}, {"recovery_end_command", "true"}};
  own.parameters = {{"Restore_Command", "other"}, {"work_mem", "4MB"}};
  const auto wanted = wanted_recovery(own, following(leader), 15);
  EXPECT_THAT(wanted, Contains(Pair("restore_command", "other")));
  EXPECT_THAT(wanted, Not(Contains(Key("recovery_end_command"))));
}

TEST(WantedRecovery, OfAStandbyClusterHasItsOverrides) {
  auto own = settings();
  own.recovery_conf = {{"restore_command", "mine"}, {"recovery_min_apply_delay", "1s"}};
  auto goal = following({.host = "x,y", .port = "1", .slot = "s", .is_remote = true});
  goal.standby_cluster = StandbyCluster{};
  goal.standby_cluster->restore_command = "theirs";
  goal.standby_cluster->recovery_min_apply_delay = "1h";
  auto wanted = wanted_recovery(own, goal, 15);
  EXPECT_THAT(wanted, Contains(Pair("restore_command", "theirs")));
  EXPECT_THAT(wanted, Contains(Pair("recovery_min_apply_delay", "1h")));
  EXPECT_NE(wanted["primary_conninfo"].find("target_session_attrs=read-write"), std::string::npos);
  goal.upstream = leader;  // a cascading member of the standby cluster
  wanted = wanted_recovery(own, goal, 15);
  EXPECT_THAT(wanted, Contains(Pair("recovery_min_apply_delay", "1s")));
  EXPECT_EQ(wanted["primary_conninfo"].find("target_session_attrs"), std::string::npos);
}

TEST(BootstrapRecoveryOf, SaysWhetherItStaysAStandby) {
  const auto read = [](const char* json) { return bootstrap_recovery(*parse_json(json), 15); };
  const auto restore = read(
      R"({"restore_command": "cp", "recovery_target_timeline": 2,
          "recovery_target_action": "promote"})");
  EXPECT_FALSE(restore.standby);
  EXPECT_THAT(restore.settings, Contains(Pair("recovery_target_timeline", "2")));
  EXPECT_TRUE(read(R"({"standby_mode": "on"})").standby);
  EXPECT_TRUE(read("null").settings.empty());
}

TEST(EndsInPromotion, UnlessItPausesAtATarget) {
  EXPECT_TRUE(ends_in_promotion({}));
  EXPECT_TRUE(ends_in_promotion({{"restore_command", "cp"}, {"recovery_target_time", ""}}));
  EXPECT_TRUE(
      ends_in_promotion({{"recovery_target_time", "t"}, {"recovery_target_action", "Promote"}}));
  EXPECT_FALSE(ends_in_promotion({{"recovery_target_time", "t"}}));
  EXPECT_FALSE(
      ends_in_promotion({{"recovery_target_lsn", "0/1"}, {"recovery_target_action", "pause"}}));
}

}  // namespace
}  // namespace tanist::postgres

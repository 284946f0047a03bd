// SPDX-License-Identifier: Apache-2.0
// From settings and goal to parameters and command line.
#include "postgres/parameters.h"

#include <gmock/gmock.h>

namespace tanist::postgres {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Not;
using testing::Pair;

ServerSettings settings() {
  ServerSettings result;
  result.scope = "demo";
  result.data_dir = "/data/";
  result.listen_hosts = {"127.0.0.1", "10.0.0.1"};
  result.port = 5433;
  result.parameters = {{"max_connections", "100"},
                       {"wal_level", "hot_standby"},
                       {"max_wal_senders", "10"},
                       {"Work_Mem", "4MB"}};
  return result;
}

EffectiveParameters effective(const ServerSettings& own, const ServerGoal& goal = {},
                              std::int64_t major = 15) {
  return effective_parameters(own, goal, {.major_version = major});
}

TEST(Parameters, HaveTheServersIdentityAndKeepTheirSpelling) {
  const auto values = effective(settings()).values;
  EXPECT_THAT(values, Contains(Pair("listen_addresses", "127.0.0.1,10.0.0.1")));
  EXPECT_THAT(values, Contains(Pair("port", "5433")));
  EXPECT_THAT(values, Contains(Pair("cluster_name", "demo")));
  EXPECT_THAT(values, Contains(Pair("hot_standby", "on")));
  EXPECT_THAT(values, Contains(Pair("wal_level", "replica")));
  EXPECT_THAT(values, Contains(Pair("Work_Mem", "4MB")));
}

TEST(Parameters, DependOnTheRoleButNotTheProtectedOnes) {
  auto own = settings();
  own.parameters_by_role["primary"] = {{"work_mem", "8MB"}, {"Max_Connections", "5"}};
  const auto primary = effective(own, {.role = Role::promoted});
  EXPECT_THAT(primary.values, Contains(Pair("work_mem", "8MB")));
  EXPECT_THAT(primary.values, Not(Contains(Key("Work_Mem"))));
  EXPECT_THAT(primary.values, Contains(Pair("max_connections", "100")));
  EXPECT_THAT(primary.warnings, ElementsAre("Role-based config attempted to override protected "
                                            "parameter 'Max_Connections', ignoring"));
  EXPECT_THAT(effective(own, {.role = Role::demoted}).values, Contains(Pair("Work_Mem", "4MB")));
}

// Trap 80.
TEST(Parameters, OwnTheSynchronousNamesOnlyWhenTheGoalSaysSo) {
  auto own = settings();
  own.parameters["synchronous_standby_names"] = "mine";
  EXPECT_THAT(effective(own).values, Contains(Pair("synchronous_standby_names", "mine")));
  ServerGoal goal;
  goal.synchronous_standby_names = "2 (a,b)";
  EXPECT_THAT(effective(own, goal).values, Contains(Pair("synchronous_standby_names", "2 (a,b)")));
  goal.synchronous_standby_names = "";
  EXPECT_THAT(effective(own, goal).values, Not(Contains(Key("synchronous_standby_names"))));
}

TEST(Parameters, EnforceFeedback) {
  auto own = settings();
  own.parameters["hot_standby_feedback"] = "off";
  ServerGoal goal;
  goal.hot_standby_feedback = true;
  EXPECT_THAT(effective(own, goal).values, Contains(Pair("hot_standby_feedback", "on")));
}

TEST(Parameters, ConvertWalRetentionToTheVersionsName) {
  auto own = settings();
  own.parameters["wal_keep_segments"] = "4";
  EXPECT_THAT(effective(own, {}, 13).values, Contains(Pair("wal_keep_size", "64MB")));
  EXPECT_THAT(effective(own, {}, 13).values, Not(Contains(Key("wal_keep_segments"))));
  EXPECT_THAT(effective(own, {}, 12).values, Contains(Pair("wal_keep_segments", "4")));
  own.parameters.erase("wal_keep_segments");
  own.parameters["wal_keep_size"] = "1GB";
  EXPECT_THAT(effective(own, {}, 12).values, Contains(Pair("wal_keep_segments", "64")));
}

TEST(Parameters, LeaveOutRecoverySettingsAndTheUnknown) {
  auto own = settings();
  own.parameters["restore_command"] = "cp";
  own.parameters["data_directory"] = "/other";
  own.parameters["no_such"] = "1";
  own.parameters["my_ext.option"] = "x";
  const auto result = effective(own);
  EXPECT_THAT(result.values, Not(Contains(Key("restore_command"))));
  EXPECT_THAT(result.values, Not(Contains(Key("data_directory"))));
  EXPECT_THAT(result.values, Contains(Pair("my_ext.option", "x")));
  EXPECT_THAT(result.unknown, ElementsAre("no_such"));
  const auto described =
      effective_parameters(own, {}, {.major_version = 15, .described = {"no_such"}});
  EXPECT_THAT(described.values, Contains(Pair("no_such", "1")));
  EXPECT_THAT(described.unknown, IsEmpty());
}

TEST(Parameters, MakeRelativeAccessFilesAbsolute) {
  auto own = settings();
  own.config_dir = "/conf";
  own.parameters["hba_file"] = "sub/hba.conf";
  EXPECT_THAT(effective(own).values, Contains(Pair("hba_file", "/conf/sub/hba.conf")));
}

TEST(Parameters, OfACustomBootstrapArchiveNothing) {
  auto own = settings();
  own.parameters["archive_mode"] = "on";
  const auto result = effective_parameters(
      own, {}, {.major_version = 15, .custom_bootstrap = true, .hot_standby_off = true});
  EXPECT_THAT(result.values, Contains(Pair("archive_mode", "off")));
  EXPECT_THAT(result.values, Contains(Pair("hot_standby", "off")));
  EXPECT_THAT(result.values, Contains(Pair("hba_file", "/data/pg_hba.conf")));
}

TEST(CommandLineOf, HasTheContractsOrder) {
  const auto line = command_line(effective(settings()).values, nullptr);
  EXPECT_THAT(line.arguments,
              ElementsAre("--listen_addresses=127.0.0.1,10.0.0.1", "--port=5433",
                          "--cluster_name=demo", "--wal_level=replica", "--hot_standby=on",
                          "--max_connections=100", "--max_wal_senders=10"));
  EXPECT_THAT(line.kept_larger, IsEmpty());
}

TEST(CommandLineOf, AStandbyKeepsTheLargerValuesOfItsControlFile) {
  ControlData control;
  control.max_connections = 200;
  control.max_wal_senders = 5;
  const auto line = command_line(effective(settings()).values, &control);
  EXPECT_THAT(line.arguments, Contains("--max_connections=200"));
  EXPECT_THAT(line.arguments, Contains("--max_wal_senders=10"));
  EXPECT_THAT(line.kept_larger, ElementsAre(PendingRestart{"max_connections", "200", "100"}));
}

TEST(LinesForRole, ReplaceTheUsualOnes) {
  const std::vector<std::string> usual{"a"};
  const ByRole<std::vector<std::string>> by_role{{"replica", {"b"}}};
  EXPECT_THAT(lines_for_role(usual, by_role, Role::primary), ElementsAre("a"));
  EXPECT_THAT(lines_for_role(usual, by_role, Role::demoted), ElementsAre("b"));
  EXPECT_THAT(lines_for_role(usual, by_role, Role::standby_leader), ElementsAre("a"));
}

}  // namespace
}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// The shared settings: defaults, readers and the timing rules (contract config 3 and 6).
#include "core/cluster_settings.h"

#include <gtest/gtest.h>

#include <vector>

namespace tanist {
namespace {

ClusterSettings settings_of(std::initializer_list<Tree::Entry> entries) {
  auto settings = cluster_settings_from(Tree::map(entries));
  EXPECT_TRUE(settings) << (settings ? "" : settings.error().message);
  return settings ? *settings : ClusterSettings();
}

struct QuantityRow {
  Tree value;
  const char* unit;
  std::optional<std::int64_t> expected;
};

TEST(IntWithUnit, ReadsAsPostgresDoes) {
  const std::vector<QuantityRow> rows{
      {10, "", 10},
      {"10", "", 10},
      {" 10 ", "", 10},
      {"-10", "", -10},
      {"0x10", "", 16},
      {"010", "", 8},
      {"1.5", "", 2},
      {"2.5", "", 2},
      {2.5, "", 2},
      {3.5, "", 4},
      {"1e3", "", 1000},
      {"10", "s", 10},
      {"5min", "s", 300},
      {"5 min", "s", 300},
      {"1h", "s", 3600},
      {"1d", "min", 1440},
      {"1500ms", "s", 2},
      {"128MB", "kB", 131072},
      {"1GB", "B", 1073741824},
      {"4097.5kB", "kB", 4098},
      {"0.1GB", "kB", 104448},
      {"1.5h", "s", 5400},
      {"0.01h", "s", 60},
      {"5min", "", std::nullopt},
      {"5MB", "s", std::nullopt},
      {"5s", "kB", std::nullopt},
      {"5mb", "kB", std::nullopt},
      {"5 5", "s", std::nullopt},
      {"x", "", std::nullopt},
      {"", "", std::nullopt},
      {"99999999999999999999999", "", std::nullopt},
      {"1e400", "", std::nullopt},
      {"nan", "", std::nullopt},
      {"0x", "", std::nullopt},
      {1e300, "", std::nullopt},
      {true, "", std::nullopt},
      {Tree(), "", std::nullopt},
      {Tree::list({1}), "", std::nullopt},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(int_with_unit(row.value, row.unit), row.expected)
        << text_form(row.value) << " in " << row.unit;
  }
}

TEST(ClusterSettings, DefaultsAreThoseOfTheContract) {
  const auto settings = settings_of({});
  EXPECT_EQ(settings.timing, (Timing{seconds(30), seconds(10), seconds(10)}));
  EXPECT_EQ(settings.lag_bytes_max_on_failover, 1048576);
  EXPECT_EQ(settings.lag_bytes_max_on_syncnode, -1);
  EXPECT_EQ(settings.primary_start_timeout, seconds(300));
  EXPECT_EQ(settings.primary_stop_timeout, seconds(0));
  EXPECT_EQ(settings.synchronous_node_count, 1);
  EXPECT_EQ(settings.member_slots_ttl, seconds(1800));
  EXPECT_EQ(settings.synchronous_mode, SynchronousMode::off);
}

TEST(ClusterSettings, PlainSecondsAcceptNumericTextsAndNothingElse) {
  EXPECT_EQ(settings_of({{"ttl", "40"}, {"loop_wait", 5.9}}).timing,
            (Timing{seconds(40), seconds(5), seconds(10)}));
  for (const auto& bad : {Tree("30s"), Tree("x"), Tree(), Tree::list(), Tree(true), Tree("")}) {
    for (const auto* key : {"ttl", "loop_wait", "retry_timeout"}) {
      const auto settings = cluster_settings_from(Tree::map({{key, bad}}));
      ASSERT_FALSE(settings) << key << " " << text_form(bad);
      EXPECT_EQ(settings.error().code, Errc::invalid);
    }
  }
}

TEST(ClusterSettings, ADocumentThatIsNoMapIsRefused) {
  EXPECT_FALSE(cluster_settings_from(Tree::list()));
  EXPECT_FALSE(cluster_settings_from(Tree()));
}

TEST(ClusterSettings, AnUnusableValueMeansItsDefault) {
  const auto settings = settings_of({{"maximum_lag_on_failover", "lots"},
                                     {"primary_start_timeout", Tree::list()},
                                     {"check_timeline", "maybe"},
                                     {"synchronous_node_count", "two"},
                                     {"slots", 5},
                                     {"standby_cluster", "x"}});
  EXPECT_EQ(settings.lag_bytes_max_on_failover, 1048576);
  EXPECT_EQ(settings.primary_start_timeout, seconds(300));
  EXPECT_FALSE(settings.check_timeline);
  EXPECT_EQ(settings.synchronous_node_count, 1);
  EXPECT_FALSE(settings.standby_cluster);
}

TEST(ClusterSettings, ImmenseTimesAreBounded) {
  EXPECT_EQ(settings_of({{"member_slots_ttl", INT64_MAX}}).member_slots_ttl,
            seconds(1'000'000'000));
  EXPECT_FALSE(cluster_settings_from(Tree::map({{"ttl", INT64_MAX}})));
}

TEST(ClusterSettings, TheNewNameOfATimeoutWins) {
  EXPECT_EQ(settings_of({{"master_start_timeout", 7}}).primary_start_timeout, seconds(7));
  EXPECT_EQ(settings_of({{"master_start_timeout", 7}, {"primary_start_timeout", 9}})
                .primary_start_timeout,
            seconds(9));
  EXPECT_EQ(settings_of({{"master_stop_timeout", 7}}).primary_stop_timeout, seconds(7));
}

TEST(ClusterSettings, TheOldNamesOfSlotsWin) {
  const auto named = [](const char* name) { return Tree::map({{name, Tree()}}); };
  EXPECT_EQ(settings_of({{"slots", named("a")}}).slots, named("a"));
  EXPECT_EQ(settings_of({{"slots", named("a")}, {"permanent_slots", named("b")}}).slots,
            named("b"));
  EXPECT_EQ(settings_of({{"slots", named("a")},
                         {"permanent_slots", named("b")},
                         {"permanent_replication_slots", named("c")}})
                .slots,
            named("c"));
}

TEST(ClusterSettings, SynchronousModeIsABooleanOrQuorum) {
  EXPECT_EQ(settings_of({{"synchronous_mode", true}}).synchronous_mode, SynchronousMode::priority);
  EXPECT_EQ(settings_of({{"synchronous_mode", "on"}}).synchronous_mode, SynchronousMode::priority);
  EXPECT_EQ(settings_of({{"synchronous_mode", "Quorum"}}).synchronous_mode,
            SynchronousMode::quorum);
  EXPECT_EQ(settings_of({{"synchronous_mode", "maybe"}}).synchronous_mode, SynchronousMode::off);
}

TEST(ClusterSettings, AStandbyClusterNeedsASource) {
  EXPECT_FALSE(
      settings_of({{"standby_cluster", Tree::map({{"primary_slot_name", "s"}})}}).standby_cluster);
  const auto standby =
      settings_of({{"standby_cluster",
                    Tree::map({{"host", "h"},
                               {"port", 5433},
                               {"primary_slot_name", "s"},
                               {"create_replica_methods", Tree::list({"a", "basebackup"})}})},
                   {"synchronous_mode", true}});
  ASSERT_TRUE(standby.standby_cluster);
  EXPECT_EQ(standby.standby_cluster->host, "h");
  EXPECT_EQ(standby.standby_cluster->port, "5433");
  EXPECT_EQ(standby.standby_cluster->primary_slot_name, "s");
  EXPECT_EQ(standby.standby_cluster->create_replica_methods,
            (std::vector<std::string>{"a", "basebackup"}));
  EXPECT_EQ(standby.synchronous_mode, SynchronousMode::off);
  EXPECT_TRUE(
      settings_of({{"standby_cluster", Tree::map({{"restore_command", "cp"}})}}).standby_cluster);
}

Timing timing(int ttl, int loop_wait, int retry_timeout) {
  return {seconds(ttl), seconds(loop_wait), seconds(retry_timeout)};
}

struct TimingRow {
  Timing written;
  Timing expected;
  std::vector<std::string> warnings;
};

// Trap 12.
TEST(EffectiveTiming, IsRaisedToTheMinimaAndFitted) {
  const std::vector<TimingRow> rows{
      {timing(30, 10, 10), timing(30, 10, 10), {}},
      {timing(30, 0, 10), timing(30, 1, 10), {"loop_wait=0 can't be smaller than 1, adjusting..."}},
      {timing(10, 10, 1),
       timing(20, 10, 3),
       {"ttl=10 can't be smaller than 20, adjusting...",
        "retry_timeout=1 can't be smaller than 3, adjusting..."}},
      {timing(20, 5, 30),
       timing(20, 1, 9),
       {"Violated the rule \"loop_wait + 2*retry_timeout <= ttl\", where ttl=20. Adjusting "
        "loop_wait from 5 to 1 and retry_timeout from 30 to 9"}},
      {timing(25, 20, 10),
       timing(25, 5, 10),
       {"Violated the rule \"loop_wait + 2*retry_timeout <= ttl\", where ttl=25 and "
        "retry_timeout=10. Adjusting loop_wait from 20 to 5"}},
      {timing(21, 1, 10), timing(21, 1, 10), {}},
  };
  for (const auto& row : rows) {
    std::vector<std::string> warnings;
    EXPECT_EQ(effective_timing(row.written, patroni_timing_min, &warnings), row.expected);
    EXPECT_EQ(warnings, row.warnings);
  }
}

TEST(EffectiveTiming, OurOwnMinimaAllowAShortLease) {
  EXPECT_EQ(effective_timing(timing(3, 1, 1), tanist_timing_min, nullptr), timing(3, 1, 1));
  EXPECT_EQ(effective_timing(timing(1, 1, 1), tanist_timing_min, nullptr), timing(3, 1, 1));
}

}  // namespace
}  // namespace tanist

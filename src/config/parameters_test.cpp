// SPDX-License-Identifier: Apache-2.0
// Merging of server parameters (contract config 2 and 7).
#include "config/parameters.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tanist::config {
namespace {

class MergedParameters : public testing::Test {
 protected:
  Parameters merge(std::string_view dynamic, std::string_view local = "null") {
    const auto shared = *parse_json(dynamic);
    const auto own = *parse_json(local);
    warnings.clear();
    return merged_parameters(&shared, &own, {"127.0.0.1", "5433", "demo"}, warnings);
  }
  std::vector<std::string> warnings;
};

TEST_F(MergedParameters, ControlledOnesHaveDefaults) {
  const auto parameters = merge("null");
  const std::map<std::string, std::string> expected{{"cluster_name", "demo"},
                                                    {"hot_standby", "on"},
                                                    {"listen_addresses", "127.0.0.1"},
                                                    {"max_connections", "100"},
                                                    {"max_locks_per_transaction", "64"},
                                                    {"max_prepared_transactions", "0"},
                                                    {"max_replication_slots", "10"},
                                                    {"max_wal_senders", "10"},
                                                    {"max_worker_processes", "8"},
                                                    {"port", "5433"},
                                                    {"track_commit_timestamp", "off"},
                                                    {"wal_level", "hot_standby"},
                                                    {"wal_log_hints", "on"}};
  EXPECT_EQ((std::map<std::string, std::string>(parameters.begin(), parameters.end())), expected);
  EXPECT_TRUE(warnings.empty());
}

TEST_F(MergedParameters, TheDynamicDocumentSetsControlledOnes) {
  const auto parameters = merge(
      R"({"max_connections":200,"WAL_LEVEL":"logical","wal_keep_size":"1GB","hot_standby":"on",
          "track_commit_timestamp":true,"wal_keep_segments":"16"})");
  EXPECT_EQ(parameters.at("max_connections"), "200");
  EXPECT_EQ(parameters.at("wal_level"), "logical");
  EXPECT_EQ(parameters.at("wal_keep_size"), "1GB");
  EXPECT_EQ(parameters.at("wal_keep_segments"), "16");
  EXPECT_EQ(parameters.at("track_commit_timestamp"), "True");
  EXPECT_TRUE(warnings.empty());
}

TEST_F(MergedParameters, AnInvalidControlledValueBecomesTheDefault) {
  const auto parameters = merge(
      R"({"max_connections":10,"wal_level":"minimal","wal_log_hints":"maybe","wal_keep_size":"1MB",
          "max_wal_senders":[5],"hot_standby":"off"})");
  EXPECT_EQ(parameters.at("max_connections"), "100");
  EXPECT_EQ(parameters.at("wal_level"), "hot_standby");
  EXPECT_EQ(parameters.at("wal_log_hints"), "on");
  EXPECT_EQ(parameters.at("wal_keep_size"), "128MB");
  EXPECT_EQ(parameters.at("max_wal_senders"), "10");
  EXPECT_EQ(parameters.at("hot_standby"), "on");
  ASSERT_EQ(warnings.size(), 6U);
  EXPECT_EQ(warnings[0],
            "postgresql parameter max_connections=10 failed validation, defaulting to 100");
}

TEST_F(MergedParameters, EveryMinimumHolds) {
  struct Row {
    const char* name;
    int smallest;
  };
  for (const auto& [name, smallest] :
       {Row{"max_connections", 25}, Row{"max_wal_senders", 3}, Row{"max_prepared_transactions", 0},
        Row{"max_locks_per_transaction", 32}, Row{"max_replication_slots", 4},
        Row{"max_worker_processes", 2}, Row{"wal_keep_segments", 1}}) {
    const auto with = [&](int value) {
      return merge(to_json(Tree::map({{name, value}}))).at(name);
    };
    EXPECT_EQ(with(smallest), std::to_string(smallest)) << name;
    EXPECT_NE(with(smallest - 1), std::to_string(smallest - 1)) << name;
  }
}

TEST_F(MergedParameters, LocalValuesOfControlledOnesAreDropped) {
  const auto parameters =
      merge("null", R"({"max_connections":500,"Port":1,"wal_keep_size":"1GB"})");
  EXPECT_EQ(parameters.at("max_connections"), "100");
  EXPECT_EQ(parameters.at("port"), "5433");
  EXPECT_FALSE(parameters.contains("wal_keep_size"));
}

TEST_F(MergedParameters, NobodySetsAddressPortAndClusterName) {
  const auto parameters = merge(R"({"listen_addresses":"*","port":1,"cluster_name":"x"})");
  EXPECT_EQ(parameters.at("listen_addresses"), "127.0.0.1");
  EXPECT_EQ(parameters.at("port"), "5433");
  EXPECT_EQ(parameters.at("cluster_name"), "demo");
  EXPECT_TRUE(warnings.empty());
}

TEST_F(MergedParameters, LocalOnesWinNameByNameWhateverTheirCase) {
  const auto parameters = merge(R"({"work_mem":"1MB","archive_mode":"on"})",
                                R"({"Work_Mem":"2MB","log_min_duration_statement":500})");
  EXPECT_EQ(parameters.at("work_mem"), "2MB");
  EXPECT_EQ(parameters.find("work_mem")->first, "Work_Mem");
  EXPECT_EQ(parameters.at("archive_mode"), "on");
  EXPECT_EQ(parameters.at("log_min_duration_statement"), "500");
}

TEST_F(MergedParameters, ALocalNullRemovesADynamicOne) {
  EXPECT_FALSE(merge(R"({"work_mem":"1MB"})", R"({"work_mem":null})").contains("work_mem"));
}

TEST_F(MergedParameters, BooleansAndRealsTakePythonsForm) {
  const auto parameters = merge("null", R"({"a":true,"b":false,"c":1.5})");
  EXPECT_EQ(parameters.at("a"), "True");
  EXPECT_EQ(parameters.at("b"), "False");
  EXPECT_EQ(parameters.at("c"), "1.5");
}

TEST_F(MergedParameters, ListsAreIgnoredWithAWarning) {
  EXPECT_FALSE(merge(R"({"shared_preload_libraries":["a"]})").contains("shared_preload_libraries"));
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(warnings[0].starts_with("postgresql.parameters.shared_preload_libraries is a list"));
}

TEST_F(MergedParameters, WhatIsNoMapCountsAsEmpty) {
  EXPECT_EQ(merge("[1]", "5").size(), merge("null").size());
}

TEST(RoleParameters, CannotTouchControlledOnes) {
  std::vector<std::string> warnings;
  const auto overrides = Tree::map({{"Max_Connections", 5}, {"work_mem", "8MB"}});
  const auto parameters = role_parameters(&overrides, warnings);
  EXPECT_EQ(parameters.size(), 1U);
  EXPECT_EQ(parameters.at("work_mem"), "8MB");
  EXPECT_EQ(warnings, std::vector<std::string>{"Role-based config attempted to override protected "
                                               "parameter 'Max_Connections', ignoring"});
}

}  // namespace
}  // namespace tanist::config

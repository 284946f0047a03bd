// SPDX-License-Identifier: Apache-2.0
// The table of options agrees with itself and with the defaults in the code.
#include "config/schema.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

#include "core/cluster_settings.h"
#include "core/settings.h"

namespace tanist::config {
namespace {

std::string fallback_of(std::string_view path, bool dynamic = false) {
  const auto* option = find_option(path, dynamic);
  EXPECT_NE(option, nullptr) << path;
  return option != nullptr ? option->fallback : "";
}

TEST(Schema, EveryRowIsComplete) {
  for (const auto& option : options()) {
    EXPECT_FALSE(option.help.empty()) << option.path;
    EXPECT_TRUE(option.help.ends_with('.')) << option.path;
    EXPECT_EQ(option.path.find('{'), std::string::npos) << option.path;
    EXPECT_TRUE(option.env.empty() || option.env.starts_with("PATRONI_") ||
                option.env.starts_with("TANIST_"))
        << option.path;
    if (option.check == Check::choice) EXPECT_FALSE(option.choices.empty()) << option.path;
    if (option.check == Check::bounds) EXPECT_NE(option.min, no_bound) << option.path;
  }
}

TEST(Schema, NoPathAndNoVariableIsGivenTwice) {
  std::set<std::string> paths;
  std::set<std::string> variables;
  for (const auto& option : options()) {
    EXPECT_TRUE(paths.insert(option.path).second) << option.path;
    if (!option.env.empty()) EXPECT_TRUE(variables.insert(option.env).second) << option.env;
  }
}

TEST(Schema, PlaceholdersStandForUsersAndRoles) {
  EXPECT_EQ(find_option("postgresql.authentication.rewind.sslmode")->env, "PATRONI_REWIND_SSLMODE");
  EXPECT_TRUE(find_option("postgresql.authentication.superuser.username")->required);
  EXPECT_FALSE(find_option("postgresql.authentication.rewind.username")->required);
  EXPECT_NE(find_option("postgresql.pg_hba_standby_leader"), nullptr);
}

TEST(Schema, TellsSectionsFromOptions) {
  EXPECT_TRUE(is_section("restapi"));
  EXPECT_TRUE(is_section("postgresql.authentication"));
  EXPECT_FALSE(is_section("postgresql.authentication", true));
  EXPECT_TRUE(is_section("standby_cluster", true));
  EXPECT_FALSE(is_section("standby_cluster"));
  EXPECT_FALSE(is_section("nonsense"));
  const auto names = names_below("watchdog", false);
  EXPECT_EQ(names, (std::vector<std::string>{"device", "driver", "mode", "safety_margin"}));
}

TEST(Schema, DefaultsAreThoseOfTheSettings) {
  const Settings settings;
  EXPECT_EQ(fallback_of("namespace"), settings.store.namespace_);
  EXPECT_EQ(fallback_of("log.level"), settings.log.level);
  EXPECT_EQ(fallback_of("log.format"), *settings.log.format.as_string());
  EXPECT_EQ(fallback_of("log.max_queue_size"), std::to_string(settings.log.queue_records_max));
  EXPECT_EQ(fallback_of("log.file_size"), std::to_string(settings.log.file_bytes_max));
  EXPECT_EQ(fallback_of("log.file_num"), std::to_string(settings.log.file_count));
  EXPECT_EQ(fallback_of("restapi.request_queue_size"),
            std::to_string(settings.rest.request_queue_size));
  EXPECT_EQ(fallback_of("postgresql.database"), settings.server.database);
  EXPECT_EQ(fallback_of("postgresql.config_base_name"), settings.server.config_base_name);
  EXPECT_EQ(fallback_of("postgresql.pg_ctl_timeout"),
            std::to_string(settings.server.pg_ctl_timeout.count()));
  EXPECT_EQ(fallback_of("watchdog.device"), settings.watchdog.device);
  EXPECT_EQ(fallback_of("watchdog.safety_margin"),
            std::to_string(settings.watchdog.safety_margin.count()));
  EXPECT_EQ(fallback_of("watchdog.mode"), name_of(settings.watchdog.mode));
  EXPECT_EQ(fallback_of("guard.mode"), name_of(settings.node.guard));
}

TEST(Schema, DynamicDefaultsAreThoseOfTheClusterSettings) {
  const ClusterSettings settings;
  const auto seconds_text = [](seconds time) { return std::to_string(time.count()); };
  EXPECT_EQ(fallback_of("ttl", true), seconds_text(settings.timing.ttl));
  EXPECT_EQ(fallback_of("loop_wait", true), seconds_text(settings.timing.loop_wait));
  EXPECT_EQ(fallback_of("retry_timeout", true), seconds_text(settings.timing.retry_timeout));
  EXPECT_EQ(find_option("ttl", true)->min, tanist_timing_min.ttl.count());
  EXPECT_EQ(find_option("loop_wait", true)->min, tanist_timing_min.loop_wait.count());
  EXPECT_EQ(find_option("retry_timeout", true)->min, tanist_timing_min.retry_timeout.count());
  EXPECT_EQ(fallback_of("maximum_lag_on_failover", true),
            std::to_string(settings.lag_bytes_max_on_failover));
  EXPECT_EQ(fallback_of("maximum_lag_on_syncnode", true),
            std::to_string(settings.lag_bytes_max_on_syncnode));
  EXPECT_EQ(fallback_of("primary_start_timeout", true),
            seconds_text(settings.primary_start_timeout));
  EXPECT_EQ(int_with_unit(Tree(fallback_of("member_slots_ttl", true)), "s"),
            settings.member_slots_ttl.count());
  EXPECT_EQ(fallback_of("synchronous_node_count", true),
            std::to_string(settings.synchronous_node_count));
}

}  // namespace
}  // namespace tanist::config

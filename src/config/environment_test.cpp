// SPDX-License-Identifier: Apache-2.0
// Variables by the contract's table (config 5).
#include "config/environment.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "base/json.h"
#include "config/schema.h"

namespace tanist::config {
namespace {

std::string tree_of(const Environment& environment) {
  const auto read = tree_from(environment);
  EXPECT_TRUE(read.warnings.empty()) << read.warnings.front();
  return to_json(read.tree);
}

TEST(EnvironmentTree, IsEmptyWithoutVariables) { EXPECT_EQ(tree_of({}), "null"); }

TEST(EnvironmentTree, TextsNumbersAndBooleansTakeTheirPlace) {
  EXPECT_EQ(tree_of({{"PATRONI_SCOPE", "demo"},
                     {"PATRONI_NAME", "10"},
                     {"PATRONI_LOG_MODE", "0644"},
                     {"PATRONI_LOG_DEDUPLICATE_HEARTBEAT_LOGS", "Yes"},
                     {"PATRONI_RESTAPI_USERNAME", "u"},
                     {"PATRONI_POSTGRESQL_BIN_PG_CTL", "pg_ctl15"},
                     {"PATRONI_SUPERUSER_SSLMODE", "verify-full"},
                     {"PATRONI_CTL_INSECURE", "on"},
                     {"TANIST_GUARD", "required"}}),
            R"({"scope":"demo","name":"10","log":{"mode":420,"deduplicate_heartbeat_logs":true},)"
            R"("restapi":{"authentication":{"username":"u"}},"ctl":{"insecure":true},)"
            R"("postgresql":{"bin_name":{"pg_ctl":"pg_ctl15"},)"
            R"("authentication":{"superuser":{"sslmode":"verify-full"}}},)"
            R"("guard":{"mode":"required"}})");
}

TEST(EnvironmentTree, ListsAndMapsMayLackTheirBrackets) {
  EXPECT_EQ(tree_of({{"PATRONI_RESTAPI_ALLOWLIST", "a, 10.0.0.0/8"},
                     {"PATRONI_RESTAPI_HTTP_EXTRA_HEADERS", "{X-A: b}"},
                     {"PATRONI_LOG_STATIC_FIELDS", "app: db, n: 1"}}),
            R"({"log":{"static_fields":{"app":"db","n":1}},)"
            R"("restapi":{"allowlist":["a","10.0.0.0/8"],"http_extra_headers":{"X-A":"b"}}})");
}

TEST(EnvironmentTree, EndpointsAreAListInEveryUsualSpelling) {
  for (const auto* text : {"'h1:2379','h2:2379'", "h1:2379,h2:2379", "[h1:2379, h2:2379]"}) {
    EXPECT_EQ(tree_of({{"PATRONI_ETCD3_HOSTS", text}}),
              R"({"etcd3":{"hosts":["h1:2379","h2:2379"]}})")
        << text;
  }
  EXPECT_EQ(tree_of({{"PATRONI_ETCD3_HOSTS", "[::1]:2379,[::2]:2379"}}),
            R"({"etcd3":{"hosts":"[::1]:2379,[::2]:2379"}})");
}

TEST(EnvironmentTree, ALogFormatWithoutFieldsIsAList) {
  EXPECT_EQ(tree_of({{"PATRONI_LOG_FORMAT", "%(message)s"}}),
            R"({"log":{"format":"%(message)s"}})");
  EXPECT_EQ(tree_of({{"PATRONI_LOG_FORMAT", "message, {levelname: level}"}}),
            R"({"log":{"format":["message",{"levelname":"level"}]}})");
}

TEST(EnvironmentTree, OldNamesCountWhenTheNewOnesAreUnset) {
  EXPECT_EQ(tree_of({{"PATRONI_LOGLEVEL", "DEBUG"}, {"PATRONI_LOG_DATEFMT", "%H"}}),
            R"({"log":{"level":"DEBUG","dateformat":"%H"}})");
  EXPECT_EQ(tree_of({{"PATRONI_LOGLEVEL", "DEBUG"}, {"PATRONI_LOG_LEVEL", "ERROR"}}),
            R"({"log":{"level":"ERROR"}})");
}

TEST(EnvironmentTree, AnEmptyTextIsUnsetExceptForTheStore) {
  EXPECT_EQ(
      tree_of({{"PATRONI_NAME", ""}, {"PATRONI_ETCD3_CACERT", ""}, {"PATRONI_ETCD3_PORT", ""}}),
      R"({"etcd3":{"cacert":""}})");
}

TEST(EnvironmentTree, CredentialsAloneAreNoStore) {
  EXPECT_EQ(tree_of({{"PATRONI_ETCD3_USERNAME", "u"}, {"PATRONI_ETCD3_PASSWORD", "p"}}), "{}");
  EXPECT_EQ(tree_of({{"PATRONI_ETCD3_USERNAME", "u"}, {"PATRONI_ETCD3_HOST", "h"}}),
            R"({"etcd3":{"host":"h","username":"u"}})");
}

TEST(EnvironmentTree, OtherStoresAreNoticed) {
  EXPECT_EQ(tree_of({{"PATRONI_ETCD_HOST", "h"}, {"PATRONI_CITUS_GROUP", "1"}}),
            R"({"citus":{"group":"1"},"etcd":{"host":"h"}})");
}

TEST(EnvironmentTree, UnusableAndUnknownVariablesAreTold) {
  const auto read = tree_from({{"PATRONI_LOG_MODE", "rw"},
                               {"PATRONI_RESTAPI_LISTN", "x"},
                               {"PATRONI_RESTAPI_ALLOWLIST", "[a"},
                               {"PATRONI_CONFIGURATION", ""}});
  EXPECT_TRUE(read.tree.is_null());
  EXPECT_EQ(read.warnings,
            (std::vector<std::string>{
                "environment variable PATRONI_LOG_MODE cannot be read as log.mode; it is ignored",
                "environment variable PATRONI_RESTAPI_ALLOWLIST cannot be read as "
                "restapi.allowlist; it is ignored",
                "environment variable PATRONI_RESTAPI_LISTN is unknown; it is ignored"}));
}

TEST(EnvironmentTree, EveryVariableOfTheTableIsRead) {
  for (const auto& option : options()) {
    if (option.env.empty()) continue;
    const bool number = option.kind == Kind::integer;
    const auto* text = number                         ? "5"
                       : option.kind == Kind::boolean ? "on"
                       : option.kind == Kind::map     ? "a: b"
                                                      : "x";
    const auto read = tree_from({{option.env, text}, {"PATRONI_ETCD3_HOST", "h"}});
    EXPECT_TRUE(read.warnings.empty()) << option.env;
    EXPECT_EQ(read.where.at(option.path), option.env);
  }
}

TEST(TakeEnvironment, RemovesWhatItTakes) {
  setenv("PATRONI_NAME", "n", 1);
  setenv("PATRONI_ANYTHING", "", 1);
  setenv("TANIST_GUARD", "off", 1);
  setenv("PATRONICTL_CONFIG_FILE", "kept", 1);
  const auto taken = take_environment();
  EXPECT_EQ(taken.at("PATRONI_NAME"), "n");
  EXPECT_EQ(taken.at("PATRONI_ANYTHING"), "");
  EXPECT_EQ(taken.at("TANIST_GUARD"), "off");
  EXPECT_EQ(getenv("PATRONI_NAME"), nullptr);
  EXPECT_EQ(getenv("PATRONI_ANYTHING"), nullptr);
  EXPECT_EQ(getenv("TANIST_GUARD"), nullptr);
  EXPECT_STREQ(getenv("PATRONICTL_CONFIG_FILE"), "kept");
  unsetenv("PATRONICTL_CONFIG_FILE");
  EXPECT_TRUE(take_environment().empty());
}

}  // namespace
}  // namespace tanist::config

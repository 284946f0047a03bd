// SPDX-License-Identifier: Apache-2.0
// --generate-sample-config.
#include "config/sample.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "yaml/yaml.h"

namespace tanist::config {
namespace {

SampleFacts facts_of(int major) {
  SampleFacts facts;
  facts.host_name = "pg-1";
  facts.address = "10.0.0.1";
  facts.major_version = major;
  return facts;
}

Tree tree_of(const Environment& environment, const SampleFacts& facts) {
  const auto document = yaml::parse_yaml(sample_config(environment, facts), "sample");
  EXPECT_TRUE(document) << (document ? "" : document.error().message);
  return document ? document->tree : Tree();
}

std::string at(const Tree& tree, std::initializer_list<std::string_view> path) {
  const auto* found = tree.find_path(path);
  return found != nullptr ? to_json(*found) : "absent";
}

TEST(SampleConfig, LooksLikeThis) {
  EXPECT_EQ(sample_config({}, facts_of(15)), R"(scope: '#FIXME'
name: pg-1

log:
  format: '%(asctime)s %(levelname)s: %(message)s'
  level: INFO
  max_queue_size: 1000
  traceback_level: ERROR
  type: plain

restapi:
  connect_address: 10.0.0.1:8008
  listen: 10.0.0.1:8008

# Used once, when the first member makes a new cluster; later changes here have no effect.
# On all other members, and on a cluster that exists, it is not looked at.
bootstrap:
  # First content of the dynamic configuration, which lives in the store under
  # /NAMESPACE/SCOPE/config and is the same for all members. Once it is there, only
  # "tanistctl edit-config" or the REST API (PATCH /config) changes it: editing this
  # section of a cluster that exists does nothing.
  dcs:
    loop_wait: 10
    postgresql:
      parameters:
        hot_standby: 'on'
        max_connections: 100
        max_locks_per_transaction: 64
        max_prepared_transactions: 0
        max_replication_slots: 10
        max_wal_senders: 10
        max_worker_processes: 8
        track_commit_timestamp: 'off'
        wal_keep_size: 128MB
        wal_level: replica
        wal_log_hints: 'on'
      use_pg_rewind: true
      use_slots: true
    retry_timeout: 10
    ttl: 30

postgresql:
  authentication:
    replication:
      password: '#FIXME'
      username: replicator
    rewind:
      password: '#FIXME'
      username: rewind_user
    superuser:
      password: '#FIXME'
      username: postgres
  bin_dir: ''
  connect_address: 10.0.0.1:5432
  data_dir: '#FIXME'
  listen: 10.0.0.1:5432
  parameters:
    password_encryption: scram-sha-256
  pg_hba:
  - host all all all scram-sha-256
  - host replication replicator all scram-sha-256

tags:
  clonefrom: true
  failover_priority: 1
  noloadbalance: false
  nostream: false
  nosync: false
  sync_priority: 1)");
}

TEST(SampleConfig, TakesTheEnvironment) {
  const auto tree = tree_of({{"PATRONI_SCOPE", "demo"},
                             {"PATRONI_NAMESPACE", "/db"},
                             {"PATRONI_REPLICATION_USERNAME", "rep"},
                             {"PATRONI_ETCD3_HOSTS", "a:1"},
                             {"PATRONI_POSTGRESQL_DATA_DIR", "/data"}},
                            facts_of(15));
  EXPECT_EQ(at(tree, {"scope"}), "\"demo\"");
  EXPECT_EQ(at(tree, {"namespace"}), "\"/db\"");
  EXPECT_EQ(at(tree, {"etcd3", "hosts"}), R"(["a:1"])");
  EXPECT_EQ(at(tree, {"postgresql", "data_dir"}), "\"/data\"");
  EXPECT_EQ(at(tree, {"postgresql", "pg_hba"}),
            R"(["host all all all scram-sha-256","host replication rep all scram-sha-256"])");
}

TEST(SampleConfig, FollowsTheServersVersion) {
  const auto old = tree_of({}, facts_of(905));
  EXPECT_EQ(at(old, {"bootstrap", "dcs", "postgresql", "parameters", "wal_level"}),
            "\"hot_standby\"");
  EXPECT_EQ(at(old, {"bootstrap", "dcs", "postgresql", "parameters", "wal_keep_segments"}), "8");
  EXPECT_EQ(at(old, {"postgresql", "parameters", "password_encryption"}), "\"md5\"");
  EXPECT_EQ(at(old, {"postgresql", "authentication", "rewind"}), "absent");
  const auto ten = tree_of({}, facts_of(10));
  EXPECT_EQ(at(ten, {"bootstrap", "dcs", "postgresql", "parameters", "wal_level"}), "\"replica\"");
  EXPECT_EQ(at(ten, {"postgresql", "authentication", "rewind"}), "absent");
  EXPECT_EQ(at(ten, {"postgresql", "parameters", "password_encryption"}), "\"scram-sha-256\"");
  const auto twelve = tree_of({}, facts_of(12));
  EXPECT_EQ(at(twelve, {"bootstrap", "dcs", "postgresql", "parameters", "wal_keep_size"}),
            "absent");
}

TEST(SampleConfig, AnUnknownAddressIsLeftToTheUser) {
  auto facts = facts_of(15);
  facts.address.clear();
  EXPECT_EQ(at(tree_of({}, facts), {"restapi", "listen"}), "\"#FIXME\"");
}

TEST(SampleConfig, IsReadWithoutWarningsByTheAgent) {
  auto environment = Environment{{"PATRONI_SCOPE", "s"}, {"PATRONI_ETCD3_HOST", "e"}};
  const auto text = sample_config(environment, facts_of(15));
  const auto local = load_local("", {{"PATRONI_CONFIGURATION", text}});
  ASSERT_TRUE(local) << local.error().message;
  EXPECT_TRUE(local->warnings.empty()) << local->warnings.front();
  EXPECT_TRUE(effective_settings(*local, Tree(), nullptr));
}

TEST(SampleFacts, NeedPostgres) {
  const auto facts = sample_facts({{"PATRONI_POSTGRESQL_BIN_DIR", "/nonexistent"},
                                   {"PATRONI_POSTGRESQL_BIN_POSTGRES", "no-such-postgres"}});
  ASSERT_FALSE(facts);
  EXPECT_TRUE(facts.error().message.starts_with("Failed to get postgres version: "));
}

}  // namespace
}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
// --validate-config, line by line (contract config 10).
#include "config/validate.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "yaml/yaml.h"

namespace tanist::config {
namespace {

using Lines = std::vector<std::string>;

class Validate : public testing::Test {
 protected:
  Validate() {
    std::string name = testing::TempDir() + "tanist-validate-XXXXXX";
    folder = mkdtemp(name.data());
    bin_dir = folder + "/bin";
    std::filesystem::create_directory(bin_dir);
    for (const auto* program :
         {"pg_ctl", "initdb", "pg_controldata", "pg_basebackup", "postgres", "pg_isready"}) {
      const auto path = bin_dir + "/" + program;
      std::ofstream(path) << "#!/bin/sh\n";
      chmod(path.c_str(), 0755);
    }
    options.answers = [this](const HostPort& address) { return open_ports.contains(address.port); };
    options.version_text = [](const std::string&) -> Result<std::string> {
      return std::string("postgres (PostgreSQL) 15.4");
    };
  }
  ~Validate() override { std::filesystem::remove_all(folder); }

  // `patch` is laid over a file that passes.
  Lines lines(std::string_view patch) {
    LocalConfig local;
    local.tree = Tree::map(
        {{"scope", "demo"},
         {"name", "a"},
         {"restapi",
          Tree::map({{"listen", "10.0.0.1:8008"}, {"connect_address", "10.0.0.1:8008"}})},
         {"etcd3", Tree::map({{"host", "10.0.0.2:2379"}})},
         {"postgresql",
          Tree::map({{"listen", "10.0.0.1:5432"},
                     {"connect_address", "10.0.0.1:5432"},
                     {"data_dir", folder + "/data"},
                     {"bin_dir", bin_dir},
                     {"authentication",
                      Tree::map({{"superuser", Tree::map({{"username", "postgres"}})},
                                 {"replication", Tree::map({{"username", "rep"}})}})}})}});
    const auto change = yaml::parse_yaml(patch, "patch");
    EXPECT_TRUE(change) << (change ? "" : change.error().message);
    if (change) deep_patch(local.tree, change->tree);
    return validate(local, options);
  }
  Lines line(std::string text) const { return {std::move(text)}; }
  void make_data_dir(const std::string& version) const {
    std::filesystem::create_directories(folder + "/data/global");
    std::filesystem::create_directories(folder + "/data/pg_wal");
    std::ofstream(folder + "/data/global/pg_control") << "x";
    std::ofstream(folder + "/data/PG_VERSION") << version << "\n";
  }

  std::string folder;
  std::string bin_dir;
  std::set<int> open_ports{2379};
  ValidateOptions options;
};

TEST_F(Validate, AGoodFilePasses) { EXPECT_EQ(lines("{}"), Lines()); }

TEST_F(Validate, AValueThatIsAbsentLeavesTwoBlanks) {
  EXPECT_EQ(lines("scope: null"), line("scope  is not defined."));
}

TEST_F(Validate, RequiredKeysAreNamed) {
  EXPECT_EQ(lines("{name: null, restapi: {listen: null, connect_address: null}}"),
            (Lines{"name  is not defined.", "restapi.listen  is not defined.",
                   "restapi.connect_address  is not defined."}));
  EXPECT_EQ(
      lines("postgresql: {listen: null, connect_address: null, data_dir: null}"),
      (Lines{"postgresql.listen  is not defined.", "postgresql.connect_address  is not defined.",
             "postgresql.data_dir  is not defined."}));
  EXPECT_EQ(lines("postgresql: {authentication: {superuser: {username: null}, replication: null}}"),
            (Lines{"postgresql.authentication.superuser.username  is not defined.",
                   "postgresql.authentication.replication  is not defined."}));
}

TEST_F(Validate, AMissingSectionIsNamedOnce) {
  EXPECT_EQ(lines("restapi: null"), line("restapi  is not defined."));
  EXPECT_EQ(lines("postgresql: null"), line("postgresql  is not defined."));
  EXPECT_EQ(lines("bootstrap: {method: x}"), line("bootstrap.dcs  is not defined."));
  EXPECT_EQ(lines("restapi: 5"), line("restapi 5 is not a dictionary"));
}

TEST_F(Validate, AuthenticationNeedsBothFields) {
  EXPECT_EQ(lines("restapi: {authentication: {username: u}}"),
            line("restapi.authentication.password  is not defined."));
  EXPECT_EQ(lines("ctl: {authentication: {password: p}}"),
            line("ctl.authentication.username  is not defined."));
}

TEST_F(Validate, WrongTypesAreNamed) {
  EXPECT_EQ(lines("{scope: 5, log: {max_queue_size: x, loggers: [], dir: 1}}"),
            (Lines{"scope 5 is not a string", "log.max_queue_size x is not an integer",
                   "log.dir 1 is not a string", "log.loggers [] is not a dictionary"}));
  EXPECT_EQ(lines("{ctl: {insecure: 1}, tags: {nofailover: 'true'}}"),
            (Lines{"ctl.insecure 1 is not a boolean", "tags.nofailover true is not a boolean"}));
  EXPECT_EQ(lines("postgresql: {basebackup: {a: b}, rewind: x, pg_hba: x, pg_ident: []}"),
            (Lines{"postgresql.pg_hba x is not a list", "postgresql.pg_ident [] is an empty list",
                   "postgresql.rewind x is not an array",
                   "postgresql.basebackup {...} is not an array"}));
}

TEST_F(Validate, ItemsOfListsAreNamedByTheirIndex) {
  EXPECT_EQ(lines("bootstrap: {dcs: {}, initdb: [5, a, {b: c}]}"),
            line("bootstrap.initdb.0 5 is not a string"));
  EXPECT_EQ(lines("restapi: {allowlist: [a, 1]}"), line("restapi.allowlist.1 1 is not a string"));
  EXPECT_EQ(lines("restapi: {allowlist: []}"), line("restapi.allowlist [] is an empty list"));
}

TEST_F(Validate, RangesAndWords) {
  const std::string wrong = "didn't pass validation: Wrong value";
  EXPECT_EQ(lines("{thread_pool_size: 4, thread_stack_size: 524288}"),
            (Lines{"thread_pool_size 4 " + wrong, "thread_stack_size 524288 " + wrong}));
  EXPECT_EQ(lines("thread_stack_size: 131070"), Lines());
  EXPECT_EQ(lines("log: {type: xml, level: info, mode: 512, traceback_level: ALL}"),
            (Lines{"log.type xml " + wrong, "log.level info " + wrong,
                   "log.traceback_level ALL " + wrong, "log.mode 512 " + wrong}));
  EXPECT_EQ(
      lines("restapi: {verify_client: Required, server_tokens: mInimal, request_queue_size: 5000}"),
      (Lines{"restapi.verify_client Required " + wrong,
             "restapi.request_queue_size 5000 " + wrong}));
  EXPECT_EQ(lines("{watchdog: {mode: off, safety_margin: -1}, guard: {mode: off}}"), Lines());
  EXPECT_EQ(lines("{watchdog: {mode: auto, safety_margin: -2}, guard: {mode: x}}"),
            (Lines{"watchdog.mode auto " + wrong, "watchdog.safety_margin -2 " + wrong,
                   "guard.mode x " + wrong}));
  EXPECT_EQ(
      lines("{tags: {failover_priority: -1, sync_priority: x}}"),
      (Lines{"tags.failover_priority -1 " + wrong, "tags.sync_priority x is not an integer"}));
  EXPECT_EQ(lines("postgresql: {pg_ctl_timeout: -1}"),
            line("postgresql.pg_ctl_timeout -1 " + wrong));
}

TEST_F(Validate, BootstrapDcsIsChecked) {
  const std::string wrong = " didn't pass validation: Wrong value";
  EXPECT_EQ(lines(R"(bootstrap:
  dcs:
    ttl: 2
    loop_wait: '0'
    retry_timeout: 10s
    maximum_lag_on_failover: -1
    primary_start_timeout: 5min
    synchronous_mode: maybe
    synchronous_mode_strict: 1
    synchronous_node_count: 0
    standby_cluster: {primary_slot_name: x}
    postgresql:
      use_slots: x
      use_pg_rewind: 1
      parameters: {max_connections: 0, max_wal_senders: '10', max_worker_processes: 300000}
)"),
            (Lines{"bootstrap.dcs.postgresql.use_slots x is not a boolean",
                   "bootstrap.dcs.postgresql.use_pg_rewind 1 is not a boolean",
                   "bootstrap.dcs.ttl 2" + wrong, "bootstrap.dcs.loop_wait 0" + wrong,
                   "bootstrap.dcs.retry_timeout 10s" + wrong,
                   "bootstrap.dcs.maximum_lag_on_failover -1" + wrong,
                   "bootstrap.dcs.synchronous_mode maybe didn't pass validation: invalid value for "
                   "synchronous_mode",
                   "bootstrap.dcs.synchronous_mode_strict 1 is not a boolean",
                   "bootstrap.dcs.synchronous_node_count 0" + wrong,
                   "bootstrap.dcs.postgresql.parameters.max_connections 0" + wrong,
                   "bootstrap.dcs.postgresql.parameters.max_worker_processes 300000" + wrong,
                   "bootstrap.dcs.standby_cluster.host  is not defined.",
                   "bootstrap.dcs.standby_cluster.port  is not defined.",
                   "bootstrap.dcs.standby_cluster.restore_command  is not defined."}));
}

TEST_F(Validate, SynchronousModeIsABooleanOrQuorum) {
  for (const auto* mode : {"true", "'on'", "Quorum", "0"}) {
    EXPECT_EQ(lines("bootstrap: {dcs: {synchronous_mode: " + std::string(mode) + "}}"), Lines());
  }
}

TEST_F(Validate, AddressesThatOthersMustReachAreNotLocal) {
  const std::string message =
      " didn't pass validation: must not contain \"127.0.0.1\", \"0.0.0.0\", \"*\", \"::1\", "
      "\"localhost\"";
  for (const std::string address : {"127.0.0.1:1", "0.0.0.0:1", "*:1", "[::1]:1", "localhost:1"}) {
    EXPECT_EQ(lines("restapi: {connect_address: '" + address + "'}"),
              line("restapi.connect_address " + address + message));
  }
  EXPECT_EQ(lines("postgresql: {connect_address: a, proxy_address: 'localhost:1'}"),
            (Lines{"postgresql.connect_address a didn't pass validation: contains a wrong value",
                   "postgresql.proxy_address localhost:1" + message}));
}

TEST_F(Validate, ListenPortsMustBeFree) {
  open_ports = {2379, 8008, 5432};
  EXPECT_EQ(lines("{}"), (Lines{"restapi.listen 10.0.0.1:8008 didn't pass validation: Port 8008 is "
                                "already in use.",
                                "postgresql.listen 10.0.0.1:5432 didn't pass validation: Port 5432 "
                                "is already in use."}));
  options.ignore_listen_port = true;
  EXPECT_EQ(lines("{}"), Lines());
}

TEST_F(Validate, ListenAddressesMustBeAddresses) {
  EXPECT_EQ(lines("{restapi: {listen: '8008'}, postgresql: {listen: '*,a:5432'}}"),
            (Lines{"restapi.listen 8008 didn't pass validation: contains a wrong value",
                   "postgresql.listen *,a:5432 didn't pass validation: expecting '*' alone"}));
  EXPECT_EQ(lines("{restapi: {listen: 'a,b:8008'}, postgresql: {listen: 'a,[::1]:5432'}}"),
            line("restapi.listen a,b:8008 didn't pass validation: contains a wrong value"));
}

TEST_F(Validate, EndpointsOfTheStoreMustAnswer) {
  open_ports.clear();
  EXPECT_EQ(lines("etcd3: {host: h}"),
            line("etcd3.host h didn't pass validation: h is not reachable"));
  EXPECT_EQ(lines("etcd3: {host: null, hosts: ['a:1', 'b:x']}"),
            (Lines{"etcd3.hosts.0 a:1 didn't pass validation: a:1 is not reachable",
                   "etcd3.hosts.1 b:x didn't pass validation: contains a wrong value"}));
  EXPECT_EQ(lines("etcd3: {host: null, hosts: 'a:1,b:2'}"),
            (Lines{"etcd3.hosts a:1,b:2 didn't pass validation: a:1 is not reachable",
                   "etcd3.hosts a:1,b:2 didn't pass validation: b:2 is not reachable"}));
  EXPECT_EQ(lines("etcd3: {host: null, url: 'http://nobody:1'}"), Lines());
}

TEST_F(Validate, AStoreNeedsAnEndpoint) {
  EXPECT_EQ(lines("etcd3: null"), line("etcd3  is not defined."));
  EXPECT_EQ(lines("etcd3: {host: null, username: u}"),
            (Lines{"etcd3.host  is not defined.", "etcd3.hosts  is not defined.",
                   "etcd3.srv  is not defined.", "etcd3.srv_suffix  is not defined.",
                   "etcd3.url  is not defined.", "etcd3.proxy  is not defined."}));
}

TEST_F(Validate, OtherStoresAreNotSupported) {
  EXPECT_EQ(lines("{etcd3: null, consul: {host: x}}"),
            (Lines{"consul  is not supported as store, only etcd3 is.", "etcd3  is not defined."}));
}

TEST_F(Validate, TagsThatExcludeEachOther) {
  EXPECT_EQ(lines("tags: {nofailover: true, failover_priority: 1, nosync: true, sync_priority: 1}"),
            (Lines{"tags  Multiple of ('nofailover', 'failover_priority') provided",
                   "tags  Multiple of ('nosync', 'sync_priority') provided"}));
}

TEST_F(Validate, LogFormats) {
  const std::string start = "didn't pass validation: ";
  EXPECT_EQ(lines("log: {format: 5}"),
            line("log.format 5 " + start + "Should be a string or a list"));
  EXPECT_EQ(lines("log: {format: []}"),
            line("log.format [] " + start + "should contain at least one item"));
  EXPECT_EQ(lines("log: {format: [a, {b: 1}]}"),
            line("log.format [...] " + start +
                 "each item should be a string or a dictionary with string values"));
  EXPECT_EQ(lines("log: {format: [a, {b: c}]}"), Lines());
}

TEST_F(Validate, TheDataDirectory) {
  const auto data_dir = folder + "/data";
  const auto start = "postgresql.data_dir " + data_dir + " didn't pass validation: ";
  EXPECT_EQ(lines("postgresql: {data_dir: ''}"),
            line("postgresql.data_dir  didn't pass validation: is an empty string"));
  std::ofstream(folder + "/file") << "x";
  EXPECT_EQ(
      lines("postgresql: {data_dir: " + folder + "/file}"),
      line("postgresql.data_dir " + folder + "/file didn't pass validation: is not a directory"));
  std::filesystem::create_directory(data_dir);
  EXPECT_EQ(lines("{}"), Lines());
  std::ofstream(data_dir + "/something") << "x";
  EXPECT_EQ(lines("{}"), line(start + "doesn't look like a valid data directory"));
  make_data_dir("15");
  EXPECT_EQ(lines("{}"), Lines());
  std::filesystem::remove(data_dir + "/pg_wal");
  EXPECT_EQ(lines("{}"), line(start + "data dir for the cluster is not empty, but doesn't contain "
                                      "\"pg_wal\" directory"));
  make_data_dir("14");
  EXPECT_EQ(lines("{}"),
            line(start + "data_dir directory postgresql version (14) doesn't match with 'postgres "
                         "--version' output (15)"));
}

TEST_F(Validate, TheProgramsOfTheServer) {
  std::filesystem::remove(bin_dir + "/pg_ctl");
  EXPECT_EQ(lines("{}"), line("postgresql.bin_dir " + bin_dir + " does not contain 'pg_ctl' in '" +
                              bin_dir + "'"));
  EXPECT_EQ(lines("postgresql: {bin_name: {pg_ctl: initdb}}"), Lines());
  EXPECT_EQ(lines("postgresql: {bin_name: {pg_ctl: gone}}"),
            line("postgresql.bin_name.pg_ctl gone didn't pass validation: does not contain 'gone' "
                 "in '" +
                 bin_dir + "'"));
  EXPECT_EQ(lines("postgresql: {bin_dir: /nonexistent}"),
            line("postgresql.bin_dir /nonexistent Directory '/nonexistent' does not exist."));
  std::ofstream(folder + "/file") << "x";
  EXPECT_EQ(
      lines("postgresql: {bin_dir: " + folder + "/file}"),
      line("postgresql.bin_dir " + folder + "/file '" + folder + "/file' is not a directory."));
}

TEST_F(Validate, WithoutBinDirThePathIsSearched) {
  const std::string before = getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const auto found = lines("postgresql: {bin_dir: null}");
  setenv("PATH", before.c_str(), 1);
  ASSERT_EQ(found.size(), 6U);
  EXPECT_EQ(found[0], "postgresql.bin_dir  does not contain 'pg_ctl' in '$PATH'");
}

TEST_F(Validate, SecretsAreNotShown) {
  for (const auto& text : lines("{restapi: {authentication: {username: u, password: 4711}}, etcd3: "
                                "{url: 4711, password: 4711}, postgresql: {authentication: "
                                "{superuser: {password: 4711}, rewind: [4711]}}}")) {
    EXPECT_EQ(text.find("4711"), std::string::npos) << text;
  }
}

TEST_F(Validate, UnknownKeysAreNoProblem) {
  EXPECT_EQ(lines("{anything: 1, postgresql: {anything: 1}, tags: {anything: 1}}"), Lines());
}

TEST(PrintConfig, IsSortedBlockYamlWithBinDir) {
  LocalConfig local;
  local.tree = yaml::parse_yaml("{scope: s, postgresql: {listen: 'a:1'}, name: 'on'}", "p")->tree;
  EXPECT_EQ(print_config(local),
            "name: 'on'\npostgresql:\n  bin_dir: ''\n  listen: a:1\nscope: s\n");
  local.tree.find("postgresql")->set("bin_dir", "/b");
  EXPECT_EQ(print_config(local),
            "name: 'on'\npostgresql:\n  bin_dir: /b\n  listen: a:1\nscope: s\n");
}

}  // namespace
}  // namespace tanist::config

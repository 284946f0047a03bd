// SPDX-License-Identifier: Apache-2.0
// Sources of the local configuration, their merge, and what is said about them.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "config/config.h"

namespace tanist::config {
namespace {

class LoadLocal : public testing::Test {
 protected:
  LoadLocal() {
    std::string name = testing::TempDir() + "tanist-config-XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~LoadLocal() override { std::filesystem::remove_all(folder); }

  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    const auto path = folder + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  LocalConfig load(const std::string& path, const Environment& environment = {}) {
    auto config = load_local(path, environment);
    EXPECT_TRUE(config) << (config ? "" : config.error().message);
    return config ? *config : LocalConfig();
  }
  LocalConfig load_text(std::string_view text) { return load(write("p.yml", text)); }
  std::string refusal(const std::string& path, const Environment& environment = {}) {
    const auto config = load_local(path, environment);
    EXPECT_FALSE(config);
    return config ? "" : config.error().message;
  }
  // The warnings, with the folder's name taken off.
  std::vector<std::string> warnings_of(std::string_view text) {
    auto warnings = load_text(text).warnings;
    for (auto& warning : warnings) {
      if (warning.starts_with(folder + "/")) warning.erase(0, folder.size() + 1);
    }
    return warnings;
  }

  std::string folder;
};

using Lines = std::vector<std::string>;

TEST_F(LoadLocal, AFileIsReadWithThePlaceOfEveryValue) {
  const auto path = write("p.yml", "scope: demo\nlog:\n  level: INFO\n");
  const auto config = load(path);
  EXPECT_EQ(config.source, path);
  EXPECT_EQ(to_json(config.tree), R"({"scope":"demo","log":{"level":"INFO"}})");
  EXPECT_EQ(config.location("log.level"), path + ":3: ");
  EXPECT_EQ(config.location("log.nothing.there"), path + ":2: ");
  EXPECT_EQ(config.location("absent"), "");
  EXPECT_TRUE(config.warnings.empty());
}

TEST_F(LoadLocal, FilesOfAFolderAreMergedInTheOrderOfTheirNames) {
  write("b.yml", "scope: b\nlog: {level: DEBUG, dir: null}\n");
  write("a.yaml", "scope: a\nlog: {dir: /x, type: json}\n");
  write("c.txt", "scope: c\n");
  std::filesystem::create_directory(folder + "/d.yml");
  const auto config = load(folder);
  EXPECT_EQ(to_json(config.tree), R"({"scope":"b","log":{"type":"json","level":"DEBUG"}})");
  EXPECT_EQ(config.location("scope"), folder + "/b.yml:1: ");
  EXPECT_EQ(config.location("log.type"), folder + "/a.yaml:2: ");
}

TEST_F(LoadLocal, VariablesAreLaidOverTheFile) {
  const auto path = write("p.yml", "scope: file\nname: 10\nrestapi: {listen: 'a:1'}\n");
  const auto config = load(
      path, {{"PATRONI_SCOPE", "env"}, {"PATRONI_NAME", "10"}, {"PATRONI_RESTAPI_CERTFILE", "/c"}});
  EXPECT_EQ(to_json(config.tree),
            R"({"scope":"env","name":10,"restapi":{"listen":"a:1","certfile":"/c"}})");
  EXPECT_EQ(config.location("restapi.certfile"), "PATRONI_RESTAPI_CERTFILE: ");
}

TEST_F(LoadLocal, AMissingPathFallsThroughToTheWholeText) {
  const auto config = load(folder + "/absent", {{"PATRONI_CONFIGURATION", "scope: text\n"},
                                                {"PATRONI_NAME", "ignored"}});
  EXPECT_EQ(config.source, "PATRONI_CONFIGURATION");
  EXPECT_EQ(to_json(config.tree), R"({"scope":"text"})");
  EXPECT_EQ(config.location("scope"), "PATRONI_CONFIGURATION:1: ");
}

TEST_F(LoadLocal, VariablesAloneAreEnough) {
  const auto config = load("", {{"PATRONI_SCOPE", "env"}});
  EXPECT_EQ(config.source, "environment");
  EXPECT_EQ(to_json(config.tree), R"({"scope":"env"})");
  EXPECT_EQ(load(folder + "/absent", {{"PATRONI_SCOPE", "env"}}).warnings,
            (Lines{folder + "/absent: there is no such file; the environment counts"}));
}

TEST_F(LoadLocal, NothingAtAllIsRefused) {
  EXPECT_TRUE(refusal("").starts_with("Config is empty."));
  EXPECT_TRUE(refusal(folder).starts_with("Config is empty."));
  EXPECT_EQ(load_local("", {}).error().code, Errc::not_found);
}

TEST_F(LoadLocal, WhatIsNoMappingIsRefused) {
  const auto path = write("p.yml", "- a\n");
  EXPECT_EQ(refusal(path),
            "invalid config file " + path + ": " + path + " does not contain a dict");
  write("p.yml", "");
  EXPECT_TRUE(refusal(path).starts_with("invalid config file "));
}

TEST_F(LoadLocal, WhatIsNeitherFileNorFolderIsRefused) {
  EXPECT_EQ(refusal("/dev/null"), "invalid config path: /dev/null is neither a file nor a folder");
}

TEST_F(LoadLocal, BrokenYamlIsRefusedWithItsPlace) {
  const auto path = write("p.yml", "a: 1\nb: [\n");
  EXPECT_TRUE(refusal(path).starts_with(path + ":3:1: ")) << refusal(path);
}

TEST_F(LoadLocal, TheReservedNameIsRefused) {
  const auto path = write("p.yml", "name: __patroni_strict_sync_replica_placeholder__\n");
  EXPECT_EQ(refusal(path),
            path +
                ":1: Node 'name' can't be set to "
                "'__patroni_strict_sync_replica_placeholder__'; choose another name");
}

TEST_F(LoadLocal, ParametersMustBeAMapping) {
  const auto path = write("p.yml", "postgresql:\n  parameters: [a]\n");
  EXPECT_TRUE(refusal(path).starts_with(path + ":2: postgresql.parameters is not a dictionary"));
}

TEST_F(LoadLocal, MisspelledKeysAreToldWithTheRightOne) {
  EXPECT_EQ(warnings_of("postgresql:\n  parametres: {a: 1}\nrestap: {}\n"),
            (Lines{"p.yml:2: unknown key \"postgresql.parametres\"; did you mean "
                   "\"postgresql.parameters\"?",
                   "p.yml:3: unknown key \"restap\"; did you mean \"restapi\"?"}));
}

TEST_F(LoadLocal, KeysInTheWrongSectionAreToldWithTheRightOne) {
  EXPECT_EQ(warnings_of("postgresql:\n  synchronous_mode: true\nuse_pg_rewind: true\n"),
            (Lines{"p.yml:2: unknown key \"postgresql.synchronous_mode\"; did you mean "
                   "\"bootstrap.dcs.synchronous_mode\"?",
                   "p.yml:3: unknown key \"use_pg_rewind\"; did you mean "
                   "\"postgresql.use_pg_rewind\"?"}));
}

TEST_F(LoadLocal, UnknownKeysWithoutALikenessAreJustTold) {
  EXPECT_EQ(warnings_of("zzz_qqq_vvv: 1\n"), (Lines{"p.yml:1: unknown key \"zzz_qqq_vvv\""}));
}

TEST_F(LoadLocal, FreeKeysAreNotUnknown) {
  EXPECT_EQ(warnings_of(R"(
tags: {datacenter: x, nofailover: false}
log: {loggers: {a.b: DEBUG}, static_fields: {app: x}}
restapi: {http_extra_headers: {X-A: b}}
postgresql:
  parameters: {anything: 1, my.extension: 2}
  parameters_primary: {x: 1}
  recovery_conf: {restore_command: cp}
  create_replica_methods: [pgbackrest, basebackup, bare]
  pgbackrest: {command: /x, keep_data: true}
  other_method: {command: /y}
  bare: {no_leader: true}
bootstrap:
  method: mine
  mine: {whatever: 1}
  other: {command: /z}
  dcs:
    slots: {a: {type: physical}}
    postgresql: {parameters: {x: 1}, recovery_conf: {y: 1}}
consul: {anything: 1}
)"),
            Lines());
}

TEST_F(LoadLocal, BootstrapDcsIsCheckedAsADynamicDocument) {
  EXPECT_EQ(warnings_of(R"(bootstrap:
  dcs:
    tttl: 30
    loop_wait: soon
    postgresql:
      listen: a:1
      use_pg_rewnd: true
)"),
            (Lines{"p.yml:3: unknown key \"bootstrap.dcs.tttl\"; did you mean "
                   "\"bootstrap.dcs.ttl\"?",
                   "p.yml:4: \"bootstrap.dcs.loop_wait\" is not an integer; the default 10 is used",
                   "p.yml:6: \"bootstrap.dcs.postgresql.listen\" counts only in each member's own "
                   "file; it is ignored here",
                   "p.yml:7: unknown key \"bootstrap.dcs.postgresql.use_pg_rewnd\"; did you mean "
                   "\"bootstrap.dcs.postgresql.use_pg_rewind\"?"}));
}

TEST_F(LoadLocal, DynamicOptionsInTheFileAreToldToBeIgnored) {
  EXPECT_EQ(warnings_of("ttl: 40\npostgresql:\n  use_slots: false\n  parameters:\n"
                        "    max_connections: 5\n"),
            (Lines{"p.yml:1: \"ttl\" counts only in the dynamic configuration (tanistctl "
                   "edit-config); it is ignored here",
                   "p.yml:3: \"postgresql.use_slots\" counts only in the dynamic configuration "
                   "(tanistctl edit-config); it is ignored here",
                   "p.yml:5: \"postgresql.parameters.max_connections\" counts only in the dynamic "
                   "configuration (tanistctl edit-config); it is ignored here"}));
}

TEST_F(LoadLocal, ValuesOfTheWrongTypeAreToldWithoutTheValue) {
  EXPECT_EQ(warnings_of("log:\n  max_queue_size: lots\n  loggers: x\nrestapi:\n  allowlist: 5\n"
                        "ctl:\n  insecure: maybe\n  authentication: secret\n"),
            (Lines{"p.yml:2: \"log.max_queue_size\" is not an integer; the default 1000 is used",
                   "p.yml:3: \"log.loggers\" is not a map of keys and values; it is ignored",
                   "p.yml:5: \"restapi.allowlist\" is not a list; it is ignored",
                   "p.yml:7: \"ctl.insecure\" is not a boolean; the default false is used",
                   "p.yml:8: \"ctl.authentication\" must hold keys and values; it is ignored"}));
}

TEST_F(LoadLocal, TagsThatAreNoBooleansAreToldHowTheyCount) {
  EXPECT_EQ(warnings_of("tags:\n  nofailover: 'false'\n  clonefrom: 0\n  nosync: true\n"),
            (Lines{"p.yml:2: \"tags.nofailover\" is not a boolean; it counts as true",
                   "p.yml:3: \"tags.clonefrom\" is not a boolean; it counts as false"}));
}

TEST_F(LoadLocal, RepeatedKeysAreTold) {
  EXPECT_EQ(
      warnings_of("scope: a\nscope: b\n"),
      (Lines{"p.yml:2: key \"scope\" is given again (first in line 1); the last one counts"}));
}

TEST_F(LoadLocal, BootstrapUsersAreToldToDoNothing) {
  EXPECT_EQ(warnings_of("bootstrap:\n  users: {a: {password: b}}\n"),
            (Lines{"p.yml:2: User creation is not be supported starting from v4.0.0. Please use "
                   "\"bootstrap.post_bootstrap\" script to create users."}));
}

TEST_F(LoadLocal, AReadableFileWithPasswordsIsTold) {
  const auto with_password = "restapi: {authentication: {username: a, password: b}}\n";
  const auto path = write("p.yml", with_password, 0640);
  EXPECT_EQ(load(path).warnings,
            (Lines{path + ": others may read the passwords in it (mode 0640); chmod 0600"}));
  EXPECT_TRUE(load(write("p.yml", with_password, 0600)).warnings.empty());
  EXPECT_TRUE(load(write("p.yml", "scope: a\n", 0644)).warnings.empty());
}

TEST_F(LoadLocal, AFileThatOthersMayChangeIsTold) {
  const auto path = write("p.yml", "scope: a\n", 0666);
  EXPECT_EQ(load(path).warnings, (Lines{path + ": others may write it (mode 0666); chmod 0600"}));
}

TEST_F(LoadLocal, AFileOfAnotherUserIsTold) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give a file away";
  const auto path = write("p.yml", "scope: a\n");
  ASSERT_EQ(chown(path.c_str(), 12345, 0), 0);
  const auto warnings = load(path).warnings;
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_TRUE(warnings[0].starts_with(path + ": belongs to user 12345")) << warnings[0];
}

TEST_F(LoadLocal, EveryCutOfARealFileIsReadOrRefused) {
  std::ifstream file(std::string(TANIST_SOURCE_DIR) + "/src/config/testdata/seed_patroni.yml");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  ASSERT_GT(text.size(), 1000U);
  for (std::size_t i = 0; i < text.size(); i += 3) {
    const auto config = load_local("", {{"PATRONI_CONFIGURATION", text.substr(0, i)}});
    if (config) effective_settings(*config, Tree(), nullptr);
  }
}

}  // namespace
}  // namespace tanist::config

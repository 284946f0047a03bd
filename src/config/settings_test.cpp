// SPDX-License-Identifier: Apache-2.0
// From a file and a dynamic document to typed settings.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/json.h"
#include "config/config.h"
#include "config/routing.h"
#include "yaml/yaml.h"

namespace tanist::config {
namespace {

constexpr std::string_view usual = R"(
scope: demo
name: a
restapi: {listen: '127.0.0.2:8008', connect_address: '127.0.0.2:8008'}
etcd3: {host: '127.0.0.3:2379'}
postgresql:
  listen: 127.0.0.2:5432
  connect_address: 127.0.0.2:5432
  data_dir: /data
  authentication:
    superuser: {username: postgres, password: su-secret}
    replication: {username: rep, password: rep-secret}
)";

class EffectiveSettings : public testing::Test {
 protected:
  // `patch` is laid over the usual file.
  static LocalConfig local_of(std::string_view patch) {
    LocalConfig local;
    auto document = *yaml::parse_yaml(usual, "p.yml");
    local.tree = document.tree;
    const auto change = yaml::parse_yaml(patch, "patch");
    EXPECT_TRUE(change) << (change ? "" : change.error().message);
    if (change) deep_patch(local.tree, change->tree);
    for (const auto& [path, line] : document.lines) {
      local.where[path] = "p.yml:" + std::to_string(line);
    }
    return local;
  }
  Settings settings(std::string_view patch = "{}", std::string_view dynamic = "{}") {
    warnings.clear();
    auto made = effective_settings(local_of(patch), *parse_json(dynamic), &warnings);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made ? *made : Settings();
  }
  std::string refusal(std::string_view patch, std::string_view dynamic = "{}") {
    const auto made = effective_settings(local_of(patch), *parse_json(dynamic), nullptr);
    EXPECT_FALSE(made) << patch;
    if (made) return "";
    EXPECT_EQ(made.error().code, Errc::invalid);
    EXPECT_EQ(made.error().message.find("secret"), std::string::npos) << made.error().message;
    return made.error().message;
  }
  std::vector<std::string> warnings;
};

using Texts = std::vector<std::string>;
using TextMap = std::map<std::string, std::string>;

TEST_F(EffectiveSettings, TheUsualFileGivesTheUsualSettings) {
  const auto made = settings();
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  EXPECT_EQ(made.node.name, MemberName("a"));
  EXPECT_EQ(made.node.scope, "demo");
  EXPECT_EQ(made.node.conn_url, "postgres://127.0.0.2:5432/postgres");
  EXPECT_EQ(made.node.api_url, "http://127.0.0.2:8008/patroni");
  EXPECT_EQ(made.node.proxy_url, "");
  EXPECT_FALSE(made.node.has_bootstrap);
  EXPECT_TRUE(made.node.use_slots);
  EXPECT_EQ(made.node.guard, GuardMode::automatic);
  EXPECT_EQ(made.node.watchdog, WatchdogMode::automatic);
  EXPECT_EQ(made.server.config_dir, "/data");
  EXPECT_EQ(made.server.create_replica_methods, Texts{"basebackup"});
  EXPECT_EQ(made.server.superuser->password.reveal(), "su-secret");
  EXPECT_EQ(made.server.replication.username, "rep");
  EXPECT_FALSE(made.server.rewind);
  EXPECT_EQ(made.store.endpoints, (std::vector<HostPort>{{"127.0.0.3", 2379}}));
  EXPECT_EQ(made.store.namespace_, "service");
  EXPECT_EQ(made.store.ttl_initial, seconds(30));
  EXPECT_TRUE(made.bootstrap_dcs.is_null());
  EXPECT_EQ(made.log, LogSettings());
}

TEST_F(EffectiveSettings, TheSeedFileIsAcceptedAsItIs) {
  const auto path = std::string(TANIST_SOURCE_DIR) + "/src/config/testdata/seed_patroni.yml";
  const auto local = load_local(path, {});
  ASSERT_TRUE(local) << local.error().message;
  for (const auto& warning : local->warnings) {
    const bool expected = warning.find("User creation is not be supported") != std::string::npos ||
                          warning.find("others may ") != std::string::npos ||
                          warning.find("belongs to user") != std::string::npos;
    EXPECT_TRUE(expected) << warning;
  }
  const auto made = effective_settings(*local, Tree(), &warnings);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  EXPECT_TRUE(made->store.use_tls);
  EXPECT_EQ(made->store.endpoints.size(), 3U);
  EXPECT_EQ(made->store.namespace_, "/db/");
  EXPECT_EQ(made->store.cert_file, "/etc/etcd/ssl/patroni.crt");
  EXPECT_TRUE(made->node.has_bootstrap);
  EXPECT_TRUE(made->node.use_pg_rewind);
  EXPECT_FALSE(made->server.superuser);
  EXPECT_EQ(made->server.parameters.at("ssl"), "on");
  EXPECT_EQ(made->server.parameters.at("wal_keep_size"), "256MB");
  EXPECT_EQ(made->server.parameters.at("wal_level"), "replica");
  EXPECT_EQ(made->server.parameters.at("max_connections"), "100");
  EXPECT_EQ(made->server.pg_hba.size(), 7U);
  EXPECT_EQ(made->server.pg_hba[1], "hostssl all all 127.0.0.1/32 trust");
  EXPECT_EQ(to_json(made->server.initdb_options), R"([{"encoding":"UTF8"},"data-checksums"])");
  EXPECT_EQ(*made->bootstrap_dcs.find("ttl"), Tree(30));
}

// ---- layers --------------------------------------------------------------------------------

TEST_F(EffectiveSettings, ALocalListHidesTheDynamicOne) {
  const auto dynamic = R"({"postgresql":{"pg_hba":["shared"],"pg_ident":["shared"],
                          "recovery_conf":{"a":1,"b":2}}})";
  const auto made = settings("postgresql: {pg_hba: [own], recovery_conf: {a: 3}}", dynamic);
  EXPECT_EQ(made.server.pg_hba, Texts{"own"});
  EXPECT_EQ(made.server.pg_ident, Texts{"shared"});
  EXPECT_EQ(made.server.recovery_conf, (TextMap{{"a", "3"}}));
}

TEST_F(EffectiveSettings, OnlyTheDynamicDocumentDecidesAboutSlots) {
  EXPECT_FALSE(settings("{}", R"({"postgresql":{"use_slots":false}})").server.use_slots);
  EXPECT_TRUE(settings("postgresql: {use_slots: false}").server.use_slots);
}

TEST_F(EffectiveSettings, TheDynamicDocumentCannotMoveTheServer) {
  const auto made = settings("{}", R"({"postgresql":{"data_dir":"/evil","listen":"x:1",
      "connect_address":"x:1","proxy_address":"x:1","config_dir":"/evil","pgpass":"/evil",
      "authentication":{"superuser":{"username":"evil"}},"superuser":{"username":"evil"},
      "name":"evil","database":"shared"}})");
  EXPECT_EQ(made.server.data_dir, "/data");
  EXPECT_EQ(made.server.config_dir, "/data");
  EXPECT_EQ(made.server.port, 5432);
  EXPECT_EQ(made.server.superuser->username, "postgres");
  EXPECT_NE(made.server.pgpass, "/evil");
  EXPECT_EQ(made.node.proxy_url, "");
  EXPECT_EQ(made.node.conn_url, "postgres://127.0.0.2:5432/shared");
}

TEST_F(EffectiveSettings, BootstrapDcsStandsInForAnUnknownDynamicDocument) {
  const auto patch =
      "bootstrap: {dcs: {ttl: 20, postgresql: {use_pg_rewind: true, parameters: "
      "{max_connections: 300}}}}";
  const auto made = settings(patch, "null");
  EXPECT_TRUE(made.server.use_pg_rewind);
  EXPECT_EQ(made.server.parameters.at("max_connections"), "300");
  EXPECT_EQ(made.store.ttl_initial, seconds(20));
  EXPECT_FALSE(settings(patch, "{}").server.use_pg_rewind);
}

TEST_F(EffectiveSettings, AnUnusableTtlRejectsTheWholeRevision) {
  EXPECT_TRUE(refusal("{}", R"({"ttl":"30s"})").starts_with("dynamic configuration: ttl"));
}

TEST_F(EffectiveSettings, DynamicValuesOfTheWrongTypeAreTold) {
  const auto made = settings("{}", R"({"postgresql":{"parameters":[1],"use_pg_rewind":"maybe",
      "pg_ctl_timeout":{}},"unheard":1})");
  EXPECT_FALSE(made.server.use_pg_rewind);
  EXPECT_EQ(made.server.pg_ctl_timeout, seconds(60));
  EXPECT_EQ(warnings,
            (Texts{"dynamic configuration: \"postgresql.parameters\" is not a map of keys and "
                   "values; it is ignored",
                   "dynamic configuration: \"postgresql.use_pg_rewind\" is not a boolean; the "
                   "default false is used",
                   "dynamic configuration: \"postgresql.pg_ctl_timeout\" is not an integer, with "
                   "or without a unit; the default 60 is used"}));
}

TEST_F(EffectiveSettings, FalsySectionsCountAsEmpty) {
  const auto made = settings("{log: 0, tags: '', watchdog: [], ctl: {}}");
  EXPECT_EQ(made.log, LogSettings());
  EXPECT_EQ(made.watchdog, WatchdogSettings());
}

TEST_F(EffectiveSettings, RoleOverridesAreKeptByRole) {
  const auto made = settings(R"(postgresql:
  parameters_primary: {work_mem: 8MB, max_connections: 5}
  pg_hba_replica: [a]
  pg_ident_standby_leader: [b]
)");
  EXPECT_EQ(made.server.parameters_by_role.at("primary"), (TextMap{{"work_mem", "8MB"}}));
  EXPECT_EQ(made.server.pg_hba_by_role.at("replica"), Texts{"a"});
  EXPECT_EQ(made.server.pg_ident_by_role.at("standby_leader"), Texts{"b"});
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(EffectiveSettings, OldShapesAreUnderstood) {
  const auto made = settings(R"(
name: null
postgresql:
  name: old
  authentication: null
  replication: {username: r, password: p}
  pg_rewind: {username: w, password: p}
  create_replica_method: [x, basebackup]
bootstrap: {post_init: cmd}
)");
  EXPECT_EQ(made.node.name, MemberName("old"));
  EXPECT_EQ(made.server.replication.username, "r");
  EXPECT_EQ(made.server.superuser->username, "w");
  EXPECT_TRUE(made.server.use_pg_rewind);
  EXPECT_EQ(made.server.create_replica_methods, (Texts{"x", "basebackup"}));
  EXPECT_EQ(made.server.post_bootstrap, "cmd");
}

// ---- addresses -----------------------------------------------------------------------------

TEST_F(EffectiveSettings, UrlsAreBuiltFromTheAddresses) {
  const auto made = settings(R"(
restapi: {listen: '*:8009', connect_address: '[::1]:8009', certfile: /c}
postgresql:
  listen: a,[::1]:5433
  connect_address: fe80::1:5433
  proxy_address: p:6432
  database: db
)");
  EXPECT_EQ(made.node.api_url, "https://[::1]:8009/patroni");
  EXPECT_EQ(made.node.conn_url, "postgres://[fe80::1]:5433/db");
  EXPECT_EQ(made.node.proxy_url, "postgres://p:6432/db");
  EXPECT_EQ(made.server.listen_hosts, (Texts{"a", "::1"}));
  EXPECT_EQ(made.server.parameters.at("listen_addresses"), "a,::1");
  EXPECT_EQ(made.server.parameters.at("port"), "5433");
  EXPECT_EQ(made.rest.listen, (HostPort{"", 8009}));
}

TEST_F(EffectiveSettings, WithoutConnectAddressTheLocalOneIsPublished) {
  EXPECT_EQ(settings("postgresql: {connect_address: null}").node.conn_url,
            "postgres://127.0.0.2:5432/postgres");
  EXPECT_TRUE(warnings.empty());
  EXPECT_EQ(settings("postgresql: {connect_address: null, listen: 'x,0.0.0.0:1'}").node.conn_url,
            "postgres://localhost:1/postgres");
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_EQ(settings("restapi: {connect_address: null}").node.api_url,
            "http://127.0.0.2:8008/patroni");
  settings("restapi: {connect_address: null, listen: ':8008'}");
  EXPECT_EQ(warnings.size(), 1U);
}

// ---- required keys and refusals -------------------------------------------------------------

TEST_F(EffectiveSettings, MissingKeysAreNamedWithTheirPlaceAndARemedy) {
  EXPECT_EQ(refusal("scope: null"), "p.yml:2: scope is missing; name the cluster: \"scope: NAME\"");
  EXPECT_EQ(refusal("restapi: {listen: null}"),
            "p.yml:4: restapi.listen is missing; add \"restapi: {listen: 'HOST:8008'}\"");
  for (const auto* patch :
       {"name: null", "restapi: null", "postgresql: null", "postgresql: {listen: null}",
        "postgresql: {data_dir: null}", "postgresql: {authentication: null}",
        "postgresql: {authentication: {replication: null}}"}) {
    EXPECT_NE(refusal(patch).find(" is missing; "), std::string::npos) << refusal(patch);
  }
}

TEST_F(EffectiveSettings, OneOfUsernameAndPasswordAloneIsRefused) {
  for (const auto* section : {"restapi", "ctl"}) {
    for (const auto* lone : {"username: secret", "password: secret"}) {
      const auto message = refusal(std::string(section) + ": {authentication: {" + lone + "}}");
      EXPECT_NE(message.find(std::string(section) + ".authentication: "), std::string::npos);
      EXPECT_NE(message.find("give both username and password"), std::string::npos);
    }
  }
}

TEST_F(EffectiveSettings, UnusableAddressesAreRefused) {
  EXPECT_EQ(refusal("restapi: {listen: '8008'}"),
            "p.yml:4: restapi.listen: Invalid \"restapi\" config: expected <HOST>:<PORT> for "
            "\"listen\", but got \"8008\"");
  for (const auto* patch :
       {"restapi: {connect_address: 'a'}", "postgresql: {listen: 'a:x'}",
        "postgresql: {connect_address: 'a:b:c'}", "postgresql: {proxy_address: 'a:0'}"}) {
    refusal(patch);
  }
}

TEST_F(EffectiveSettings, NamesThatCannotBeMembersAreRefused) {
  refusal("name: a/b");
  refusal("name: __patroni_strict_sync_replica_placeholder__");
}

// ---- the store -----------------------------------------------------------------------------

StoreSettings store_of(const Settings& made) { return made.store; }

TEST_F(EffectiveSettings, EndpointsComeFromHostsHostUrlOrProxy) {
  using Endpoints = std::vector<HostPort>;
  const auto endpoints = [&](std::string_view etcd) {
    return store_of(settings("etcd3: {host: null, " + std::string(etcd) + "}")).endpoints;
  };
  EXPECT_EQ(endpoints("hosts: ['a', 'b:1', '[::1]:2']"),
            (Endpoints{{"a", 2379}, {"b", 1}, {"::1", 2}}));
  EXPECT_EQ(endpoints("hosts: 'a, b:1', port: 99"), (Endpoints{{"a", 99}, {"b", 1}}));
  EXPECT_EQ(endpoints("hosts: ['[::1]', '::2']"), (Endpoints{{"::1", 2379}, {"::2", 2379}}));
  EXPECT_EQ(endpoints("host: a"), (Endpoints{{"a", 2379}}));
  EXPECT_EQ(endpoints("host: 'a:5', port: 6"), (Endpoints{{"a", 6}}));
  EXPECT_EQ(endpoints("host: a, hosts: [b]"), (Endpoints{{"b", 2379}}));
  EXPECT_EQ(endpoints("url: 'http://u:7', host: a, port: 1"), (Endpoints{{"u", 7}}));
  EXPECT_EQ(endpoints("url: 'http://u:7', hosts: [b]"), (Endpoints{{"b", 2379}}));
  EXPECT_EQ(endpoints("proxy: 'https://p', hosts: [b]"), (Endpoints{{"p", 2379}}));
}

TEST_F(EffectiveSettings, TheProtocolComesFromUrlProxyOrItsOption) {
  EXPECT_FALSE(settings().store.use_tls);
  EXPECT_TRUE(settings("etcd3: {protocol: https}").store.use_tls);
  EXPECT_TRUE(settings("etcd3: {url: 'https://a'}").store.use_tls);
  EXPECT_FALSE(settings("etcd3: {url: 'http://a', protocol: https}").store.use_tls);
  const auto proxied = settings("etcd3: {proxy: 'https://a'}").store;
  EXPECT_TRUE(proxied.use_tls);
  EXPECT_TRUE(proxied.fixed_endpoints);
  EXPECT_TRUE(settings("etcd3: {use_proxies: on}").store.fixed_endpoints);
  EXPECT_FALSE(settings().store.fixed_endpoints);
}

TEST_F(EffectiveSettings, CredentialsOfAUrlWin) {
  const auto store =
      settings("etcd3: {url: 'http://u:up@a', username: s, password: sp, cacert: /ca}").store;
  EXPECT_EQ(store.username, "u");
  EXPECT_EQ(store.password.reveal(), "up");
  EXPECT_EQ(store.ca_file, "/ca");
  EXPECT_EQ(settings("etcd3: {url: 'http://a', username: s, password: sp}").store.username, "s");
}

TEST_F(EffectiveSettings, SrvHasThreeNames) {
  for (const auto* name : {"srv", "discovery_srv", "srv_domain"}) {
    const auto store =
        settings("etcd3: {host: null, srv_suffix: x, " + std::string(name) + ": d}").store;
    EXPECT_EQ(store.srv_domain, "d");
    EXPECT_EQ(store.srv_suffix, "x");
    EXPECT_TRUE(store.endpoints.empty());
  }
}

TEST_F(EffectiveSettings, UnusableEndpointsAreRefusedWithoutShowingUrls) {
  EXPECT_NE(refusal("etcd3: {host: null, username: u}")
                .find("Neither srv, hosts, host nor url are defined"),
            std::string::npos);
  for (const auto* etcd : {"url: 'ftp://u:secret@a'", "proxy: 'secret'", "hosts: ['a:x']",
                           "host: ':1'", "port: 0", "port: 70000", "protocol: udp"}) {
    refusal("etcd3: {" + std::string(etcd) + "}");
  }
}

TEST_F(EffectiveSettings, WithoutAStoreTheSupportedOneIsNamed) {
  EXPECT_EQ(refusal("etcd3: null"),
            "Can not find suitable configuration of distributed configuration store\n"
            "Available implementations: etcd3");
}

TEST_F(EffectiveSettings, OtherStoresAreRefusedByName) {
  for (const auto* store : {"consul", "etcd", "exhibitor", "kubernetes", "raft", "zookeeper"}) {
    const auto message = refusal("etcd3: null\n" + std::string(store) + ": {host: x}");
    EXPECT_NE(message.find(std::string(store) + ": "), std::string::npos) << message;
    EXPECT_NE(message.find("only etcd3 is"), std::string::npos) << message;
  }
  EXPECT_NE(refusal("etcd3: null\netcd: {host: x}").find("rename the section to \"etcd3\""),
            std::string::npos);
}

TEST_F(EffectiveSettings, TheAlphabeticallyFirstStoreCounts) {
  refusal("etcd: {host: x}");
  refusal("consul: {host: x}");
  EXPECT_EQ(settings("zookeeper: {hosts: x}").store.endpoints.size(), 1U);
  EXPECT_EQ(settings("{etcd: {}, consul: null}").store.endpoints.size(), 1U);
}

TEST_F(EffectiveSettings, ACitusSectionThatWouldCountIsRefused) {
  EXPECT_NE(refusal("citus: {group: 0, database: d}").find("Citus"), std::string::npos);
  settings("citus: {group: x, database: d}");
  settings("citus: {group: 0}");
}

// ---- the other sections ----------------------------------------------------------------------

TEST_F(EffectiveSettings, TheRestSection) {
  const auto rest = settings(R"(restapi:
  authentication: {username: u, password: p}
  certfile: /c
  keyfile: /k
  keyfile_password: kp
  cafile: /ca
  ciphers: HIGH
  verify_client: Required
  allowlist: [a, 10.0.0.0/8]
  allowlist_include_members: yes
  http_extra_headers: {A: 1, B: 2}
  https_extra_headers: {B: 3}
  request_queue_size: 9
  server_tokens: ProductOnly
)")
                        .rest;
  EXPECT_EQ(rest.username, "u");
  EXPECT_EQ(rest.password.reveal(), "p");
  EXPECT_EQ(rest.key_password.reveal(), "kp");
  EXPECT_EQ(rest.verify_client, VerifyClient::required);
  EXPECT_EQ(rest.allowlist, (Texts{"a", "10.0.0.0/8"}));
  EXPECT_TRUE(rest.allowlist_include_members);
  EXPECT_EQ(rest.extra_headers, (TextMap{{"A", "1"}, {"B", "3"}}));
  EXPECT_EQ(rest.server_header, "Patroni");
  EXPECT_EQ(rest.request_queue_size, 9);
}

TEST_F(EffectiveSettings, HttpsHeadersCountWithACertificateOnly) {
  EXPECT_TRUE(settings("restapi: {https_extra_headers: {B: 3}}").rest.extra_headers.empty());
}

TEST_F(EffectiveSettings, ServerTokensAreInAnyCase) {
  EXPECT_EQ(settings("restapi: {server_tokens: minimal}").rest.server_header, "Patroni/4.1.4");
  EXPECT_TRUE(settings().rest.server_header.starts_with("tanist/"));
  EXPECT_TRUE(settings("restapi: {server_tokens: x}").rest.server_header.starts_with("tanist/"));
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(EffectiveSettings, AnUnknownVerifyClientIsToldAndOff) {
  EXPECT_EQ(settings("restapi: {verify_client: maybe}").rest.verify_client, VerifyClient::none);
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(EffectiveSettings, TheClientTakesTheServersCredentials) {
  const auto patch = "restapi: {cafile: /ca, authentication: {username: u, password: p}}";
  const auto client = settings(patch).peer_client;
  EXPECT_EQ(client.username, "u");
  EXPECT_EQ(client.ca_file, "/ca");
  const auto own = settings(std::string(patch) +
                            "\nctl: {insecure: on, cacert: /own, certfile: /c, keyfile: /k, "
                            "authentication: {username: c, password: d}}")
                       .peer_client;
  EXPECT_EQ(own.username, "c");
  EXPECT_EQ(own.ca_file, "/own");
  EXPECT_TRUE(own.insecure);
}

TEST_F(EffectiveSettings, ModesOfTheWatchdogHaveManyNames) {
  const std::vector<std::pair<const char*, WatchdogMode>> rows{
      {"off", WatchdogMode::off},          {"'off'", WatchdogMode::off},
      {"Disabled", WatchdogMode::off},     {"false", WatchdogMode::off},
      {"auto", WatchdogMode::automatic},   {"AUTOMATIC", WatchdogMode::automatic},
      {"require", WatchdogMode::required}, {"required", WatchdogMode::required},
      {"whatever", WatchdogMode::off}};
  for (const auto& [text, mode] : rows) {
    const auto made = settings("watchdog: {mode: " + std::string(text) + "}");
    EXPECT_EQ(made.watchdog.mode, mode) << text;
    EXPECT_EQ(made.node.watchdog, mode) << text;
  }
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(EffectiveSettings, TheWatchdogSection) {
  const auto watchdog =
      settings("watchdog: {device: /dev/w, safety_margin: -1, driver: testing}").watchdog;
  EXPECT_EQ(watchdog.device, "/dev/w");
  EXPECT_EQ(watchdog.safety_margin, seconds(-1));
  EXPECT_TRUE(watchdog.plain_text);
  EXPECT_EQ(settings("watchdog: {mode: required, driver: none}").watchdog.mode, WatchdogMode::off);
}

TEST_F(EffectiveSettings, OurOwnSections) {
  EXPECT_EQ(settings("guard: {mode: off}").node.guard, GuardMode::off);
  EXPECT_EQ(settings("guard: {mode: required}").node.guard, GuardMode::required);
  EXPECT_EQ(settings("guard: {mode: x}").node.guard, GuardMode::automatic);
  EXPECT_EQ(warnings.size(), 1U);
  EXPECT_EQ(settings("storage: {demote_after: 1min}").storage.demote_after, seconds(60));
  EXPECT_EQ(settings("storage: {unreachable_demote_after: 90}").node.unreachable_demote_after,
            seconds(90));
  EXPECT_EQ(settings().storage.demote_after, seconds(0));
}

TEST_F(EffectiveSettings, TheJournalLiesBesideTheDataDirectory) {
  const auto journal = settings().journal;
  EXPECT_TRUE(journal.enabled);
  EXPECT_EQ(journal.directory, settings().server.data_dir + ".journal");
  EXPECT_EQ(journal.file_bytes_max, 16U * 1024 * 1024);
  const auto other = settings("journal: {enabled: false, directory: /j, file_size: 1MB}").journal;
  EXPECT_FALSE(other.enabled);
  EXPECT_EQ(other.directory, "/j");
  EXPECT_EQ(other.file_bytes_max, 1024U * 1024);
  EXPECT_EQ(settings("journal: {file_size: 1}").journal.file_bytes_max, 65536U);
}

TEST_F(EffectiveSettings, TagsArePublishedFiltered) {
  const auto node = settings("tags: {nofailover: false, clonefrom: true, dc: x}").node;
  EXPECT_TRUE(node.tags.clonefrom);
  EXPECT_EQ(to_json(node.tags.published), R"({"clonefrom":true,"dc":"x"})");
  settings("tags: {nofailover: true, failover_priority: 3}");
  EXPECT_EQ(warnings.size(), 1U);
}

TEST_F(EffectiveSettings, TheLogSection) {
  const auto log = settings(R"(log:
  type: json
  level: DEBUG
  format: [message]
  dateformat: '%H'
  static_fields: {a: 1}
  max_queue_size: 7
  dir: /log
  mode: 0640
  file_size: 100
  file_num: 0
  loggers: {patroni: DEBUG}
  deduplicate_heartbeat_logs: on
)")
                       .log;
  EXPECT_TRUE(log.json);
  EXPECT_EQ(log.level, "DEBUG");
  EXPECT_EQ(to_json(log.format), R"(["message"])");
  EXPECT_EQ(log.date_format, "%H");
  EXPECT_EQ(to_json(log.static_fields), R"({"a":1})");
  EXPECT_EQ(log.queue_records_max, 7);
  EXPECT_EQ(log.directory, "/log");
  EXPECT_EQ(log.mode, 0640);
  EXPECT_EQ(log.file_bytes_max, 100);
  EXPECT_EQ(log.file_count, 0);
  EXPECT_EQ(log.loggers, (TextMap{{"patroni", "DEBUG"}}));
  EXPECT_TRUE(log.deduplicate_heartbeat);
  EXPECT_FALSE(settings("log: {mode: 9999}").log.mode);
}

TEST_F(EffectiveSettings, TheServerSection) {
  const auto server = settings(R"(postgresql:
  config_dir: /conf
  config_base_name: pg
  bin_dir: /bin
  bin_name: {postgres: pg15}
  pgpass: /pass
  custom_conf: c.conf
  use_unix_socket: true
  use_unix_socket_repl: 'on'
  pg_ctl_timeout: 2min
  remove_data_directory_on_rewind_failure: true
  remove_data_directory_on_diverged_timelines: true
  krbsrvname: k
  pre_promote: /p
  before_stop: /b
  callbacks: {on_start: /s, on_nothing: /x}
  rewind: [{debug: 'x'}]
  basebackup: {max-rate: 100M}
  create_replica_methods: [m, basebackup]
  m: {command: /m, no_leader: 1}
  authentication:
    superuser: {sslmode: require, sslpassword: s, unknown: x}
    rewind: {username: w}
)")
                          .server;
  EXPECT_EQ(server.config_dir, "/conf");
  EXPECT_EQ(server.config_base_name, "pg");
  EXPECT_EQ(server.bin_name, (TextMap{{"postgres", "pg15"}}));
  EXPECT_EQ(server.pgpass, "/pass");
  EXPECT_TRUE(server.use_unix_socket);
  EXPECT_TRUE(server.use_unix_socket_repl);
  EXPECT_EQ(server.pg_ctl_timeout, seconds(120));
  EXPECT_TRUE(server.remove_data_on_rewind_failure);
  EXPECT_TRUE(server.remove_data_on_divergence);
  EXPECT_EQ(server.callbacks, (TextMap{{"on_start", "/s"}}));
  EXPECT_EQ(to_json(server.rewind_options), R"([{"debug":"x"}])");
  EXPECT_EQ(to_json(server.basebackup_options), R"({"max-rate":"100M"})");
  EXPECT_EQ(server.replica_methods.size(), 1U);
  EXPECT_EQ(server.superuser->options, (TextMap{{"sslmode", "require"}}));
  EXPECT_EQ(server.superuser->sslpassword.reveal(), "s");
  EXPECT_EQ(server.rewind->username, "w");
}

TEST_F(EffectiveSettings, AMethodWithoutLeaderIsNoticed) {
  EXPECT_TRUE(settings("postgresql: {create_replica_methods: [m], m: {command: x, no_leader: 1}}")
                  .node.leaderless_clone);
  EXPECT_FALSE(settings("postgresql: {create_replica_methods: [basebackup], basebackup: "
                        "{no_leader: 1}, m: {command: x, no_leader: 1}}")
                   .node.leaderless_clone);
}

TEST_F(EffectiveSettings, ABootstrapMethodNeedsItsCommand) {
  const auto own = settings("bootstrap: {method: m, m: {command: /x, extra: 1}}").server;
  EXPECT_EQ(own.bootstrap_method, "m");
  EXPECT_EQ(to_json(own.bootstrap_method_section), R"({"command":"/x","extra":1})");
  EXPECT_EQ(settings("bootstrap: {method: m, m: {extra: 1}}").server.bootstrap_method, "initdb");
  EXPECT_EQ(settings("bootstrap: {method: m}").server.bootstrap_method, "initdb");
}

TEST_F(EffectiveSettings, ThePasswordFileIsInTheHomeFolderWithoutADot) {
  const char* home = getenv("HOME");
  ASSERT_NE(home, nullptr);
  EXPECT_EQ(settings().server.pgpass, std::string(home) + "/pgpass");
}

TEST_F(EffectiveSettings, NoTypeOfValueDoesHarmAnywhere) {
  const std::vector<std::string> values{"null", "5",     "-1", "1.5",          "true",   "''",
                                        "x",    "'a:b'", "[]", "[1, [2], {}]", "{a: 1}", "{}"};
  for (const auto& option : {"scope",
                             "name",
                             "namespace",
                             "restapi",
                             "restapi.listen",
                             "restapi.allowlist",
                             "restapi.authentication",
                             "restapi.authentication.username",
                             "restapi.http_extra_headers",
                             "ctl",
                             "ctl.authentication",
                             "etcd3",
                             "etcd3.host",
                             "etcd3.hosts",
                             "etcd3.url",
                             "etcd3.port",
                             "etcd3.proxy",
                             "postgresql",
                             "postgresql.listen",
                             "postgresql.parameters",
                             "postgresql.parameters_primary",
                             "postgresql.authentication",
                             "postgresql.authentication.superuser",
                             "postgresql.authentication.replication",
                             "postgresql.pg_hba",
                             "postgresql.callbacks",
                             "postgresql.create_replica_methods",
                             "postgresql.pg_ctl_timeout",
                             "postgresql.superuser",
                             "bootstrap",
                             "bootstrap.dcs",
                             "bootstrap.method",
                             "bootstrap.initdb",
                             "log",
                             "log.format",
                             "log.mode",
                             "log.loggers",
                             "tags",
                             "tags.nofailover",
                             "watchdog",
                             "watchdog.mode",
                             "guard",
                             "storage",
                             "routing",
                             "routing.agent_check",
                             "routing.haproxy",
                             "routing.haproxy.sockets",
                             "routing.pgbouncer.hosts",
                             "citus",
                             "zookeeper",
                             "zookeeper.exhibitor",
                             "consul"}) {
    for (const auto& value : values) {
      auto local = local_of("{}");
      std::string path = option;
      Tree patch = yaml::parse_yaml(value, "v")->tree;
      for (auto dot = path.rfind('.'); dot != std::string::npos; dot = path.rfind('.')) {
        patch = Tree::map({{path.substr(dot + 1), patch}});
        path.resize(dot);
      }
      deep_patch(local.tree, Tree::map({{path, patch}}));
      effective_settings(local, Tree(), nullptr);
      routing_settings(local);
      effective_settings(local_of("{}"), local.tree, nullptr);
    }
  }
}

TEST_F(EffectiveSettings, RoutingIsOptionalAndNamesThisNode) {
  const auto none = *routing_settings(local_of("{}"));
  EXPECT_EQ(none.agent_check.port, 0);
  EXPECT_TRUE(none.haproxy_sockets.empty());
  const auto some = *routing_settings(
      local_of("routing: {agent_check: '127.0.0.9:18009', haproxy: {sockets: [/run/h.sock, "
               "'h:9999']}, pgbouncer: {hosts: ['/run/p:6432'], password: x}}"));
  EXPECT_EQ(some.agent_check, (HostPort{"127.0.0.9", 18009}));
  EXPECT_EQ(some.haproxy_sockets, (std::vector<std::string>{"/run/h.sock", "h:9999"}));
  EXPECT_EQ(some.haproxy_backend, "primary");
  EXPECT_EQ(some.haproxy_server, settings().node.name.value());
  EXPECT_EQ(some.pgbouncer_username, "pgbouncer");
  EXPECT_EQ(some.pgbouncer_hosts, (std::vector<std::string>{"/run/p:6432"}));
}

// A folder's socket is reached by one node only: no other could resume what this one paused.
TEST_F(EffectiveSettings, OnlyPoolersThatAllReachArePaused) {
  NodeSettings node;
  const std::string hosts = "hosts: ['/run/p:6432', '10.0.0.9:6432'], databases: [app]";
  add_paused_poolers(*routing_settings(local_of("routing: {pgbouncer: {" + hosts + "}}")), node);
  EXPECT_TRUE(node.paused_poolers.empty());
  add_paused_poolers(
      *routing_settings(local_of("routing: {pgbouncer: {pause: true, " + hosts + "}}")), node);
  EXPECT_EQ(node.paused_poolers, (std::vector<std::string>{"10.0.0.9:6432"}));
  EXPECT_EQ(node.pooler_databases, (std::vector<std::string>{"app"}));
}

TEST_F(EffectiveSettings, RoutingToNowhereIsRefused) {
  for (const auto* text :
       {"routing: {agent_check: here}", "routing: {haproxy: {sockets: [x]}}",
        "routing: {pgbouncer: {hosts: [x]}}", "routing: {haproxy: {server: 'a b'}}"}) {
    const auto made = routing_settings(local_of(text));
    ASSERT_FALSE(made) << text;
    EXPECT_EQ(made.error().code, Errc::invalid);
  }
}

TEST(StoreSettingsAlone, NeedNoServer) {
  LocalConfig local;
  local.tree = yaml::parse_yaml("{scope: s, etcd3: {host: h}, restapi: {cafile: /ca}}", "p")->tree;
  const auto store = store_settings(local);
  ASSERT_TRUE(store) << store.error().message;
  EXPECT_EQ(store->scope, "s");
  const auto client = peer_client_settings(local);
  ASSERT_TRUE(client);
  EXPECT_EQ(client->ca_file, "/ca");
}

}  // namespace
}  // namespace tanist::config

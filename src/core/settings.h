// SPDX-License-Identifier: Apache-2.0
// All settings of one agent, typed: config/ makes them from the local file, the environment and
// the store's dynamic document; everybody else only reads them. Values only; any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/log_settings.h"
#include "base/secret.h"
#include "core/cluster_settings.h"
#include "core/tags.h"
#include "core/types.h"

namespace tanist {

struct HostPort {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const HostPort&, const HostPort&) = default;
};

enum class GuardMode { automatic, required, off };

constexpr auto names_of(GuardMode) {
  using G = GuardMode;
  return std::array{EnumName<G>{G::automatic, "automatic"}, EnumName<G>{G::required, "required"},
                    EnumName<G>{G::off, "off"}};
}

enum class WatchdogMode { off, automatic, required };

constexpr auto names_of(WatchdogMode) {
  using W = WatchdogMode;
  return std::array{EnumName<W>{W::off, "off"}, EnumName<W>{W::automatic, "automatic"},
                    EnumName<W>{W::required, "required"}};
}

// What decisions need to know of this node; part of every observation, hence of the journal.
struct NodeSettings {
  MemberName name;
  std::string scope;
  std::string conn_url;  // as published
  std::string api_url;
  std::string proxy_url;       // empty = not published
  Tags tags;                   // configured ones
  bool has_bootstrap = false;  // the local file has a `bootstrap` section
  bool use_slots = true;
  bool use_pg_rewind = false;
  bool remove_data_on_rewind_failure = false;
  bool remove_data_on_divergence = false;
  bool has_pre_promote = false;
  bool leaderless_clone = false;  // some configured replica method needs no leader (no_leader)
  std::vector<std::string> leaderless_methods;  // all methods with no_leader, configured or not
  GuardMode guard = GuardMode::automatic;
  WatchdogMode watchdog = WatchdogMode::automatic;
  seconds storage_demote_after{0};      // 0 = never
  seconds unreachable_demote_after{0};  // 0 = never
  // ADDRESS:PORT of the poolers that are paused over a switchover, and their databases.
  std::vector<std::string> paused_poolers;
  std::vector<std::string> pooler_databases;  // empty = all

  static constexpr auto fields() {
    using N = NodeSettings;
    return std::tuple{field("name", &N::name),
                      field("scope", &N::scope),
                      field("conn_url", &N::conn_url),
                      field("api_url", &N::api_url),
                      field("proxy_url", &N::proxy_url),
                      field("tags", &N::tags),
                      field("has_bootstrap", &N::has_bootstrap),
                      field("use_slots", &N::use_slots),
                      field("use_pg_rewind", &N::use_pg_rewind),
                      field("remove_data_on_rewind_failure", &N::remove_data_on_rewind_failure),
                      field("remove_data_on_divergence", &N::remove_data_on_divergence),
                      field("has_pre_promote", &N::has_pre_promote),
                      field("leaderless_clone", &N::leaderless_clone),
                      field("leaderless_methods", &N::leaderless_methods),
                      field("guard", &N::guard),
                      field("watchdog", &N::watchdog),
                      field("storage_demote_after", &N::storage_demote_after),
                      field("unreachable_demote_after", &N::unreachable_demote_after),
                      field("paused_poolers", &N::paused_poolers),
                      field("pooler_databases", &N::pooler_databases)};
  }
  friend bool operator==(const NodeSettings&, const NodeSettings&) = default;
};
static_assert(lists_all_fields<NodeSettings>);

// One of postgresql.authentication.{superuser,replication,rewind}.
struct Credentials {
  std::string username;
  Secret password;
  // sslmode, sslcert, sslkey, sslrootcert, sslcrl, sslcrldir, gssencmode, channel_binding,
  // sslnegotiation: libpq keyword -> value. `sslpassword` is kept apart because it is a secret.
  std::map<std::string, std::string> options;
  Secret sslpassword;

  friend bool operator==(const Credentials&, const Credentials&) = default;
};

// Role-dependent variants (contract config 4.8): `parameters_primary`, `pg_hba_replica`, ...
// The key is `primary`, `replica` or `standby_leader`.
template <class T>
using ByRole = std::map<std::string, T>;

// Section `salvage`, tanist's own: what is kept of a diverged tail of WAL before it is discarded.
struct SalvageSettings {
  std::string directory;                         // empty = DATA_DIR.salvage
  std::uint64_t bytes_max = 1024 * 1024 * 1024;  // of one salvage; 0 = off
  std::int64_t count_max = 5;                    // older ones are removed

  friend bool operator==(const SalvageSettings&, const SalvageSettings&) = default;
};

// Section `postgresql` and `bootstrap`: how the local server is driven.
struct ServerSettings {
  std::string scope;
  MemberName name;
  std::string data_dir;
  std::string config_dir;
  std::string config_base_name = "postgresql";
  std::string bin_dir;                          // empty = PATH
  std::map<std::string, std::string> bin_name;  // program -> replacement
  std::vector<std::string> listen_hosts;
  std::uint16_t port = 5432;
  std::string database = "postgres";
  std::string pgpass;
  std::string krbsrvname;
  std::string custom_conf;
  std::optional<Credentials> superuser;
  Credentials replication;
  std::optional<Credentials> rewind;
  bool use_unix_socket = false;
  bool use_unix_socket_repl = false;
  bool use_slots = true;
  bool use_pg_rewind = false;
  bool remove_data_on_rewind_failure = false;
  bool remove_data_on_divergence = false;
  seconds pg_ctl_timeout{60};
  // Merged from dynamic and local configuration, controlled parameters and their defaults
  // included (contract config 7), in text form; not yet validated for a server version.
  std::map<std::string, std::string> parameters;
  ByRole<std::map<std::string, std::string>> parameters_by_role;
  std::vector<std::string> pg_hba;  // empty = not managed
  ByRole<std::vector<std::string>> pg_hba_by_role;
  std::vector<std::string> pg_ident;
  ByRole<std::vector<std::string>> pg_ident_by_role;
  std::map<std::string, std::string> recovery_conf;
  std::vector<std::string> create_replica_methods{"basebackup"};
  std::map<std::string, Tree> replica_methods;  // section of each method other than basebackup
  Tree basebackup_options;
  Tree rewind_options;
  std::map<std::string, std::string> callbacks;  // on_start, ... -> command
  std::string pre_promote;
  std::string before_stop;
  // bootstrap.*
  std::string bootstrap_method = "initdb";
  Tree bootstrap_method_section;  // of a custom method
  Tree initdb_options;
  std::string post_bootstrap;
  std::vector<std::string> bootstrap_pg_hba;
  SalvageSettings salvage;
};

using ServerSettingsPtr = std::shared_ptr<const ServerSettings>;

// Section `etcd3` (contract dcs 8).
struct StoreSettings {
  std::string namespace_ = "service";
  std::string scope;
  MemberName name;
  std::vector<HostPort> endpoints;  // of host, hosts, url or proxy
  bool use_tls = false;             // protocol https
  bool fixed_endpoints = false;     // proxy, use_proxies: no discovery
  std::string srv_domain;
  std::string srv_suffix;
  std::string username;
  Secret password;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  seconds ttl_initial{30};  // until the dynamic configuration is known

  friend bool operator==(const StoreSettings&, const StoreSettings&) = default;
};

enum class VerifyClient { none, optional, required };

// Section `restapi` (contract rest 2).
struct RestSettings {
  HostPort listen;  // empty host = all addresses
  HostPort connect;
  std::string username;
  Secret password;
  std::string cert_file;  // empty = plain HTTP
  std::string key_file;
  Secret key_password;
  std::string ca_file;
  std::string ciphers;
  VerifyClient verify_client = VerifyClient::none;
  std::vector<std::string> allowlist;
  bool allowlist_include_members = false;
  std::map<std::string, std::string> extra_headers;  // of http_ and, over TLS, https_
  std::string server_header;                         // by server_tokens
  int request_queue_size = 5;

  friend bool operator==(const RestSettings&, const RestSettings&) = default;
};

// Section `ctl`: this node as a client of other members.
struct PeerClientSettings {
  std::string username;
  Secret password;
  bool insecure = false;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  Secret key_password;

  friend bool operator==(const PeerClientSettings&, const PeerClientSettings&) = default;
};

struct WatchdogSettings {
  WatchdogMode mode = WatchdogMode::automatic;
  std::string device = "/dev/watchdog";
  seconds safety_margin{5};  // -1 = half of the ttl
  bool plain_text = false;   // driver `testing`: lines of text instead of ioctls

  friend bool operator==(const WatchdogSettings&, const WatchdogSettings&) = default;
};

// Section `storage`, tanist's own (safety 5.3).
struct StorageSettings {
  bool canary = true;
  seconds silent_after{10};  // without a finished write for this long, storage counts as hung
  seconds demote_after{0};   // silence after which a primary gives up the lock; 0 = never
  seconds unreachable_demote_after{0};  // the same without answers to new connections; 0 = never

  friend bool operator==(const StorageSettings&, const StorageSettings&) = default;
};

// Section `journal`, tanist's own (docs/guide/explain.md).
struct JournalSettings {
  bool enabled = true;
  std::string directory;
  std::size_t file_bytes_max = std::size_t{16} * 1024 * 1024;  // of each of two files

  friend bool operator==(const JournalSettings&, const JournalSettings&) = default;
};

struct Settings {
  NodeSettings node;
  ServerSettings server;
  StoreSettings store;
  RestSettings rest;
  PeerClientSettings peer_client;
  WatchdogSettings watchdog;
  StorageSettings storage;
  JournalSettings journal;
  LogSettings log;
  Tree bootstrap_dcs;  // first content of the store's `config` key; null = no such section
};

using SettingsPtr = std::shared_ptr<const Settings>;

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Sections postgresql and bootstrap (contract config 4.6 to 4.8). Pure; any thread.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/format.h"
#include "config/address.h"
#include "config/parameters.h"
#include "config/schema.h"
#include "config/settings_parts.h"

namespace tanist::config {

namespace {

constexpr std::array<std::string_view, 3> roles{"primary", "replica", "standby_leader"};
constexpr std::array<std::string_view, 9> libpq_options{
    "sslmode",   "sslcert",    "sslkey",          "sslrootcert",   "sslcrl",
    "sslcrldir", "gssencmode", "channel_binding", "sslnegotiation"};
constexpr std::array<std::string_view, 5> callback_names{"on_start", "on_stop", "on_restart",
                                                         "on_reload", "on_role_change"};

std::string home_folder() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return home;
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? found->pw_dir : "/";
}

Credentials credentials_from(const Section& section) {
  Credentials out;
  out.username = section.text("username");
  out.password = section.secret("password");
  out.sslpassword = section.secret("sslpassword");
  for (const auto name : libpq_options) {
    if (auto value = section.text(name); !value.empty()) out.options[std::string(name)] = value;
  }
  return out;
}

std::optional<Credentials> optional_credentials(const Section& users, std::string_view user) {
  if (!users.has(user)) return std::nullopt;
  return credentials_from(users.section(user));
}

Result<void> read_addresses(const Layers& layers, const Section& postgresql, ServerSettings& out) {
  const auto text = postgresql.text("listen");
  if (text.empty()) {
    return missing(layers, "postgresql.listen", "add \"listen: HOST:5432\" to section postgresql");
  }
  auto listen = parse_listen(text, 5432);
  if (!listen) return unusable(layers, "postgresql.listen", listen.error().message);
  out.listen_hosts = std::move(listen->hosts);
  out.port = listen->port;
  return {};
}

Result<void> read_credentials(const Layers& layers, const Section& postgresql,
                              ServerSettings& out) {
  const auto users = postgresql.section("authentication");
  if (!users.has("replication")) {
    return missing(layers, "postgresql.authentication.replication",
                   "add \"authentication: {replication: {username: replicator, password: ...}}\" "
                   "to section postgresql");
  }
  out.replication = credentials_from(users.section("replication"));
  out.superuser = optional_credentials(users, "superuser");
  out.rewind = optional_credentials(users, "rewind");
  return {};
}

void read_paths(const Section& postgresql, ServerSettings& out) {
  out.config_dir = postgresql.text("config_dir", out.data_dir);
  out.config_base_name = postgresql.text("config_base_name", out.config_base_name);
  out.bin_dir = postgresql.text("bin_dir");
  out.bin_name = postgresql.text_map("bin_name");
  out.pgpass = postgresql.text("pgpass");
  if (out.pgpass.empty()) out.pgpass = home_folder() + "/pgpass";
  out.custom_conf = postgresql.text("custom_conf");
}

std::map<std::string, std::string> plain(const Parameters& parameters) {
  return {parameters.begin(), parameters.end()};
}

void read_parameters(const Layers& layers, const Section& postgresql, ServerSettings& out) {
  std::string hosts;
  for (const auto& host : out.listen_hosts) hosts += (hosts.empty() ? "" : ",") + host;
  const OwnParameters own{hosts, std::to_string(out.port), out.scope};
  out.parameters = plain(merged_parameters(layers.dynamic_parameters(), layers.local_parameters(),
                                           own, layers.warnings));
  out.pg_hba = postgresql.texts("pg_hba");
  out.pg_ident = postgresql.texts("pg_ident");
  out.recovery_conf = postgresql.text_map("recovery_conf");
  for (const auto name : roles) {
    const std::string role(name);
    if (const auto* overrides = postgresql.find("parameters_" + role)) {
      out.parameters_by_role[role] = plain(role_parameters(overrides, layers.warnings));
    }
    if (postgresql.has("pg_hba_" + role)) {
      out.pg_hba_by_role[role] = postgresql.texts("pg_hba_" + role);
    }
    if (postgresql.has("pg_ident_" + role)) {
      out.pg_ident_by_role[role] = postgresql.texts("pg_ident_" + role);
    }
  }
}

void read_switches(const Section& postgresql, ServerSettings& out) {
  out.database = postgresql.text("database", out.database);
  out.krbsrvname = postgresql.text("krbsrvname");
  out.use_unix_socket = postgresql.flag("use_unix_socket", false);
  out.use_unix_socket_repl = postgresql.flag("use_unix_socket_repl", false);
  out.use_slots = postgresql.flag("use_slots", true);
  out.use_pg_rewind = postgresql.flag("use_pg_rewind", false);
  out.remove_data_on_rewind_failure =
      postgresql.flag("remove_data_directory_on_rewind_failure", false);
  out.remove_data_on_divergence =
      postgresql.flag("remove_data_directory_on_diverged_timelines", false);
  const auto timeout = postgresql.integer("pg_ctl_timeout", 60, "s");
  out.pg_ctl_timeout = seconds(std::clamp<std::int64_t>(timeout, 0, 1'000'000));
}

// Sections with names of the user's choice: those that the schema does not know.
std::map<std::string, Tree> method_sections(const Tree& postgresql) {
  std::map<std::string, Tree> out;
  for (const auto& [key, value] : *postgresql.as_map()) {
    const auto path = "postgresql." + key;
    if (value.is_map() && find_option(path) == nullptr && !is_section(path)) out[key] = value;
  }
  return out;
}

void read_commands(const Layers& layers, const Section& postgresql, ServerSettings& out) {
  auto methods = postgresql.texts(
      postgresql.has("create_replica_methods") ? "create_replica_methods" : "create_replica_method",
      true);
  if (!methods.empty()) out.create_replica_methods = std::move(methods);
  out.replica_methods = method_sections(layers.postgresql);
  out.basebackup_options = postgresql.collection("basebackup");
  out.rewind_options = postgresql.collection("rewind");
  const auto callbacks = postgresql.section("callbacks");
  for (const auto name : callback_names) {
    if (auto command = callbacks.text(name); !command.empty()) {
      out.callbacks[std::string(name)] = std::move(command);
    }
  }
  out.pre_promote = postgresql.text("pre_promote");
  out.before_stop = postgresql.text("before_stop");
}

// A method whose section or command is missing silently means initdb.
void read_bootstrap(const Layers& layers, ServerSettings& out) {
  const auto bootstrap = local_section(layers, "bootstrap");
  const auto method = bootstrap.text("method", "initdb");
  if (bootstrap.section(method).has("command")) {
    out.bootstrap_method = method;
    out.bootstrap_method_section = bootstrap.collection(method);
  }
  out.initdb_options = bootstrap.collection("initdb");
  out.post_bootstrap = bootstrap.text_of_either("post_bootstrap", "post_init");
  out.bootstrap_pg_hba = bootstrap.texts("pg_hba");
}

}  // namespace

HostPort local_address(const std::vector<std::string>& listen_hosts, std::uint16_t port) {
  constexpr std::array<std::string_view, 4> local{"*", "localhost", "0.0.0.0", "127.0.0.1"};
  for (const auto& host : listen_hosts) {
    if (std::ranges::find(local, host) != local.end()) return {"localhost", port};
  }
  return {listen_hosts.empty() ? "localhost" : listen_hosts.front(), port};
}

Result<ServerSettings> server_settings_from(const Layers& layers) {
  const Section top(&layers.local);
  const Section postgresql(&layers.postgresql);
  if (!top.has("postgresql")) {
    return missing(layers, "postgresql", "describe this node's server in that section");
  }
  ServerSettings out;
  out.scope = top.text("scope");
  out.name = MemberName(top.text("name"));
  const auto addresses = read_addresses(layers, postgresql, out);
  if (!addresses) return pass_on(addresses.error());
  out.data_dir = postgresql.text("data_dir");
  if (out.data_dir.empty()) {
    return missing(layers, "postgresql.data_dir", "add \"data_dir: /PATH\" to section postgresql");
  }
  const auto credentials = read_credentials(layers, postgresql, out);
  if (!credentials) return pass_on(credentials.error());
  read_paths(postgresql, out);
  read_parameters(layers, postgresql, out);
  read_switches(postgresql, out);
  read_commands(layers, postgresql, out);
  read_bootstrap(layers, out);
  return out;
}

}  // namespace tanist::config

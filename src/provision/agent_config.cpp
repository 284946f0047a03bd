// SPDX-License-Identifier: Apache-2.0
// One text per section, with holes. Names are quoted because YAML would read some of them as
// numbers or truth values; paths and addresses need no quotes once the topology was checked.
#include "provision/agent_config.h"

#include <algorithm>

#include "base/format.h"
#include "provision/etcd.h"
#include "provision/secret_marks.h"
#include "yaml/yaml.h"

namespace tanist::provision {

namespace {

using fmt::arg;

constexpr auto* identity =
    R"(# tanist on node {name} of cluster {cluster}. Written by `tanistctl provision`.
# Holds passwords: mode 0600, and nobody but the server's user may read it.
scope: '{cluster}'
namespace: {namespace}
name: '{name}'
)";

constexpr auto* rest = R"(
# Reading (health checks) is free; whoever wants to change something shows the password and a
# certificate of the cluster's own authority.
restapi:
  listen: '{address}'
  connect_address: '{address}'
  certfile: {certificate}
  keyfile: {key}
  cafile: {authority}
  verify_client: optional
  authentication:
    username: tanist
    password: '{password}'
)";

constexpr auto* routing_by_asking = R"(
# HAProxy asks here five times a second whether this server takes writes.
routing:
  agent_check: '{address}'
)";

constexpr auto* routing_by_socket = R"(
# HAProxy is told over its socket at the moment this server begins or ends to take writes.
routing:
  haproxy:
    sockets:
{sockets})";

constexpr auto* control = R"(
# How this node, and tanistctl with this file, calls the agents.
ctl:
  cacert: {authority}
  certfile: {certificate}
  keyfile: {key}

etcd3:
  protocol: https
  hosts:
{endpoints}  cacert: {authority}
  cert: {certificate}
  key: {key}
)";

constexpr auto* bootstrap = R"(
# Read once, by the node that creates the cluster. Afterwards: tanistctl edit-config.
bootstrap:
  dcs:
    ttl: {ttl}
    loop_wait: {loop_wait}
    retry_timeout: {retry_timeout}
    maximum_lag_on_failover: 1048576
    synchronous_mode: {synchronous_mode}
    synchronous_mode_strict: {strict}
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
{parameters}  initdb:
    - encoding: UTF8
    - locale: '{locale}'
    - data-checksums
    - auth-host: scram-sha-256
    - auth-local: scram-sha-256
)";

constexpr auto* server = R"(
postgresql:
  listen: '{address}'
  connect_address: '{address}'
  data_dir: {data}
  bin_dir: {bin_dir}
  pgpass: {data}.pgpass
  # The superuser comes through the socket only; pg_hba below turns it away from the network.
  use_unix_socket: true
  use_unix_socket_repl: true
  authentication:
    superuser:
      username: postgres
      password: '{superuser}'
    replication:
      username: replicator
      password: '{replication}'
      sslmode: verify-full
      sslrootcert: {authority}
    # pg_rewind runs as a role that may read the files it needs, and nothing else.
    rewind:
      username: rewinder
      password: '{rewind}'
      sslmode: verify-full
      sslrootcert: {authority}
  parameters:
    unix_socket_directories: {sockets}
    password_encryption: scram-sha-256
    ssl: 'on'
    ssl_cert_file: {certificate}
    ssl_key_file: {key}
    ssl_ca_file: {authority}
    ssl_min_protocol_version: TLSv1.2
  # The first line that fits decides.
  pg_hba:
)";

std::string identity_section(const Site& site) {
  return format_text(identity, arg("name", site.host.name), arg("cluster", site.topology.cluster),
                     arg("namespace", site.topology.namespace_));
}

std::string rest_section(const Site& site) {
  return format_text(rest, arg("address", site.host.address.with_port(site.host.ports.rest)),
                     arg("certificate", site.certificate(paths::rest)),
                     arg("key", site.key(paths::rest)),
                     arg("authority", site.at(paths::agent_authority)),
                     arg("password", mark_of(SecretName::rest)));
}

// Who is told when this node begins or ends to take writes: HAProxy by its socket where it runs on
// the same machine, else HAProxy asks.
std::string routing_section(const Site& site) {
  const auto proxies = site.topology.hosts_with(&Roles::haproxy);
  if (proxies.empty()) return {};
  if (!site.topology.one_machine) {
    return format_text(routing_by_asking,
                       arg("address", site.host.address.with_port(site.host.ports.agent_check)));
  }
  std::string sockets;
  for (const auto& proxy : proxies) {
    sockets += format_text("      - {}\n", site.at(proxy, paths::haproxy_socket));
  }
  return format_text(routing_by_socket, arg("sockets", sockets));
}

std::string control_section(const Site& site) {
  std::string endpoints;
  for (const auto& endpoint : etcd_endpoints(site.topology)) {
    endpoints += format_text("    - '{}'\n", endpoint);
  }
  return format_text(
      control, arg("endpoints", endpoints), arg("authority", site.at(paths::agent_authority)),
      arg("certificate", site.certificate(paths::agent)), arg("key", site.key(paths::agent)));
}

std::string indented(const std::string& block, std::size_t columns) {
  std::string text;
  for (std::size_t at = 0; at < block.size();) {
    const auto end = std::min(block.find('\n', at), block.size());
    text += std::string(columns, ' ') + block.substr(at, end - at) + "\n";
    at = end + 1;
  }
  return text;
}

// A standby that found the primary gone tries again this late (PostgreSQL: 5 s). After a crash of
// the primary, which is back in a moment, nothing is replicated until then.
constexpr auto retry_interval = "1s";

std::string bootstrap_section(const Topology& topology) {
  auto parameters = Tree::map({{"max_connections", 100},
                               {"max_wal_senders", 10},
                               {"max_replication_slots", 10},
                               {"wal_keep_size", "256MB"},
                               {"wal_retrieve_retry_interval", retry_interval}});
  deep_patch(parameters, topology.postgresql.parameters);
  constexpr std::size_t depth = 8;
  return format_text(bootstrap, arg("ttl", topology.timing.ttl.count()),
                     arg("loop_wait", topology.timing.loop_wait.count()),
                     arg("retry_timeout", topology.timing.retry_timeout.count()),
                     arg("synchronous_mode", name_of(topology.synchronous_mode)),
                     arg("strict", topology.synchronous_mode_strict ? "on" : "off"),
                     arg("parameters", indented(yaml::to_yaml(parameters), depth)),
                     arg("locale", topology.postgresql.locale));
}

std::string server_section(const Site& site) {
  const auto& [topology, host, root] = site;
  auto section = format_text(
      server, arg("address", host.address.with_port(host.ports.postgresql)),
      arg("data", site.at(topology.data_dir())), arg("bin_dir", topology.bin_dir()),
      arg("superuser", mark_of(SecretName::superuser)),
      arg("replication", mark_of(SecretName::replication)),
      arg("rewind", mark_of(SecretName::rewind)), arg("authority", site.at(paths::agent_authority)),
      arg("sockets", site.at(topology.directories.sockets)),
      arg("certificate", site.certificate(paths::postgresql)),
      arg("key", site.key(paths::postgresql)));
  for (const auto& line : hba_lines(topology)) section += "    - " + line + "\n";
  return section;
}

}  // namespace

namespace {

// PostgreSQL 17 and later: the standby's slot synchronisation connects to the database itself
// (trap 165).
bool synchronises_slots(const Topology& topology) {
  const auto* wanted = topology.postgresql.parameters.find("sync_replication_slots");
  return wanted != nullptr && to_bool(*wanted).value_or(false);
}

}  // namespace

std::vector<std::string> hba_lines(const Topology& topology) {
  // On one machine the agent may run as any user of the system, so that the name at the other end
  // of the socket proves nothing.
  const auto* local_proof = topology.one_machine ? "scram-sha-256" : "peer";
  std::vector<std::string> lines{
      format_text("local all postgres {}", local_proof),
      "local all all scram-sha-256",
      "local replication replicator scram-sha-256",
      "host all postgres all reject",
  };
  for (const auto& network : networks_of(topology.hosts_with(&Roles::node))) {
    lines.push_back(format_text("hostssl replication replicator {} scram-sha-256", network.text()));
    if (synchronises_slots(topology)) {
      lines.push_back(format_text("hostssl postgres replicator {} scram-sha-256", network.text()));
    }
    lines.push_back(format_text("hostssl postgres rewinder {} scram-sha-256", network.text()));
  }
  lines.emplace_back("host all replicator,rewinder all reject");
  // With HAProxy in front nobody else has to reach the servers.
  const auto proxies = networks_of(topology.hosts_with(&Roles::haproxy));
  for (const auto& network : proxies.empty() ? topology.applications : proxies) {
    lines.push_back(format_text("hostssl all all {} scram-sha-256", network.text()));
  }
  return lines;
}

std::string agent_config(const Site& site) {
  return identity_section(site) + rest_section(site) + routing_section(site) +
         control_section(site) + bootstrap_section(site.topology) + server_section(site);
}

}  // namespace tanist::provision

// SPDX-License-Identifier: Apache-2.0
// One text with holes. Every value comes from a checked topology, so nothing needs quoting.
#include "provision/etcd.h"

#include "base/format.h"

namespace tanist::provision {

namespace {

struct EtcdTiming {
  int heartbeat_ms = 100;  // etcd's own defaults
  int election_ms = 1000;
};

// A lease outlives an election of etcd's leader only if it is much longer; below 10 s the faster
// pair makes the smallest safe ttl 3 s instead of 4 s. The price is more elections on a network
// whose round trips come near 50 ms.
EtcdTiming timing_for(const Timing& timing) {
  return timing.ttl < seconds{10} ? EtcdTiming{50, 500} : EtcdTiming{};
}

std::string peer_url(const Host& member) {
  return "https://" + member.address.with_port(member.ports.etcd_peer);
}

std::string initial_cluster(const Topology& topology) {
  std::string members;
  for (const auto& member : topology.hosts_with(&Roles::etcd)) {
    members += (members.empty() ? "" : ",") + member.name + "=" + peer_url(member);
  }
  return members;
}

// On a host of its own the member also answers on the loopback address, for etcdctl there. On one
// machine three members would fight for it.
std::string listen_client_urls(const Site& site) {
  const auto& host = site.host;
  const auto own = "https://" + host.address.with_port(host.ports.etcd_client);
  if (site.topology.one_machine) return own;
  return format_text("{},https://127.0.0.1:{}", own, host.ports.etcd_client);
}

constexpr auto* text =
    R"(# etcd member {name} of cluster {cluster}. Written by `tanistctl provision`.
# These keys are understood by etcd 3.4 and 3.5. Times are in milliseconds.
name: '{name}'
data-dir: {data}

# Members call each other on the peer port; agents and etcdctl use the client port.
listen-peer-urls: {peer_url}
initial-advertise-peer-urls: {peer_url}
listen-client-urls: {listen_client_urls}
advertise-client-urls: https://{client}

# How the cluster is born. Ignored as soon as data-dir holds data.
initial-cluster: '{initial_cluster}'
initial-cluster-state: new
initial-cluster-token: '{cluster}'

# The leader lock of tanist is a lease of {ttl} s here: an election has to be much shorter.
heartbeat-interval: {heartbeat}
election-timeout: {election}

# Old revisions are of no use to tanist and would fill the disk.
auto-compaction-mode: periodic
auto-compaction-retention: 1h

# Nobody talks to this member without a certificate of the cluster's own authority.
client-transport-security:
  cert-file: {server_crt}
  key-file: {server_key}
  client-cert-auth: true
  trusted-ca-file: {authority}
peer-transport-security:
  cert-file: {peer_crt}
  key-file: {peer_key}
  client-cert-auth: true
  trusted-ca-file: {authority}

# With a file, etcd 3.4 leaves this off; Patroni and its tools speak it.
enable-grpc-gateway: true

logger: zap
log-outputs: [stderr]
)";

}  // namespace

std::string etcd_config(const Site& site) {
  const auto& [topology, host, root] = site;
  const auto timing = timing_for(topology.timing);
  using fmt::arg;
  return format_text(text, arg("name", host.name), arg("cluster", topology.cluster),
                     arg("data", site.at(topology.etcd_dir())), arg("peer_url", peer_url(host)),
                     arg("listen_client_urls", listen_client_urls(site)),
                     arg("client", host.address.with_port(host.ports.etcd_client)),
                     arg("initial_cluster", initial_cluster(topology)),
                     arg("ttl", topology.timing.ttl.count()), arg("heartbeat", timing.heartbeat_ms),
                     arg("election", timing.election_ms),
                     arg("server_crt", site.certificate(paths::etcd_server)),
                     arg("server_key", site.key(paths::etcd_server)),
                     arg("peer_crt", site.certificate(paths::etcd_peer)),
                     arg("peer_key", site.key(paths::etcd_peer)),
                     arg("authority", site.at(paths::etcd_authority)));
}

std::vector<std::string> etcd_endpoints(const Topology& topology) {
  std::vector<std::string> endpoints;
  for (const auto& member : topology.hosts_with(&Roles::etcd)) {
    endpoints.push_back(member.address.with_port(member.ports.etcd_client));
  }
  return endpoints;
}

}  // namespace tanist::provision

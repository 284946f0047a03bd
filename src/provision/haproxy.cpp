// SPDX-License-Identifier: Apache-2.0
// One text with holes, and one line per PostgreSQL node.
#include "provision/haproxy.h"

#include "base/format.h"
#include "provision/secret_marks.h"

namespace tanist::provision {

namespace {

constexpr auto* process_on_own_host = R"(    log /dev/log local0
    chroot /var/lib/haproxy
    user haproxy
    group haproxy
    maxconn 10000
)";

constexpr auto* process_on_one_machine = R"(    log stderr format raw local0 notice
    # Few, because a user may open but so many files.
    maxconn 200
)";

constexpr auto* text = R"(# HAProxy for cluster {cluster}. Written by `tanistctl provision`.
# HAProxy takes no part in failover. It asks every agent over HTTPS whether its server takes writes
# (/primary) or reads (/replica), and sends new connections where the answer is 200. The TLS of
# applications ends at PostgreSQL, whose certificates carry this host's name and address.
global
{process}    stats socket {socket} mode 660 level admin
    # The key of statistics.crt is statistics.key beside it.
    ssl-load-extra-del-ext
    ssl-default-bind-options ssl-min-ver TLSv1.2
    ssl-default-server-options ssl-min-ver TLSv1.2

defaults
    log global
    mode tcp
    option tcplog
    option dontlognull
    timeout connect 3s
    timeout check 2s
    # A session that idles is no fault: keepalive, not a timeout, tells when the other end is gone.
    timeout client 24h
    timeout server 24h
    option clitcpka
    option srvtcpka
    # A server is asked once a second, three times a second while its answers change. Two bad
    # answers take it out and end its sessions: their server is no primary any more.{push}
    default-server check inter 1s fastinter 300ms downinter 1s fall 2 rise 1
    default-server on-marked-down shutdown-sessions
    default-server check-ssl verify required ca-file {authority}

frontend read_write
    bind {bind_to}:{read_write}
    default_backend primary

frontend read_only
    bind {bind_to}:{read_only}
    # With no replica left the primary answers reads. Delete this line to refuse them instead.
    use_backend primary if {{ nbsrv(replicas) eq 0 }}
    default_backend replicas

backend primary
    option httpchk GET /primary
    http-check expect status 200
{primary_servers}
backend replicas
    balance leastconn
    option httpchk GET /replica
    http-check expect status 200
{servers}
frontend statistics
    mode http
    bind {statistics} ssl crt {statistics_crt}
    timeout client 30s
    timeout http-request 5s
    stats enable
    stats uri /
    stats refresh 5s
    stats hide-version
    stats auth admin:{password}
)";

// On one machine the agents write to the runtime socket below; elsewhere HAProxy asks them often.
constexpr auto* push_on_one_machine = R"(
    # Sooner than that the agents tell over the socket above (`routing` in their configuration).)";

constexpr auto* push_between_hosts = R"(
    # Sooner than that the agents' own port tells (agent-check, five times a second): a primary that
    # stops takes no new sessions and loses the old ones at once. `up` needs the check as well.)";

constexpr auto* primary_defaults_between_hosts =
    "    default-server downinter 300ms agent-check agent-inter 200ms\n";

// `verifyhost`: the certificate of another host of the cluster is not good enough.
std::string server_lines(const Topology& topology, bool agent_check) {
  std::string lines = agent_check ? primary_defaults_between_hosts : "";
  for (const auto& node : topology.hosts_with(&Roles::node)) {
    const auto port =
        agent_check ? format_text(" agent-port {}", node.ports.agent_check) : std::string();
    lines += format_text("    server {} {} port {} verifyhost {}{}\n", node.name,
                         node.address.with_port(node.ports.postgresql), node.ports.rest, node.name,
                         port);
  }
  return lines;
}

// All addresses of a host of its own: a virtual address may move there at any time.
std::string bind_to(const Site& site) {
  if (site.topology.one_machine) return site.host.address.in_url();
  return site.host.address.is_v6() ? "[::]" : "*";
}

}  // namespace

std::string haproxy_config(const Site& site) {
  const auto& [topology, host, root] = site;
  using fmt::arg;
  return format_text(
      text, arg("cluster", topology.cluster),
      arg("process", topology.one_machine ? process_on_one_machine : process_on_own_host),
      arg("socket", site.at(paths::haproxy_socket)),
      arg("authority", site.at(paths::haproxy_authority)), arg("bind_to", bind_to(site)),
      arg("read_write", host.ports.read_write), arg("read_only", host.ports.read_only),
      arg("push", topology.one_machine ? push_on_one_machine : push_between_hosts),
      arg("primary_servers", server_lines(topology, !topology.one_machine)),
      arg("servers", server_lines(topology, false)),
      arg("statistics", host.address.with_port(host.ports.statistics)),
      arg("statistics_crt", site.certificate(paths::statistics)),
      arg("password", mark_of(SecretName::statistics)));
}

}  // namespace tanist::provision

// SPDX-License-Identifier: Apache-2.0
// Rules as rows, written down twice.
#include "provision/firewall.h"

#include <algorithm>

#include "base/format.h"

namespace tanist::provision {

namespace {

constexpr auto* ufw_head = R"~(#!/bin/sh
# Firewall of host {name}, cluster {cluster}, by ufw. Written by `tanistctl provision`.
# Run it again after a change. Rules of hosts that left: `ufw status numbered`, `ufw delete NUMBER`.
set -eu
if [ "$(id -u)" -ne 0 ]; then
  echo "$0: has to run as root; try: sudo sh $0" >&2
  exit 1
fi

# First of all, so that nobody locks himself out.
ufw allow proto tcp to any port {ssh} comment 'ssh'
)~";

constexpr auto* ufw_tail = R"~(
ufw default deny incoming
ufw --force enable
ufw status
)~";

constexpr auto* nftables_head = R"~(#!/usr/sbin/nft -f
# Firewall of host {name}, cluster {cluster}, by nftables. Written by `tanistctl provision`.
# Check with `nft -c -f FILE`, load with `nft -f FILE`; it replaces this one table and no other.
table inet tanist
delete table inet tanist
table inet tanist {{
  chain input {{
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    ct state invalid drop
    iif "lo" accept
    meta l4proto {{ icmp, ipv6-icmp }} accept
    udp dport {{ 68, 546 }} accept comment "own address by DHCP"
    tcp dport {ssh} accept comment "ssh"
)~";

constexpr auto* nftables_tail = R"~(  }
}
)~";

std::string joined(const std::vector<Network>& networks, bool v6) {
  std::string text;
  for (const auto& network : networks) {
    if (network.is_v6() == v6) text += (text.empty() ? "" : ", ") + network.text();
  }
  return text;
}

}  // namespace

std::vector<FirewallRule> firewall_rules(const Topology& topology, const Host& host) {
  const auto nodes = networks_of(topology.hosts_with(&Roles::node));
  const auto proxies = networks_of(topology.hosts_with(&Roles::haproxy));
  const auto members = networks_of(topology.hosts_with(&Roles::etcd));
  const auto& applications = topology.applications;
  std::vector<FirewallRule> rules;
  if (host.roles.node) {
    const auto clients = united(nodes, proxies.empty() ? applications : proxies);
    rules.push_back({"PostgreSQL", host.ports.postgresql, clients});
    rules.push_back({"REST API of the agent", host.ports.rest, united(nodes, proxies)});
    if (!proxies.empty()) {
      rules.push_back({"agent check of HAProxy", host.ports.agent_check, proxies});
    }
  }
  if (host.roles.etcd) {
    rules.push_back({"etcd, agents", host.ports.etcd_client, nodes});
    rules.push_back({"etcd, members", host.ports.etcd_peer, members});
  }
  if (host.roles.haproxy) {
    rules.push_back({"HAProxy, read-write", host.ports.read_write, applications});
    rules.push_back({"HAProxy, read-only", host.ports.read_only, applications});
  }
  return rules;
}

std::string ufw_script(const Site& site) {
  auto script =
      format_text(ufw_head, fmt::arg("name", site.host.name),
                  fmt::arg("cluster", site.topology.cluster), fmt::arg("ssh", site.host.ports.ssh));
  for (const auto& rule : firewall_rules(site.topology, site.host)) {
    for (const auto& source : rule.sources) {
      script += format_text("ufw allow proto tcp from {} to any port {} comment '{}'\n",
                            source.text(), rule.port, rule.service);
    }
  }
  return script + ufw_tail;
}

std::string nftables_file(const Site& site) {
  auto file =
      format_text(nftables_head, fmt::arg("name", site.host.name),
                  fmt::arg("cluster", site.topology.cluster), fmt::arg("ssh", site.host.ports.ssh));
  for (const auto& rule : firewall_rules(site.topology, site.host)) {
    for (const bool v6 : {false, true}) {
      const auto sources = joined(rule.sources, v6);
      if (sources.empty()) continue;
      file += format_text("    {} saddr {{ {} }} tcp dport {} accept comment \"{}\"\n",
                          v6 ? "ip6" : "ip", sources, rule.port, rule.service);
    }
  }
  return file + nftables_tail;
}

}  // namespace tanist::provision

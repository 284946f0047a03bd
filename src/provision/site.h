// SPDX-License-Identifier: Apache-2.0
// One host while its files are written: the topology, the host, and where its paths begin. On a
// real host that is the root folder; on one machine it is the host's folder in the output, so that
// /etc/tanist of node1 is OUTPUT/node1/etc/tanist and nothing has to be installed. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "provision/topology.h"

namespace tanist::provision {

// Where files go on a host. Dotless names, so that every host has the same ones.
namespace paths {
inline constexpr std::string_view etcd_config = "/etc/etcd/etcd.yml";
inline constexpr std::string_view etcd_authority = "/etc/etcd/ssl/ca.crt";
inline constexpr std::string_view etcd_server = "/etc/etcd/ssl/server";
inline constexpr std::string_view etcd_peer = "/etc/etcd/ssl/peer";
inline constexpr std::string_view agent_config = "/etc/tanist/tanist.yml";
inline constexpr std::string_view agent_authority = "/etc/tanist/ssl/ca.crt";
inline constexpr std::string_view agent = "/etc/tanist/ssl/agent";
inline constexpr std::string_view rest = "/etc/tanist/ssl/rest";
inline constexpr std::string_view postgresql = "/etc/tanist/ssl/postgresql";
inline constexpr std::string_view haproxy_config = "/etc/haproxy/haproxy.cfg";
inline constexpr std::string_view haproxy_authority = "/etc/haproxy/tanist/ca.crt";
inline constexpr std::string_view haproxy_socket = "/run/haproxy/admin.sock";
inline constexpr std::string_view statistics = "/etc/haproxy/tanist/statistics";
inline constexpr std::string_view etcd_unit = "/etc/systemd/system/etcd.service";
inline constexpr std::string_view agent_unit = "/etc/systemd/system/tanist.service";
inline constexpr std::string_view ufw_script = "/firewall/ufw.sh";
inline constexpr std::string_view nftables_file = "/firewall/nftables.conf";
}  // namespace paths

struct Site {
  const Topology& topology;
  const Host& host;
  std::string root;  // "" on a real host; on one machine the host's folder below the output's

  std::string at(std::string_view path) const { return root + std::string(path); }
  // The same on another host. Requires: one machine.
  std::string at(const Host& other, std::string_view path) const {
    return root.substr(0, root.size() - host.name.size()) + other.name + std::string(path);
  }
  std::string certificate(std::string_view stem) const { return at(stem) + ".crt"; }
  std::string key(std::string_view stem) const { return at(stem) + ".key"; }
};

// The networks from which connections of these hosts arrive: each address alone, sorted, once.
// Connections between loopback addresses arrive from 127.0.0.1 whatever the target, so one of
// them stands for 127.0.0.0/8.
std::vector<Network> networks_of(const std::vector<Host>& hosts);

// All of both, sorted, each once.
std::vector<Network> united(std::vector<Network> a, const std::vector<Network>& b);

}  // namespace tanist::provision

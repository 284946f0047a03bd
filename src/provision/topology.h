// SPDX-License-Identifier: Apache-2.0
// What an operator wants: a cluster's name, its hosts with their roles, and a few choices. Read
// from a YAML file by topology_reader.h; turned into files by plan.h. A plain value; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/cluster_settings.h"
#include "provision/address.h"

namespace tanist::provision {

// The TCP ports of all services; each host has its own set, mostly the defaults.
struct Ports {
  std::uint16_t postgresql = 5432;
  std::uint16_t rest = 8008;
  std::uint16_t etcd_client = 2379;
  std::uint16_t etcd_peer = 2380;
  std::uint16_t read_write = 5000;
  std::uint16_t read_only = 5001;
  std::uint16_t statistics = 7000;
  std::uint16_t agent_check = 8009;  // of the agents, for HAProxy
  std::uint16_t ssh = 22;            // for the firewall only

  friend bool operator==(const Ports&, const Ports&) = default;
};

// What runs on a host; at least one of them.
struct Roles {
  bool node = false;     // PostgreSQL and its agent: a member of the cluster
  bool etcd = false;     // a member of etcd
  bool haproxy = false;  // the entry point of applications

  friend bool operator==(const Roles&, const Roles&) = default;
};

// Where the topology file says something, for findings.
struct Origin {
  std::string key;  // "nodes[1]"
  int line = 0;
};

struct Host {
  std::string name;  // also its folder in the output, and the member's name
  Address address;
  Roles roles;
  Ports ports;
  Origin origin;
};

struct PostgresqlOptions {
  int version = 16;
  std::string bin_dir;  // empty = Debian's folder of that version
  // Sorts alike on every release of the C library; with another one, an upgrade of a single node's
  // operating system can leave its indexes in the wrong order.
  std::string locale = "C.UTF-8";
  Tree parameters = Tree::map();  // name -> scalar, for the cluster's dynamic configuration
};

// Absolute paths on each host. On one machine they lie below the host's folder of the output.
struct Directories {
  std::string data;  // empty = /var/lib/postgresql/CLUSTER
  std::string etcd;  // empty = /var/lib/etcd/CLUSTER
  std::string sockets = "/run/postgresql";
  std::string programs = "/usr/bin";  // of tanist and etcd; never below the output
};

struct CertificateOptions {
  int days = 365;
  int authority_days = 3650;
  // Further names under which applications reach the cluster (a DNS alias, a virtual address).
  std::vector<std::string> names;
  std::vector<Address> addresses;
};

struct Topology {
  std::string cluster;
  std::string namespace_ = "/service";
  // All hosts are this machine: every file and folder lies in the output folder, nothing needs
  // root, and no units or firewall files are written.
  bool one_machine = false;
  std::vector<Host> hosts;            // in the file's order; names and addresses are unique
  std::vector<Network> applications;  // may reach the entry points; never empty once read
  Timing timing;
  SynchronousMode synchronous_mode = SynchronousMode::off;
  bool synchronous_mode_strict = false;
  PostgresqlOptions postgresql;
  Directories directories;
  CertificateOptions certificates;

  // The hosts of one role, in the file's order: hosts_with(&Roles::etcd).
  std::vector<Host> hosts_with(bool Roles::* role) const;
  std::string bin_dir() const;
  std::string data_dir() const;
  std::string etcd_dir() const;
};

// Things that work but should be known before production: one sentence each, with the remedy.
std::vector<std::string> advice(const Topology& topology);

}  // namespace tanist::provision

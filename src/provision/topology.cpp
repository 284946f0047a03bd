// SPDX-License-Identifier: Apache-2.0
// Questions to a topology, and what is worth telling its author. Pure.
#include "provision/topology.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"

namespace tanist::provision {

std::vector<Host> Topology::hosts_with(bool Roles::* role) const {
  std::vector<Host> found;
  std::ranges::copy_if(hosts, std::back_inserter(found),
                       [&](const Host& host) { return host.roles.*role; });
  return found;
}

std::string Topology::bin_dir() const {
  if (!postgresql.bin_dir.empty()) return postgresql.bin_dir;
  return format_text("/usr/lib/postgresql/{}/bin", postgresql.version);
}

std::string Topology::data_dir() const {
  return directories.data.empty() ? "/var/lib/postgresql/" + cluster : directories.data;
}

std::string Topology::etcd_dir() const {
  return directories.etcd.empty() ? "/var/lib/etcd/" + cluster : directories.etcd;
}

std::vector<std::string> advice(const Topology& topology) {
  std::vector<std::string> sentences;
  const auto nodes = topology.hosts_with(&Roles::node).size();
  if (nodes == 1) {
    sentences.emplace_back(
        "One node cannot fail over: add a second one under `nodes` before relying on it.");
  }
  if (topology.hosts_with(&Roles::etcd).size() == 1) {
    sentences.emplace_back(
        "One etcd member is a single point of failure: without it no node stays primary. List "
        "three under `etcd`.");
  }
  if (topology.synchronous_mode != SynchronousMode::off && topology.synchronous_mode_strict &&
      nodes < 3) {
    sentences.emplace_back(
        "With synchronous_mode_strict and fewer than three nodes, losing one replica stops all "
        "commits.");
  }
  const bool open = std::ranges::find(topology.applications, Network::everything_v4()) !=
                    topology.applications.end();
  if (open && !topology.one_machine) {
    sentences.emplace_back(
        "The entry points accept connections from every network: name those of your applications "
        "under `applications`.");
  }
  return sentences;
}

}  // namespace tanist::provision

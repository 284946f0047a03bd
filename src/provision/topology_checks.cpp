// SPDX-License-Identifier: Apache-2.0
// One function per rule; check() lists them all.
#include "provision/topology_checks.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/format.h"

namespace tanist::provision {

namespace {

struct Service {
  std::string_view name;  // its key under `ports`
  std::uint16_t Ports::* port;
  bool Roles::* role;
};

constexpr Service services[] = {
    {"postgresql", &Ports::postgresql, &Roles::node},
    {"rest", &Ports::rest, &Roles::node},
    {"agent_check", &Ports::agent_check, &Roles::node},
    {"etcd_client", &Ports::etcd_client, &Roles::etcd},
    {"etcd_peer", &Ports::etcd_peer, &Roles::etcd},
    {"read_write", &Ports::read_write, &Roles::haproxy},
    {"read_only", &Ports::read_only, &Roles::haproxy},
    {"statistics", &Ports::statistics, &Roles::haproxy},
};

void check_names(const Topology& topology, Findings& findings) {
  std::map<std::string, std::string> seen;
  for (const auto& host : topology.hosts) {
    auto lower = host.name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    const auto [earlier, is_new] = seen.emplace(lower, host.origin.key);
    if (is_new) continue;
    findings.add(host.origin.key + ".name",
                 format_text("the name {} is taken by {}; each host has a name of its own (a host "
                             "with several roles is named again without its address)",
                             host.name, earlier->second));
  }
}

// A member's slot is its name in lower case with '-' and '.' as '_' (contract postgres 10.1).
void check_slot_names(const Topology& topology, Findings& findings) {
  std::map<std::string, std::string> seen;
  for (const auto& node : topology.hosts_with(&Roles::node)) {
    auto slot = node.name;
    std::ranges::transform(slot, slot.begin(), [](unsigned char c) {
      return c == '-' || c == '.' ? '_' : static_cast<char>(std::tolower(c));
    });
    const auto [earlier, is_new] = seen.emplace(slot.substr(0, 63), node.name);
    if (is_new || earlier->second == node.name) continue;
    findings.add(node.origin.key + ".name",
                 format_text("{} and {} would share the replication slot {}; choose names that "
                             "differ in more than '-' and '.'",
                             earlier->second, node.name, slot));
  }
}

void check_addresses(const Topology& topology, Findings& findings) {
  std::map<Address, std::string> seen;
  for (const auto& host : topology.hosts) {
    const auto key = host.origin.key + ".address";
    if (topology.one_machine) continue;
    if (host.address.is_loopback()) {
      findings.add(key, format_text("{} is reachable on its own machine only; give the host's "
                                    "address in the network, or set `one_machine: true`",
                                    host.address.text()));
      continue;
    }
    const auto [earlier, is_new] = seen.emplace(host.address, host.name);
    if (is_new) continue;
    findings.add(key, format_text("{} is the address of {} too; give each host its own (a host "
                                  "with several roles is named again without its address), or set "
                                  "`one_machine: true` and distinct ports to try it out",
                                  host.address.text(), earlier->second));
  }
}

void check_ports(const Topology& topology, Findings& findings) {
  constexpr int unprivileged_port_min = 1024;
  std::map<std::string, std::string> seen;
  for (const auto& host : topology.hosts) {
    for (const auto& service : services) {
      if (!(host.roles.*service.role)) continue;
      // On one machine HAProxy is told by its socket.
      if (topology.one_machine && service.port == &Ports::agent_check) continue;
      const auto port = host.ports.*service.port;
      const auto key = format_text("{}.ports.{}", host.origin.key, service.name);
      const auto user = format_text("{} of {}", service.name, host.name);
      const auto [earlier, is_new] = seen.emplace(host.address.with_port(port), user);
      if (!is_new && (topology.one_machine || earlier->second.ends_with(" of " + host.name))) {
        findings.add(key, format_text("{} is used by {} too; give {} another port under `ports`",
                                      earlier->first, earlier->second, user));
      }
      if (topology.one_machine && port < unprivileged_port_min) {
        findings.add(key, format_text("port {} needs root, and `one_machine` runs without; choose "
                                      "one from {} up",
                                      port, unprivileged_port_min));
      }
    }
  }
}

void check_etcd(const Topology& topology, Findings& findings) {
  const auto members = topology.hosts_with(&Roles::etcd).size();
  if (members == 0 || members % 2 == 1) return;
  const auto* key = findings.has("etcd") ? "etcd" : "nodes";  // by default the nodes carry etcd
  findings.add(key, format_text("{} members survive no more losses than {}, and any odd number "
                                "does better; list {} hosts under `etcd` (a member needs no "
                                "PostgreSQL: NAME and ADDRESS of a small machine will do)",
                                members, members - 1, members + 1));
}

void check_timing(const Topology& topology, Findings& findings) {
  const auto& timing = topology.timing;
  if (timing.loop_wait + 2 * timing.retry_timeout <= timing.ttl) return;
  findings.add(
      "timing",
      format_text("loop_wait {} + 2 * retry_timeout {} is more than ttl {}; raise ttl to "
                  "{} or lower the others",
                  timing.loop_wait.count(), timing.retry_timeout.count(), timing.ttl.count(),
                  (timing.loop_wait + 2 * timing.retry_timeout).count()));
}

void check_strictness(const Topology& topology, Findings& findings) {
  if (!topology.synchronous_mode_strict) return;
  if (topology.synchronous_mode != SynchronousMode::off) return;
  findings.add("synchronous_mode_strict",
               "has no meaning while synchronous_mode is off; set `synchronous_mode: on`");
}

}  // namespace

void check(const Topology& topology, Findings& findings) {
  check_names(topology, findings);
  check_slot_names(topology, findings);
  check_addresses(topology, findings);
  check_ports(topology, findings);
  check_etcd(topology, findings);
  check_timing(topology, findings);
  check_strictness(topology, findings);
}

}  // namespace tanist::provision

// SPDX-License-Identifier: Apache-2.0
// Faults of links and of etcd.
#include "sim/faults.h"

namespace tanist::sim {

std::vector<Faults::Kind> Faults::network_faults() {
  return {{"isolate node", 2, [this] { return isolate(); }},
          {"cut from nodes", 1, [this] { return cut_from_nodes(); }},
          {"leave with clients", 1, [this] { return leave_with_clients(); }},
          {"cut one way", 2, [this] { return cut_one_way(); }},
          {"cut from store", 2, [this] { return cut_from_store(); }},
          {"lose messages", 1, [this] { return lose_messages(); }},
          {"slow links", 1, [this] { return slow_links(); }}};
}

bool Faults::cut_off(Node& node, std::vector<Host> others, std::string_view from) {
  world_.tell(node.name(), "network: is cut off from {}", from);
  const auto each = [this, host = node.server.host(), others = std::move(others)](auto change) {
    for (const auto other : others) {
      (cluster_.network().*change)(host, other);
      (cluster_.network().*change)(other, host);
    }
  };
  each(&Network::cut);
  lasts(milliseconds(100), seconds(40), [this, &node, each] {
    world_.tell(node.name(), "network: is back");
    each(&Network::mend);
  });
  return true;
}

bool Faults::isolate() {
  std::vector<Host> all;
  for (Host other = 0; other < cluster_.network().hosts(); ++other) all.push_back(other);
  return cut_off(likely_leader(), std::move(all), "everybody");
}

// Replication and REST only.
bool Faults::cut_from_nodes() {
  std::vector<Host> nodes;
  for (const auto& other : cluster_.nodes()) nodes.push_back(other->server.host());
  return cut_off(likely_leader(), std::move(nodes), "the other nodes");
}

// A partition with the clients on this side: what they write here, nobody else gets.
bool Faults::leave_with_clients() {
  std::vector<Host> others;
  for (Host other = 0; other < cluster_.network().hosts(); ++other) {
    if (other != cluster_.client_host()) others.push_back(other);
  }
  return cut_off(likely_leader(), std::move(others), "everybody but the clients");
}

bool Faults::cut_one_way() {
  auto& network = cluster_.network();
  const auto from = static_cast<Host>(chance_.index(static_cast<std::size_t>(network.hosts())));
  const auto to = static_cast<Host>(chance_.index(static_cast<std::size_t>(network.hosts())));
  if (from == to) return false;
  world_.tell("faults", "network: nothing gets from host {} to host {}", from, to);
  network.cut(from, to);
  lasts(milliseconds(100), seconds(40), [&network, from, to] { network.mend(from, to); });
  return true;
}

bool Faults::cut_from_store() {
  auto& node = likely_leader();
  auto& etcd = cluster_.etcd();
  const int direction = static_cast<int>(chance_.below(3));
  const bool out = direction != 0;
  const bool in = direction != 1;
  world_.tell(node.name(), "network: is cut off from etcd{}", out && in ? "" : ", one way");
  const auto each = [this, &etcd, host = node.server.host(), out, in](auto change) {
    for (int i = 0; i < etcd.count(); ++i) {
      if (out) (cluster_.network().*change)(host, etcd.host(i));
      if (in) (cluster_.network().*change)(etcd.host(i), host);
    }
  };
  each(&Network::cut);
  lasts(milliseconds(100), seconds(40), [each] { each(&Network::mend); });
  return true;
}

bool Faults::lose_messages() {
  auto& network = cluster_.network();
  const int permille = 10 + static_cast<int>(chance_.below(300));
  world_.tell("faults", "network: {} of 1000 messages are lost", permille);
  const auto set = [&network](int chance) {
    for (Host a = 0; a < network.hosts(); ++a) {
      for (Host b = 0; b < network.hosts(); ++b) network.set_loss(a, b, chance);
    }
  };
  set(permille);
  lasts(seconds(1), seconds(20), [set] { set(0); });
  return true;
}

bool Faults::slow_links() {
  auto& network = cluster_.network();
  const auto host = any_node().server.host();
  const auto extra = chance_.between(milliseconds(10), milliseconds(400));
  world_.tell("faults", "network: links of host {} take {} ms more", host, in_milliseconds(extra));
  const auto set = [&network, host](Duration time) {
    for (Host other = 0; other < network.hosts(); ++other) {
      network.set_slowness(host, other, time);
      network.set_slowness(other, host, time);
    }
  };
  set(extra);
  lasts(seconds(1), seconds(20), [set] { set(Duration(0)); });
  return true;
}

// ---- etcd ------------------------------------------------------------------------------------

std::vector<Faults::Kind> Faults::store_faults() {
  const auto compact = [this] {
    cluster_.etcd().compact();
    return true;
  };
  const auto end_watches = [this] {
    cluster_.etcd().end_watches();
    return true;
  };
  const auto erase_leader = [this] {
    erase_leader_key();
    return true;
  };
  const auto erase_new = [this] {
    return lie_in_wait(seconds(4), [this](Node&) { erase_leader_key(); });
  };
  return {{"etcd member down", 2, [this] { return store_member_down(); }},
          {"etcd outage", 1, [this] { return store_outage(); }},
          {"etcd leader hangs", 2, [this] { return store_hangs(); }},
          {"etcd slow", 1, [this] { return store_slow(); }},
          {"etcd compaction", 1, compact},
          {"watches end", 1, end_watches},
          {"leader key deleted", 1, erase_leader},
          {"new leader key deleted", 1, erase_new}};
}

void Faults::erase_leader_key() {
  world_.tell("faults", "somebody deletes the leader key");
  checks_.leader_key_was_erased();
  cluster_.etcd().erase_key("/service/demo/leader");
}

bool Faults::store_member_down() {
  auto& etcd = cluster_.etcd();
  const bool leads = etcd.leader() >= 0 && chance_.one_in(2);
  const int member = leads ? etcd.leader() : static_cast<int>(chance_.below(3));
  world_.tell("etcd", "member {} is down", member + 1);
  etcd.take_down(member);
  lasts(milliseconds(500), seconds(30), [&etcd, member] { etcd.bring_up(member); });
  return true;
}

bool Faults::store_outage() {
  auto& etcd = cluster_.etcd();
  world_.tell("etcd", "all members are down");
  for (int i = 0; i < etcd.count(); ++i) etcd.take_down(i);
  lasts(milliseconds(500), seconds(40), [&etcd] {
    for (int i = 0; i < etcd.count(); ++i) etcd.bring_up(i);
  });
  return true;
}

bool Faults::store_hangs() {
  auto& etcd = cluster_.etcd();
  const int member = etcd.leader();
  if (member < 0) return false;
  world_.tell("etcd", "member {}, the leader, hangs and answers keepalives only", member + 1);
  etcd.hang(member);
  lasts(seconds(1), seconds(40), [&etcd, member] { etcd.unhang(member); });
  return true;
}

bool Faults::store_slow() {
  auto& etcd = cluster_.etcd();
  const auto delay = chance_.between(milliseconds(20), milliseconds(700));
  world_.tell("etcd", "commits take {} ms, some come late", in_milliseconds(delay));
  etcd.set_commit_delay(delay);
  etcd.set_late(chance_.one_in(3) ? 500 : 100, chance_.one_in(3) ? seconds(30) : seconds(6));
  lasts(seconds(2), seconds(20), [&etcd] {
    etcd.set_commit_delay(milliseconds(2));
    etcd.set_late(0, Duration(0));
  });
  return true;
}

}  // namespace tanist::sim

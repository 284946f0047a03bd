// SPDX-License-Identifier: Apache-2.0
// Servers in transcripts.
#include "server_commands.h"

#include <algorithm>

#include "base/json.h"

namespace tanist::scenarios {

namespace {

ControlData control_of(const World& world) {
  if (world.server.control) return *world.server.control;
  ControlData control;
  control.system_id = SystemId("7000000000000000001");
  control.state = ControlState::in_production;
  control.checkpoint_timeline = Timeline(1);
  control.checksums = true;
  return control;
}

QueryFacts query_of(bool standby) {
  QueryFacts query;
  query.server_version = 150002;
  query.in_recovery = standby;
  query.postmaster_start_time = "2026-01-01 00:00:00.000000+00:00";
  if (standby) {
    query.received = query.replayed = Lsn(0x5000);
    query.received_timeline = Timeline(1);
    query.receiver_status = "streaming";
  } else {
    query.timeline = Timeline(1);
    query.location = Lsn(0x5000);
  }
  return query;
}

void set_kind(World& world, const std::string& kind) {
  auto& server = world.server;
  const auto control = control_of(world);
  const auto pid = server.postmaster ? server.postmaster->pid : 4242;
  const bool alive =
      kind == "standby" || kind == "primary" || kind == "silent" || kind == "starting";
  if (kind == "new") {  // the same server with another process
    server.postmaster = ProcessIdentity{pid + 1, 1};
    return;
  }
  const auto query = server.query;
  server = ServerFacts{};
  server.data = DataDirectory::present;
  server.major_version = 15;
  server.control = control;
  if (alive) server.postmaster = ProcessIdentity{pid, 1};
  if (kind == "standby" || kind == "primary") {
    server.readiness = Readiness::accepting;
    server.query = query_of(kind == "standby");
    server.standby_signal = kind == "standby";
  } else if (kind == "starting") {
    server.readiness = Readiness::rejecting;
  } else if (kind == "empty" || kind == "foreign" || kind == "not_accessible") {
    server.control.reset();
    server.data =
        kind == "empty" ? DataDirectory::absent_or_empty : from_name<DataDirectory>(kind).value();
    if (kind == "not_accessible") server.data_error = "Permission denied";
  } else if (!alive && kind != "dead") {
    throw Unusable{"no such server: " + kind};
  }
}

void set_position(World& world, const Pair& fact) {
  if (!world.server.query) throw Unusable{"the server does not answer"};
  auto& query = *world.server.query;
  if (fact.key == "timeline") {
    query.timeline = query.received_timeline = timeline_of(fact.value);
  } else {
    query.location = query.received = query.replayed = Lsn(hex(fact.value));
  }
}

void add_sender(World& world, const std::string& name, const std::string& state) {
  if (!world.server.query) throw Unusable{"the server does not answer"};
  WalSender sender;
  sender.application_name = name;
  sender.state = "streaming";
  sender.sync_state = state;
  sender.write_lsn = sender.flush_lsn = sender.replay_lsn = world.server.query->location;
  world.server.query->wal_senders.push_back(sender);
}

void set_server_fact(World& world, const Pair& fact) {
  auto& server = world.server;
  const auto& [key, value] = fact;
  if (key == "lsn" || key == "timeline") {
    set_position(world, fact);
  } else if (key == "control" && value == "none") {
    server.control.reset();
  } else if (key == "control") {
    auto text = value;
    std::ranges::replace(text, '_', ' ');
    server.control->state = from_name<ControlState>(text).value();
  } else if (key == "system_id") {
    server.control->system_id = SystemId(value);
  } else if (key == "checksums") {
    server.control->checksums = value == "on";
  } else if (key == "signal") {
    server.standby_signal = value == "on";
  } else if (key == "backup_label") {
    server.backup_label = true;
  } else if (key == "half_rewound") {
    server.rewind_interrupted = true;
  } else if (key == "receiver") {
    server.query->receiver_status = value == "none" ? "" : value;
  } else if (key == "replay_paused") {
    server.query->replay_paused = true;
  } else if (key == "waits_for") {
    server.query->synchronous_standby_names = value;
  } else if (key.starts_with("sender.")) {
    add_sender(world, key.substr(7), value);
  } else {
    throw Unusable{"no such fact: " + key};
  }
}

}  // namespace

void set_server(World& world, const Words& words) {
  std::size_t first = 1;
  if (words.at(1).find('=') == std::string::npos) {
    set_kind(world, words[1]);
    first = 2;
  }
  for (std::size_t i = first; i < words.size(); ++i) set_server_fact(world, pair_of(words[i]));
}

void set_divergence(World& world, const Words& words) {
  auto& facts = world.divergence;
  facts = DivergenceFacts{};
  if (words.at(1) == "unknown") {
    facts.error = "the leader does not answer";
    return;
  }
  facts.local_known = facts.leader_known = facts.local_is_standby = true;
  facts.local_timeline = Timeline(1);
  facts.local_lsn = Lsn(0x5000);
  facts.leader_timeline = Timeline(2);
  facts.leader_lsn = Lsn(0x6000);
  const auto fork = words[1] == "yes" ? Lsn(0x4000) : Lsn(0x5000);
  facts.leader_history = {{Timeline(1), fork, "promoted", "", ""}};
}

void set_peers(World& world, const Words& words) {
  world.peers.clear();
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto [name, value] = pair_of(words[i]);
    PeerReport report;
    report.name = MemberName(name);
    report.reachable = report.answered = value != "silent";
    report.timeline = Timeline(1);
    report.state = "running";
    const auto parts = split(value, '/');
    report.is_primary = parts.at(0) == "primary";
    report.role = report.is_primary ? "primary" : "replica";
    if (report.answered && !report.is_primary) report.wal_position = Lsn(hex(parts[0]));
    if (parts.size() > 1) {
      const auto tag = pair_of(parts[1]);
      if (tag.key == "watchdog_failed") report.watchdog_failed = true;
      if (tag.key == "storage_failed") report.storage_failed = true;
      if (tag.key == "guard_missing") report.guard_missing = true;
      Tree tags = Tree::map();
      tags.set(tag.key, tag.value.empty() ? Tree(true) : *parse_json(tag.value));
      report.tags = tags_from(tags);
    }
    world.peers[report.name] = report;
  }
}

}  // namespace tanist::scenarios

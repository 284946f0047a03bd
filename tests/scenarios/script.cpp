// SPDX-License-Identifier: Apache-2.0
// Commands of transcripts.
#include "script.h"

#include <functional>
#include <sstream>

#include "base/format.h"
#include "base/json.h"
#include "base/time.h"
#include "core/cluster_settings.h"
#include "server_commands.h"

namespace tanist::scenarios {

namespace {

// ---- Who we are ------------------------------------------------------------------------------

void set_me(World& world, const Words& words) {
  auto& node = world.start.node;
  node.name = MemberName(words.at(1));
  node.scope = "demo";
  node.conn_url = "postgres://" + words[1] + ".test:5432/postgres";
  node.api_url = World::api_of(words[1]);
  node.has_bootstrap = true;
  node.use_pg_rewind = true;
  node.use_slots = false;
  node.watchdog = WatchdogMode::off;
  world.start.guard = GuardState::disarmed;
  Tree tags = Tree::map();
  for (std::size_t i = 2; i < words.size(); ++i) {
    const auto [key, value] = pair_of(words[i]);
    if (key == "rewind") {
      node.use_pg_rewind = value == "on";
    } else if (key == "bootstrap") {
      node.has_bootstrap = value == "on";
    } else if (key == "pre_promote") {
      node.has_pre_promote = true;
    } else if (key == "remove_data") {
      node.remove_data_on_divergence = true;
    } else if (key == "leaderless") {
      node.leaderless_clone = true;
      node.leaderless_methods = {value};
    } else if (key == "watchdog") {
      node.watchdog = from_name<WatchdogMode>(value).value();
    } else {
      const auto parsed = parse_json(value);
      tags.set(key, parsed ? *parsed : Tree(value));
    }
  }
  node.tags = tags_from(tags);
}

void merge(Tree& into, const Tree& change) {
  for (const auto& [key, value] : *change.as_map()) {
    if (value.is_null()) {
      into.erase(key);
    } else {
      into.set(key, value);
    }
  }
}

void set_config(World& world, const std::string& text) {
  if (text == "broken") {
    world.view.config = ConfigView{Tree(), false, world.next_revision()};
    return;
  }
  const auto change = parse_json(text);
  if (!change || !change->is_map()) throw Unusable{"config wants a JSON object"};
  auto config = world.view.config ? *world.view.config->value : Tree::map();
  if (!config.is_map()) config = Tree::map();
  merge(config, *change);
  world.view.config = ConfigView{config, true, world.next_revision()};
  world.start.config = config;
}

// ---- The store -------------------------------------------------------------------------------

void set_leader(World& world, const Words& words) {
  auto& view = world.view;
  const auto& name = words.at(1);
  if (name != "none" && name != "released") {
    const auto revision = world.next_revision();
    const auto lease =
        name == world.start.node.name.value() ? world.own_lease() : LeaseId(revision.value());
    view.leader = LeaderView{MemberName(name), revision, revision, lease};
    view.lost_leader.reset();
    if (auto* member = view.members.contains(MemberName(name)) ? &world.member(name) : nullptr) {
      member->role = Role::primary;
    }
    return;
  }
  if (view.leader) {
    view.lost_leader = LostLeader{*view.leader, world.next_revision(), name == "released", true,
                                  World::api_of(view.leader->name.value())};
  }
  view.leader.reset();
}

void set_member(World& world, const Words& words) {
  const auto& name = words.at(1);
  auto& member = world.member(name);
  member.revision = world.next_revision();
  Tree tags = Tree::map();
  for (std::size_t i = 2; i < words.size(); ++i) {
    const auto [key, value] = pair_of(words[i]);
    if (key == "gone") {
      world.view.members.erase(MemberName(name));
      return;
    }
    if (key == "role") {
      member.role = from_name<Role>(value).value();
    } else if (key == "state") {
      member.state = from_name<ServerState>(value).value();
    } else if (key == "timeline") {
      member.timeline = timeline_of(value);
    } else if (key == "checkpoint_pending") {
      member.checkpoint_pending = true;
    } else if (key == "no_tanist") {
      member.tanist_version.clear();
    } else {
      const auto parsed = parse_json(value);
      tags.set(key, parsed ? *parsed : Tree(value));
    }
  }
  if (tags.truthy()) member.tags = tags_from(tags);
}

void set_initialize(World& world, const Words& words) {
  const auto& what = words.at(1);
  if (what == "none") {
    world.view.initialize.reset();
    return;
  }
  InitializeView key{SystemId(what), world.next_revision(), LeaseId(0)};
  if (words.size() > 2 && words.at(2) == "leased") key.lease = world.own_lease();
  if (what == "claimed") key = {SystemId(""), key.revision, world.own_lease()};
  if (what == "claimed-by-another") key = {SystemId(""), key.revision, LeaseId(99)};
  world.view.initialize = key;
}

void set_failover(World& world, const Words& words) {
  FailoverView key;
  key.revision = world.next_revision();
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto [name, value] = pair_of(words[i]);
    if (name == "leader") key.leader = MemberName(value);
    if (name == "member") key.member = MemberName(value);
    if (name == "in") {
      key.scheduled_at = world.wall() + seconds(std::stoi(value));
      key.scheduled_text = to_iso8601(*key.scheduled_at);
    }
    if (name == "at") key.scheduled_text = value;
  }
  world.view.failover = key;
}

void set_sync(World& world, const Words& words) {
  if (words.at(1) == "none") {
    world.view.sync.reset();
    return;
  }
  SyncView key;
  key.revision = world.next_revision();
  key.leader = MemberName(words.at(1));
  for (std::size_t i = 2; i < words.size(); ++i) {
    const auto [name, value] = pair_of(words[i]);
    if (name == "quorum") {
      key.quorum = std::stoll(value);
    } else {
      key.standbys.emplace_back(name);
    }
  }
  world.view.sync = key;
}

void set_store_key(World& world, const Words& words) {
  const auto& key = words.at(0);
  if (key == "optime") {
    if (!world.view.status) world.view.status = StatusView{};
    world.view.status->optime = Lsn(hex(words.at(1)));
    world.view.status->revision = world.next_revision();
  } else if (key == "failsafe") {
    FailsafeView map;
    map.revision = world.next_revision();
    for (std::size_t i = 1; i < words.size(); ++i) {
      map.members[MemberName(words[i])] = World::api_of(words[i]);
    }
    world.view.failsafe = map;
  } else {  // history: timelines that ended
    HistoryView history;
    history.revision = world.next_revision();
    for (std::size_t i = 1; i < words.size(); ++i) {
      history.lines.push_back({timeline_of(words[i]), Lsn(0x2000), "why", "2026-01-01", "a"});
    }
    world.view.history = history;
  }
}

void set_store(World& world, const Words& words) {
  using Renewals = World::Renewals;
  const auto& what = words.at(1);
  world.store_current = what != "silent" && what != "doubtful";
  world.renewals = what == "silent" || what == "mute" ? Renewals::silent
                   : what == "refuses"                ? Renewals::refused
                                                      : Renewals::proven;
  if (what == "lease-gone") world.lease_is_gone = true;
  if (what == "silent") world.deliver(agent::RenewalUnanswered{});
}

// ---- Answers and events ----------------------------------------------------------------------

void answer(World& world, const Words& words) {
  const auto task = from_name<Task>(words.at(1));
  if (!task) throw Unusable{"no such task: " + words[1]};
  if (!world.is_open(*task)) throw Unusable{words[1] + " was not ordered"};
  const auto& how = words.at(2);
  if (const auto verdict = from_name<StoreVerdict>(how)) {
    StoreResult result{.verdict = *verdict};
    if (*verdict == StoreVerdict::done) {
      if (*task == Task::take_lock || *task == Task::retake_lock) result = world.lock_taken();
      if (*task == Task::release_lock) set_leader(world, {"leader", "released"});
    } else {
      result.holder = world.view.leader;
    }
    world.answer(*task, std::move(result));
    return;
  }
  ServerResult result{.ok = how != "failed"};
  if (!result.ok) result.error = "it did not work";
  result.source_lost = how == "lost";
  if (result.source_lost) result.ok = false;
  result.start = from_name<StartOutcome>(how).value_or(StartOutcome::ready);
  world.answer(*task, std::move(result));
}

void stop_progress(World& world, const Words& words) {
  StopProgress progress;
  progress.safe_point = true;
  progress.control_state =
      words.at(1) == "shut_down" ? ControlState::shut_down : ControlState::shutting_down;
  world.deliver(agent::StopProgressed{progress});
}

void request(World& world, std::string_view line) {
  const auto brace = line.find('{');
  auto name = std::string(line.substr(0, std::min(brace, line.size())));
  name = name.substr(name.find(' ') + 1);
  while (name.ends_with(' ')) name.pop_back();
  const auto endpoint = from_name<ApiEndpoint>(name);
  if (!endpoint) throw Unusable{"no such request: " + name};
  ApiRequest api;
  static std::uint64_t last = 0;
  api.id = RequestId(++last);
  api.endpoint = *endpoint;
  api.body = Tree::map();
  if (brace != std::string_view::npos) {
    const auto body = parse_json(line.substr(brace));
    if (!body) throw Unusable{body.error().message};
    api.body = *body;
  }
  world.deliver(agent::ApiRequested{api});
}

void set_guard(World& world, const Words& words) {
  const auto state = from_name<GuardState>(words.at(1)).value();
  world.start.guard = state;
  if (words.size() > 2) world.deliver(agent::GuardChanged{state});
}

using Command = std::function<void(World&, const Words&)>;

const std::map<std::string, Command>& commands() {
  static const std::map<std::string, Command> table{
      {"me", set_me},
      {"members",
       [](World& w, const Words& words) {
         for (std::size_t i = 1; i < words.size(); ++i) w.member(words[i]);
       }},
      {"member", set_member},
      {"leader", set_leader},
      {"initialize", set_initialize},
      {"failover", set_failover},
      {"sync", set_sync},
      {"optime", set_store_key},
      {"failsafe", set_store_key},
      {"history", set_store_key},
      {"store", set_store},
      {"server", set_server},
      {"diverged", set_divergence},
      {"differs",
       [](World& w, const Words& words) {
         w.difference = from_name<GoalDifference>(words.at(1)).value();
       }},
      {"peers", set_peers},
      {"namesake", [](World& w, const Words&) { w.namesake_answers = true; }},
      {"adopted", [](World& w, const Words&) { w.adopted = true; }},
      {"guard", set_guard},
      {"watchdog",
       [](World& w, const Words& words) {
         w.deliver(
             agent::WatchdogChanged{{.state = from_name<WatchdogState>(words.at(1)).value()}});
       }},
      {"begin", [](World& w, const Words&) { w.begin(); }},
      {"wait",
       [](World& w, const Words& words) {
         w.run(Duration(milliseconds(static_cast<std::int64_t>(std::stod(words.at(1)) * 1000))));
       }},
      {"answer", answer},
      {"status", [](World& w, const Words&) { w.tell_status(); }},
      {"stopping", stop_progress},
      {"terminate", [](World& w, const Words&) { w.deliver(agent::ShutdownRequested{}); }},
  };
  return table;
}

}  // namespace

std::string carry_out_line(World& world, std::string_view line) {
  const auto words = split(line);
  if (words.empty() || words[0].starts_with('#')) return {};
  try {
    if (words[0] == "config") {
      set_config(world, std::string(line.substr(line.find(' ') + 1)));
    } else if (words[0] == "request") {
      request(world, line);
    } else {
      const auto command = commands().find(words[0]);
      if (command == commands().end()) return "no such command: " + words[0];
      command->second(world, words);
    }
  } catch (const Unusable& error) {
    return error.text;
  } catch (const std::exception& error) {
    return std::string("cannot be read: ") + error.what();
  }
  return {};
}

}  // namespace tanist::scenarios

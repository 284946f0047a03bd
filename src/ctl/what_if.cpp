// SPDX-License-Identifier: Apache-2.0
// Made-up observations, real decisions. Pure; any thread.
#include "ctl/what_if.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "core/decide.h"
#include "core/peer_report.h"
#include "core/status_line.h"
#include "core/synchronous_view.h"

namespace tanist::ctl {

namespace {

// Any instant long after the beginning of time will do.
constexpr Instant moment{std::chrono::hours(1000)};
// When no earlier change tells: asking the peers and taking the lock; promotion.
constexpr std::int64_t usual_race_ms = 100;
constexpr std::int64_t usual_promotion_ms = 500;
// A machine that is gone does not refuse the question whether it lives (core/peer_round.h).
constexpr std::int64_t silent_peer_ms = 2000;

PeerReport report_of(const LiveCluster& cluster, const MemberName& member) {
  const auto body = cluster.status.find(member);
  return peer_report_from(member, body != cluster.status.end() ? body->second : Tree());
}

// The view when the leader's lease has run out: lock and member key are gone.
ClusterView without(const ClusterView& view, const MemberName& failing) {
  ClusterView after = view;
  const auto next = Revision(view.revision.value() + 1);
  after.revision = next;
  LostLeader lost{.leader = *view.leader, .deleted_at = next};
  lost.was_tanist = true;
  if (const auto* member = view.member(failing)) {
    lost.was_tanist = member->is_tanist();
    lost.api_url = member->api_url;
  }
  after.leader.reset();
  after.members.erase(failing);
  after.lost_leader = std::move(lost);
  return after;
}

NodeSettings settings_of(const MemberView& member, const std::string& scope) {
  NodeSettings node;
  node.name = member.name;
  node.scope = scope;
  node.conn_url = member.conn_url;
  node.api_url = member.api_url;
  node.tags = member.tags;
  node.use_pg_rewind = true;
  return node;
}

ServerFacts server_of(const PeerReport& report, const ClusterView& view) {
  ServerFacts server;
  server.observed_at = moment;
  server.data = DataDirectory::present;
  server.postmaster = ProcessIdentity{1, 1};
  server.readiness = Readiness::accepting;
  server.control = ControlData{};
  if (view.initialize) server.control->system_id = view.initialize->system_id;
  server.query = QueryFacts{};
  server.query->in_recovery = true;
  server.query->received = report.wal_position;
  server.query->replayed = report.wal_position;
  server.query->received_timeline = report.timeline;
  return server;
}

Memory memory_of(const LiveCluster& cluster) {
  Memory memory;
  memory.state = ServerState::running;
  memory.state_since = moment - std::chrono::hours(1);
  memory.role = Role::replica;
  memory.locked_view = cluster.reading.view;
  memory.namesake_checked = true;
  memory.joined = true;
  memory.callbacks_fired = true;
  memory.rewind = RewindState::not_need;
  memory.first_view_at = moment - std::chrono::hours(1);
  // Past every backoff: that is a delay, not a reason.
  memory.unlocked_since = moment - std::chrono::hours(1);
  return memory;
}

// What the peers would answer to the question that the node would put to them.
PeerRound round_of(const LiveCluster& cluster, const AskPeers& ask, const MemberName& failing) {
  PeerRound round{.number = ask.round, .asked_at = moment, .complete = true};
  for (const auto& peer : ask.peers) {
    round.reports.push_back(peer.member == failing ? peer_report_from(failing, Tree())
                                                   : report_of(cluster, peer.member));
  }
  return round;
}

const AskPeers* question_in(const Decision& decision) {
  for (const auto& action : decision.actions) {
    const auto* started = std::get_if<StartTask>(&action);
    const auto* body = started != nullptr ? std::get_if<AgentAction>(&started->body) : nullptr;
    const auto* ask = body != nullptr ? std::get_if<AskPeers>(body) : nullptr;
    if (ask != nullptr) return ask;
  }
  return nullptr;
}

// As in life: the first decision asks the peers that matter, the second weighs their answers.
Decision decide_race(const LiveCluster& cluster, Observation obs, const MemberName& failing) {
  auto decision = decide(obs);
  const auto* ask = question_in(decision);
  if (ask == nullptr) return decision;
  obs.peers = round_of(cluster, *ask, failing);
  obs.memory = std::make_shared<const Memory>(decision.next);
  return decide(obs);
}

Observation observation_of(const LiveCluster& cluster, const MemberView& member,
                           const MemberName& failing) {
  const auto& reading = cluster.reading;
  const auto after = std::make_shared<const ClusterView>(without(*reading.view, failing));
  const bool beside_patroni = std::ranges::any_of(
      reading.view->members, [](const auto& entry) { return !entry.second.is_tanist(); });
  Observation obs;
  obs.now = obs.cycle_began = moment;
  obs.node = std::make_shared<const NodeSettings>(settings_of(member, reading.scope));
  obs.cluster = std::make_shared<const ClusterSettings>(reading.settings);
  obs.config = std::make_shared<const Tree>(after->config ? *after->config->value : Tree::map());
  obs.timing = effective_timing(reading.settings.timing,
                                beside_patroni ? patroni_timing_min : tanist_timing_min, nullptr);
  obs.next_cycle = moment + obs.timing.loop_wait;
  obs.store.view = after;
  obs.store.view_at = moment;
  obs.store.current = true;
  obs.local.server = server_of(report_of(cluster, member.name), *after);
  obs.local.guard = GuardState::disarmed;
  obs.memory = std::make_shared<const Memory>(memory_of(cluster));
  return obs;
}

// The last of what it would log tells more than the status line; "following" is said by all.
std::string reason_of(const Decision& decision, const Observation& obs) {
  std::string why;
  for (const auto& action : decision.actions) {
    const auto* line = std::get_if<LogLine>(&action);
    if (line != nullptr) why += (why.empty() ? "" : "; ") + line->text;
  }
  if (!why.empty()) return why;
  const auto& tags = obs.node->tags;
  if (tags.nofailover()) return "its tags forbid it (nofailover, or failover_priority 0)";
  if (synchronous_active(obs)) return "it is not listed as synchronous in the store";
  why = status_line(decision.why, obs).text;
  return why.empty() ? std::string(name_of(decision.why.reason)) : why;
}

Prospect prospect_of(const LiveCluster& cluster, const MemberView& member,
                     const MemberName& failing) {
  Prospect prospect{.member = member.name};
  const auto report = report_of(cluster, member.name);
  prospect.position = report.wal_position;
  if (!report.answered) {
    prospect.why = "its REST API does not answer; whether its server runs is not known";
    return prospect;
  }
  if (!report.reachable || report.state != name_of(ServerState::running)) {
    prospect.why = format_text("its server is {}", report.state.empty() ? "down" : report.state);
    return prospect;
  }
  const auto obs = observation_of(cluster, member, failing);
  const auto decision = decide_race(cluster, obs, failing);
  prospect.takes_over = decision.why.reason == Reason::race_taking_lock;
  prospect.why =
      prospect.takes_over ? "may lead: nobody who may lead has more WAL" : reason_of(decision, obs);
  return prospect;
}

std::optional<Lsn> position_of_leader(const LiveCluster& cluster, const MemberName& leader) {
  const auto body = cluster.status.find(leader);
  if (body == cluster.status.end()) return std::nullopt;
  for (const auto* key : {"wal", "xlog"}) {
    const auto* location = body->second.find_path({key, "location"});
    const auto number = location != nullptr ? to_int(*location) : std::nullopt;
    if (number && *number > 0) return Lsn(static_cast<std::uint64_t>(*number));
  }
  return std::nullopt;
}

// The middle of what earlier changes took.
std::optional<std::int64_t> usual(const LiveCluster& cluster,
                                  std::optional<std::int64_t> journal::Phases::* phase) {
  std::vector<std::int64_t> seen;
  for (const auto& incident : cluster.incidents) {
    const auto& ms = incident.phases.*phase;
    if (ms && incident.cause != journal::Cause::bootstrap) seen.push_back(*ms);
  }
  if (seen.empty()) return std::nullopt;
  std::ranges::sort(seen);
  return seen[seen.size() / 2];
}

// The leader renews every min(loop_wait, ttl/6): so much of its lease may have passed.
void estimate_time(WhatIf& answer, const LiveCluster& cluster) {
  const auto timing = effective_timing(cluster.reading.settings.timing, tanist_timing_min, nullptr);
  const std::int64_t ttl = timing.ttl.count() * 1000;
  const auto renewal = std::min<std::int64_t>(timing.loop_wait.count() * 1000, ttl / 6);
  const auto race = usual(cluster, &journal::Phases::race);
  const auto promotion = usual(cluster, &journal::Phases::promote);
  answer.is_measured = race && promotion;
  const auto rest = race.value_or(usual_race_ms) + promotion.value_or(usual_promotion_ms) +
                    cluster.reading.settings.primary_race_backoff.count() * 1000;
  answer.outage_ms_min = ttl - renewal + rest;
  answer.outage_ms_max = ttl + rest + silent_peer_ms;
}

void estimate_loss(WhatIf& answer, const LiveCluster& cluster) {
  const auto& view = *cluster.reading.view;
  const auto position = position_of_leader(cluster, answer.failing);
  for (auto& prospect : answer.prospects) {
    if (!position || prospect.position == Lsn()) continue;
    prospect.behind_bytes =
        *position > prospect.position ? position->value() - prospect.position.value() : 0;
    if (!prospect.takes_over) continue;
    answer.lost_bytes_now = std::max(answer.lost_bytes_now.value_or(0), *prospect.behind_bytes);
  }
  answer.keeps_acknowledged = view.sync && view.sync->active() && !view.sync->standbys.empty() &&
                              cluster.reading.settings.synchronous_mode != SynchronousMode::off;
}

void add_remarks(WhatIf& answer, const LiveCluster& cluster) {
  const auto& settings = cluster.reading.settings;
  const auto& view = *cluster.reading.view;
  if (settings.pause) {
    answer.remarks.push_back("the cluster is paused: nobody takes over before it is resumed");
  }
  if (!answer.is_leader && view.sync && view.sync->active()) {
    const auto& standbys = view.sync->standbys;
    const bool listed = std::ranges::count(standbys, answer.failing) > 0;
    if (listed) {
      answer.remarks.push_back(
          standbys.size() > 1 ? "it is synchronous; another synchronous standby remains"
                              : "it is the only synchronous standby: commits wait until the leader "
                                "has replaced it, or for good in strict mode");
    }
  }
  if (answer.is_leader && answer.keeps_acknowledged) {
    answer.remarks.push_back("what was acknowledged with synchronous commit is kept");
  }
}

}  // namespace

WhatIf what_if(const LiveCluster& cluster, const MemberName& failing) {
  const auto& view = *cluster.reading.view;
  WhatIf answer{.failing = failing, .is_leader = view.locked_by(failing)};
  if (view.locked()) answer.leader = view.leader->name;
  if (answer.is_leader) {
    for (const auto& [name, member] : view.members) {
      if (name != failing) answer.prospects.push_back(prospect_of(cluster, member, failing));
    }
    // They are in the order of their names.
    const auto is_second = [](const Prospect& prospect) { return !prospect.takes_over; };
    std::vector<Prospect> ordered;
    std::ranges::remove_copy_if(answer.prospects, std::back_inserter(ordered), is_second);
    std::ranges::copy_if(answer.prospects, std::back_inserter(ordered), is_second);
    answer.prospects = std::move(ordered);
    estimate_time(answer, cluster);
    estimate_loss(answer, cluster);
  }
  add_remarks(answer, cluster);
  return answer;
}

namespace {

std::string successors_of(const WhatIf& answer) {
  std::string names;
  std::size_t number = 0;
  for (const auto& prospect : answer.prospects) {
    if (!prospect.takes_over) continue;
    names += (names.empty() ? "" : " or ") + prospect.member.value();
    ++number;
  }
  if (number > 1) names += " (equal; whoever reaches the store first)";
  return names;
}

std::string loss_text(const WhatIf& answer) {
  auto text = answer.lost_bytes_now
                  ? format_text("{} bytes of WAL at this moment", *answer.lost_bytes_now)
                  : std::string("not known: positions are missing");
  if (!answer.keeps_acknowledged) {
    text += "; replication is asynchronous, so what was not sent is lost";
  }
  return text;
}

}  // namespace

std::string to_text(const WhatIf& answer) {
  const auto& name = answer.failing.value();
  std::string out;
  if (!answer.is_leader) {
    out = answer.leader.value().empty()
              ? format_text("If {} fails now: there is no leader already.\n", name)
              : format_text("If {} fails now: {} stays the leader, nobody takes over.\n", name,
                            answer.leader.value());
  } else {
    const auto names = successors_of(answer);
    out = format_text("If {} (the leader) fails now:\n", name);
    out += format_text("  takes over  {}\n", names.empty() ? "nobody" : names);
    if (!names.empty()) {
      out +=
          format_text("  in about    {:.1f} to {:.1f} s ({})\n",
                      static_cast<double>(answer.outage_ms_min) / 1000,
                      static_cast<double>(answer.outage_ms_max) / 1000,
                      answer.is_measured ? "its lease, and what earlier changes took"
                                         : "its lease, and what race and promotion usually take");
      out += format_text("  may lose    {}\n", loss_text(answer));
    }
  }
  for (const auto& prospect : answer.prospects) {
    const auto behind = prospect.behind_bytes
                            ? format_text(", {} bytes behind", *prospect.behind_bytes)
                            : std::string();
    out += format_text("  {:<11} {}{}\n", prospect.member.value(), prospect.why, behind);
  }
  for (const auto& remark : answer.remarks) out += format_text("  note        {}\n", remark);
  return out;
}

}  // namespace tanist::ctl

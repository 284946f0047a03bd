// SPDX-License-Identifier: Apache-2.0
// The rules of `doctor` on members and replication. Pure; any thread.
#include <algorithm>
#include <set>

#include "base/format.h"
#include "ctl/checkup.h"

namespace tanist::ctl {

namespace {

constexpr Duration clock_limit = seconds(2);

std::string subject_of(const MemberView& member) { return "member " + member.name.value(); }

Finding judge_leader(const Reading& cluster) {
  const auto& view = *cluster.view;
  if (!view.locked()) {
    return {Grade::wrong, "leader", "nobody holds the lock: no member accepts writes",
            "see the agents' logs for the reason; tanistctl failover --candidate NAME as the last "
            "resort"};
  }
  const auto* leader = view.leader_member();
  const auto& name = view.leader->name.value();
  if (leader == nullptr) {
    return {Grade::wrong, "leader", name + " holds the lock but has no member key",
            "see the log of its agent"};
  }
  if (leader->state != ServerState::running) {
    return {Grade::wrong, "leader",
            format_text("{} holds the lock, its server is {}", name, name_of(leader->state)),
            "see the log of its agent"};
  }
  return {Grade::good, "leader", format_text("{}, timeline {}", name, leader->timeline.value()),
          ""};
}

std::string mebibytes(std::int64_t bytes) {
  return format_text("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

Finding judge_replica(const Reading& cluster, const MemberView& member) {
  const auto& view = *cluster.view;
  const auto subject = "replication to " + member.name.value();
  if (member.state != ServerState::running) {
    return {Grade::wrong, subject, format_text("the server is {}", name_of(member.state)),
            "see the log of its agent; tanistctl reinit replaces its data"};
  }
  const auto* leader = view.leader_member();
  if (leader != nullptr && leader->timeline != member.timeline) {
    return {Grade::wrong, subject,
            format_text("it is on timeline {}, the leader on {}", member.timeline.value(),
                        leader->timeline.value()),
            "see the log of its agent; tanistctl reinit replaces its data"};
  }
  const auto position = std::max({member.receive_lsn, member.replay_lsn, member.xlog_location});
  const auto lag = view.optime() > position
                       ? static_cast<std::int64_t>(view.optime().value() - position.value())
                       : 0;
  const auto state = member.replication_state.empty() ? "running" : member.replication_state;
  if (lag > cluster.settings.lag_bytes_max_on_failover) {
    return {Grade::wrong, subject,
            format_text("{}, {} behind: too far to take over (maximum_lag_on_failover)", state,
                        mebibytes(lag)),
            "look at its disk and at the network; see pg_stat_replication on the leader"};
  }
  if (state != "streaming" && !cluster.settings.standby_cluster) {
    return {Grade::warning, subject, format_text("{}, not streaming", state),
            "look at primary_conninfo, pg_hba and the password on this member"};
  }
  return {Grade::good, subject, format_text("{}, {} behind", state, mebibytes(lag)), ""};
}

Findings judge_waiting(const Reading& cluster) {
  Findings out;
  for (const auto& [name, member] : cluster.view->members) {
    if (member.pending_restart) {
      out.push_back(
          {Grade::warning, subject_of(member), "settings wait for a restart",
           format_text("tanistctl restart {} {} --pending", cluster.scope, name.value())});
    }
    if (member.paused != cluster.settings.pause) {
      out.push_back({Grade::warning, subject_of(member),
                     member.paused ? "has not seen the end of the pause"
                                   : "has not seen the beginning of the pause",
                     "see whether its agent runs and reaches the store"});
    }
  }
  return out;
}

std::string text_at(const Tree& tree, std::initializer_list<std::string_view> path) {
  const auto* value = tree.find_path(path);
  return value != nullptr && !value->is_null() ? text_form(*value) : "";
}

}  // namespace

Findings judge_replication(const Reading& cluster) {
  const auto& view = *cluster.view;
  if (view.members.empty()) {
    return {{Grade::wrong, "cluster " + cluster.scope, "has no members in the store",
             "start an agent, or correct scope and namespace"}};
  }
  Findings out{judge_leader(cluster)};
  bool has_candidate = false;
  for (const auto& [name, member] : view.members) {
    if (view.locked_by(name)) continue;
    out.push_back(judge_replica(cluster, member));
    has_candidate |= !member.tags.nofailover() && out.back().grade != Grade::wrong;
  }
  if (!has_candidate) {
    out.push_back({Grade::wrong, "failover", "no member could take over",
                   "repair or add a replica without the tag nofailover"});
  }
  auto waiting = judge_waiting(cluster);
  std::ranges::move(waiting, std::back_inserter(out));
  return out;
}

Findings judge_member(const MemberView& member, const MemberAnswer& answer) {
  const auto subject = subject_of(member);
  if (!answer.trouble.empty()) {
    return {{Grade::wrong, subject, "REST API: " + answer.trouble,
             "see whether the agent runs and " + member.api_url + " can be reached from here"}};
  }
  Findings out;
  const auto name = text_at(answer.document, {"patroni", "name"});
  if (!name.empty() && name != member.name.value()) {
    out.push_back({Grade::wrong, subject, format_text("{} answers at its api_url", name),
                   "correct restapi.connect_address of both"});
  }
  if (answer.clock_ahead &&
      std::chrono::abs(*answer.clock_ahead) > clock_limit + answer.uncertainty) {
    out.push_back(
        {Grade::warning, subject,
         format_text("its clock is {:.0f} s {} ours",
                     std::chrono::duration<double>(std::chrono::abs(*answer.clock_ahead)).count(),
                     *answer.clock_ahead > Duration(0) ? "ahead of" : "behind"),
         "run chrony or systemd-timesyncd on both: schedules and logs follow clocks"});
  }
  if (!out.empty()) return out;
  const auto* number = answer.document.find("server_version");
  const auto server = number != nullptr ? to_int(*number).value_or(0) / 10000 : 0;
  const auto text =
      member.is_tanist()
          ? format_text("tanist {}", member.tanist_version)
          : format_text("Patroni {}", text_at(answer.document, {"patroni", "version"}));
  return {{Grade::good, subject, server > 0 ? format_text("{}, PostgreSQL {}", text, server) : text,
           ""}};
}

Findings judge_versions(const std::map<MemberName, MemberAnswer>& answers) {
  std::set<std::string> agents;
  std::set<std::int64_t> servers;
  for (const auto& [name, answer] : answers) {
    if (!answer.trouble.empty()) continue;
    auto agent = text_at(answer.document, {"tanist", "version"});
    agent = agent.empty() ? "Patroni " + text_at(answer.document, {"patroni", "version"})
                          : "tanist " + agent;
    agents.insert(agent);
    const auto* number = answer.document.find("server_version");
    const auto server = number != nullptr ? to_int(*number) : std::nullopt;
    if (server) servers.insert(*server);
  }
  Findings out;
  if (agents.size() > 1) {
    std::string all;
    for (const auto& agent : agents) all += (all.empty() ? "" : ", ") + agent;
    out.push_back(
        {Grade::warning, "versions", "agents differ: " + all, "finish the upgrade or migration"});
  }
  if (servers.size() > 1) {
    const bool is_major = *servers.begin() / 10000 != *servers.rbegin() / 10000;
    out.push_back({is_major ? Grade::wrong : Grade::warning, "versions",
                   format_text("PostgreSQL differs: {} to {}", *servers.begin(), *servers.rbegin()),
                   "install the newer one everywhere and restart, replicas first"});
  }
  return out;
}

}  // namespace tanist::ctl

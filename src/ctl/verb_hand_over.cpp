// SPDX-License-Identifier: Apache-2.0
// `switchover` and `failover`: another member shall lead (contract ctl 4.8).
#include <algorithm>
#include <cctype>
#include <thread>

#include "base/format.h"
#include "base/json.h"
#include "ctl/journals.h"
#include "ctl/member_table.h"
#include "ctl/session.h"
#include "ctl/terminal.h"
#include "ctl/times.h"
#include "ctl/verbs.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

// What the operator wants, once all questions are answered.
struct Wish {
  std::string leader;
  std::optional<std::string> candidate;  // "" = whoever is best; nothing was asked under --force
  std::optional<Schedule> schedule;
};

std::string python_list(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "'" : ", '") + name + "'";
  return "[" + out + "]";
}

std::vector<std::string> candidates_of(const ClusterView& view) {
  std::vector<std::string> names;
  for (const auto& [name, member] : view.members) {
    if (!view.locked_by(name) && !member.tags.nofailover()) names.push_back(name.value());
  }
  return names;
}

bool is_synchronous(const ClusterView& view, const std::string& name) {
  const auto lower = [](unsigned char c) { return std::tolower(c); };
  const auto is_named = [&](const MemberName& standby) {
    return std::ranges::equal(standby.value(), name, {}, lower, lower);
  };
  return is_named(view.sync->leader) || std::ranges::any_of(view.sync->standbys, is_named);
}

// Asks for what the options leave open, and refuses what cannot work.
class Interview {
 public:
  Interview(const Reading& cluster, const HandOverOptions& options)
      : cluster_(cluster),
        options_(options),
        action_(options.is_switchover ? "switchover" : "failover") {}

  Result<Wish> hold() {
    for (const auto step :
         {&Interview::choose_leader, &Interview::choose_candidate, &Interview::warn_of_asynchronous,
          &Interview::choose_time, &Interview::ask_consent}) {
      const auto done = (this->*step)();
      if (!done) return pass_on(done.error());
    }
    return wish_;
  }

 private:
  const ClusterView& view() const { return *cluster_.view; }
  std::string current_leader() const { return view().locked() ? view().leader->name.value() : ""; }

  Result<void> choose_leader() {
    const auto leader = current_leader();
    if (!options_.is_switchover) {
      wish_.leader = leader;
      return {};
    }
    if (leader.empty()) return fail(Errc::invalid, "This cluster has no leader");
    wish_.leader = options_.leader.value_or(leader);
    if (!options_.leader && !options_.force) {
      const auto* title = cluster_.settings.standby_cluster ? "Standby Leader" : "Primary";
      const auto answer = ask_value(title, leader);
      if (!answer) return pass_on(answer.error());
      wish_.leader = *answer;
    }
    if (wish_.leader == leader) return {};
    return fail(Errc::invalid, "Member {} is not the leader of cluster {}", wish_.leader,
                cluster_.scope);
  }

  Result<void> choose_candidate() {
    const auto candidates = candidates_of(view());
    if (candidates.empty()) return fail(Errc::invalid, "No candidates found to {} to", action_);
    wish_.candidate = options_.candidate;
    if (!wish_.candidate && !options_.force) {
      const auto answer = ask_value("Candidate " + python_list(candidates), "");
      if (!answer) return pass_on(answer.error());
      wish_.candidate = *answer;
    }
    const auto name = wish_.candidate.value_or("");
    if (name.empty() && !options_.is_switchover) {
      return fail(Errc::invalid, "Failover could be performed only to a specific candidate");
    }
    if (name.empty() || std::ranges::count(candidates, name) > 0) return {};
    if (name == current_leader()) {
      return fail(Errc::invalid, "Member {} is already the leader of cluster {}", name,
                  cluster_.scope);
    }
    return fail(Errc::invalid, "Member {} does not exist in cluster {} or is tagged as nofailover",
                name, cluster_.scope);
  }

  Result<void> warn_of_asynchronous() {
    const bool is_mode_on = cluster_.settings.synchronous_mode != SynchronousMode::off &&
                            view().sync && view().sync->active();
    if (options_.is_switchover || options_.force || !is_mode_on) return {};
    if (is_synchronous(view(), *wish_.candidate)) return {};
    return demand_consent(
        format_text("Are you sure you want to failover to the asynchronous node {}?",
                    *wish_.candidate),
        "Aborting failover");
  }

  Result<void> choose_time() {
    if (!options_.is_switchover) return {};
    const auto now = os::wall_now();
    auto text = options_.scheduled.value_or("now");
    if (!options_.scheduled && !options_.force) {
      const auto answer = ask_value(format_text("When should the switchover take place (e.g. {} ) ",
                                                example_time_text(now + std::chrono::hours(1))),
                                    "now");
      if (!answer) return pass_on(answer.error());
      text = *answer;
    }
    const auto schedule = parse_schedule(text, now);
    if (!schedule) return pass_on(schedule.error());
    wish_.schedule = *schedule;
    if (wish_.schedule && cluster_.settings.pause) {
      return fail(Errc::invalid, "Can't schedule switchover in the paused state");
    }
    return {};
  }

  Result<void> ask_consent() {
    if (options_.force) return {};
    const auto demoting = wish_.leader.empty() ? "" : ", demoting current leader " + wish_.leader;
    if (wish_.schedule) {
      return demand_consent(
          format_text("Are you sure you want to schedule switchover of cluster {} at {}{}?",
                      cluster_.scope, wish_.schedule->iso8601(), demoting),
          "Aborting scheduled switchover");
    }
    return demand_consent(
        format_text("Are you sure you want to {} cluster {}{}?", action_, cluster_.scope, demoting),
        "Aborting " + action_);
  }

  const Reading& cluster_;
  const HandOverOptions& options_;
  std::string action_;
  Wish wish_;
};

Tree request_body(const Wish& wish, bool is_switchover) {
  Tree body = Tree::map({{"candidate", wish.candidate ? Tree(*wish.candidate) : Tree()}});
  if (is_switchover) body.set("leader", wish.leader);
  if (wish.schedule) body.set("scheduled_at", wish.schedule->iso8601());
  return body;
}

// As the `failover` key holds a request.
std::string stored_request(const Wish& wish, bool is_switchover) {
  Tree request = Tree::map();
  if (is_switchover) request.set("leader", wish.leader);
  if (!wish.candidate.value_or("").empty()) request.set("member", *wish.candidate);
  if (wish.schedule) request.set("scheduled_at", wish.schedule->iso8601());
  return to_json(request);
}

// The leader is asked; where there is none, or it cannot be reached by any URL, the candidate.
const MemberView* whom_to_ask(const ClusterView& view, const Wish& wish) {
  const auto* leader = view.leader_member();
  if (leader != nullptr && !leader->api_url.empty()) return leader;
  return wish.candidate ? view.member(MemberName(*wish.candidate)) : nullptr;
}

Result<rest::Answer> send(Members& members, const Reading& cluster, const Wish& wish,
                          bool is_switchover) {
  const auto* asked = whom_to_ask(*cluster.view, wish);
  if (asked == nullptr) return fail(Errc::unavailable, "No member can be asked");
  // Its answer may take this long by itself (contract ctl 1.5).
  const auto wait = 2 * std::max(seconds(10), cluster.settings.timing.loop_wait);
  MemberRequest request{.method = "POST",
                        .path = is_switchover ? "/switchover" : "/failover",
                        .body = request_body(wish, is_switchover),
                        .limit = wait + prompt_limit,
                        .repeats = false};
  auto answer = members.ask(*asked, request);
  const bool is_old =
      answer && answer->status == 501 && is_switchover &&
      answer->body.find("Server does not support this operation") != std::string::npos;
  if (!is_old) return answer;
  request.path = "/failover";
  return members.ask(*asked, request);
}

// A refusal is told and is no error: scripts read the line.
void print_refusal(const rest::Answer& answer, bool is_switchover) {
  auto lower = answer.body;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const bool is_unknown = lower.find("status unknown") != std::string::npos;
  print_line(format_text("{} {}, details: {}, {}", is_switchover ? "Switchover" : "Failover",
                         is_unknown ? "result unknown" : "failed", answer.status, answer.body));
}

Result<void> write_request(Cluster& cluster, const Reading& before, const Wish& wish,
                           const HandOverOptions& options) {
  warn("Failing over to DCS");
  print_line(format_text("{} Could not {} using Patroni api, falling back to DCS",
                         result_time_text(os::wall_now()),
                         options.is_switchover ? "switchover" : "failover"));
  const auto written = cluster.commit(
      {.writes = {{StoreKey::failover, stored_request(wish, options.is_switchover)}}});
  if (!written) return pass_on(written.error());
  print(member_table_text(before));
  return {};
}

// The change that made the holder of the lock the leader, as the old leader and it tell it.
std::optional<journal::Incident> change_told(Members& members, const ClusterView& view,
                                             const std::string& old_leader) {
  if (!view.locked()) return std::nullopt;
  Gathering gathering;
  for (const auto& name : {view.leader->name, MemberName(old_leader)}) {
    if (const auto* member = view.member(name)) read_member(gathering, members, *member);
  }
  const auto report = put_together(std::move(gathering), "");
  for (const auto& incident : report.incidents) {
    const bool is_it = incident.reign == view.leader->create_revision && incident.writable;
    if (is_it && incident.new_leader.value() != old_leader) return incident;
  }
  return std::nullopt;
}

// Where the time went, as soon as a load balancer knows: 2 s are waited for that.
void tell_phases(Session& session, const std::string& old_leader) {
  std::optional<journal::Incident> change;
  const auto end = os::now() + seconds(2);
  while (true) {
    const auto reading = session.cluster.read();
    if (!reading) return;
    change = change_told(session.members, *reading->view, old_leader);
    if ((change && change->phases.routing) || os::now() >= end) break;
    std::this_thread::sleep_for(milliseconds(250));
  }
  if (change) print_line(phases_sentence(change->phases));
}

}  // namespace

Result<void> hand_over(const ToolConfig& config, const HandOverOptions& options) {
  auto session = Session::open(config, options.cluster);
  if (!session) return pass_on(session.error());
  const auto& before = session->reading;
  print_line("Current cluster topology");
  print(member_table_text(before));
  const auto wish = Interview(before, options).hold();
  if (!wish) return pass_on(wish.error());
  const auto answer = send(session->members, before, *wish, options.is_switchover);
  if (!answer) {
    warn(answer.error().message);
    return write_request(session->cluster, before, *wish, options);
  }
  if (answer->status != 200 && answer->status != 202) {
    print_refusal(*answer, options.is_switchover);
    return {};
  }
  const auto after = session->cluster.read();
  if (!after) return pass_on(after.error());
  print_line(result_time_text(os::wall_now()) + " " + answer->body);
  print(member_table_text(*after));
  if (answer->status == 200 && options.tells_phases) tell_phases(*session, wish->leader);
  return {};
}

}  // namespace tanist::ctl

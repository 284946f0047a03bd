// SPDX-License-Identifier: Apache-2.0
// `pause` and `resume`: the members stop, or take up again, acting by themselves (contract ctl
// 4.10).
#include <algorithm>
#include <map>
#include <optional>
#include <thread>

#include "base/format.h"
#include "ctl/session.h"
#include "ctl/terminal.h"
#include "ctl/verbs.h"
#include "os/clock.h"

namespace tanist::ctl {

namespace {

std::string_view verb_of(bool pause) { return pause ? "pause" : "resume"; }

// The answer of the first member that gives one.
Result<rest::Answer> ask_anybody(Members& members, const ClusterView& view, bool pause) {
  const Tree body = Tree::map({{"pause", pause ? Tree(true) : Tree()}});
  for (const auto* member : leader_first(view)) {
    if (member->api_url.empty()) continue;
    auto answer = members.ask(*member, {.method = "PATCH", .path = "/config", .body = body});
    if (answer) return answer;
    warn(answer.error().message);
    warn(format_text("Member {} is not accessible", member->name.value()));
  }
  return fail(Errc::unavailable, "Can not find accessible cluster member");
}

// Waits for every member of `before` to publish the state. The names of those that have written
// their keys meanwhile and did not: others may be gone, or on an older store connection.
Result<std::string> wait_for_members(Cluster& cluster, const Reading& before, bool pause) {
  const auto end = os::now() + before.settings.timing.loop_wait + seconds(1);
  std::string late;
  while (true) {
    const auto now = cluster.read();
    if (!now) return pass_on(now.error());
    bool all = true;
    late.clear();
    for (const auto& [name, old] : before.view->members) {
      const auto* member = now->view->member(name);
      if (member == nullptr || member->paused == pause) continue;
      all = false;
      if (member->revision == old.revision) continue;
      late += (late.empty() ? "" : ", ") + name.value();
    }
    if (all) return std::string();
    if (os::now() >= end) return late;
    std::this_thread::sleep_for(seconds(1));
  }
}

// A running primary of a cluster whose lock nobody holds: the member that has still to take it.
std::optional<MemberName> primary_without_lock(const ClusterView& view) {
  if (view.locked()) return std::nullopt;
  for (const auto& [name, member] : view.members) {
    if (member.role == Role::primary && member.state == ServerState::running) return name;
  }
  return std::nullopt;
}

// Once the pause has ended, a primary without the lock is fenced (safety 1.1). Agents that were
// restarted in a pause take the lock within a cycle: resuming waits for that, and then goes on,
// with a warning.
Result<void> let_primary_take_lock(Cluster& cluster, const Reading& before) {
  auto name = primary_without_lock(*before.view);
  if (!name) return {};
  print_line(format_text("Nobody holds the leader lock; waiting for {}, which runs as primary",
                         name->value()));
  const auto end = os::now() + before.settings.timing.loop_wait + seconds(5);
  while (name && os::now() < end) {
    std::this_thread::sleep_for(milliseconds(500));
    const auto now = cluster.read();
    if (!now) return pass_on(now.error());
    name = primary_without_lock(*now->view);
  }
  if (name) {
    warn(
        format_text("{} does not take the leader lock: its server may be demoted now. "
                    "tanistctl doctor may tell why",
                    name->value()));
  }
  return {};
}

}  // namespace

Result<void> pause_or_resume(const ToolConfig& config, const PauseOptions& options) {
  auto session = Session::open(config, options.cluster);
  if (!session) return pass_on(session.error());
  const auto& reading = session->reading;
  if (reading.settings.pause == options.pause) {
    return fail(Errc::invalid, "Cluster is {} paused", options.pause ? "already" : "not");
  }
  if (!options.pause) {
    if (auto waited = let_primary_take_lock(session->cluster, reading); !waited) return waited;
  }
  const auto answer = ask_anybody(session->members, *reading.view, options.pause);
  if (!answer) return pass_on(answer.error());
  if (answer->status != 200) {
    print_line(format_text("Failed: {} cluster management status code={}, ({})",
                           verb_of(options.pause), answer->status, answer->body));
    return {};
  }
  if (options.wait) {
    print_line(format_text("'{}' request sent, waiting until it is recognized by all nodes",
                           verb_of(options.pause)));
    const auto late = wait_for_members(session->cluster, reading, options.pause);
    if (!late) return pass_on(late.error());
    if (!late->empty()) {
      print_line(format_text("{} members didn't recognized pause state after {} seconds", *late,
                             reading.settings.timing.loop_wait.count()));
      return {};
    }
  }
  print_line(
      format_text("Success: cluster management is {}", options.pause ? "paused" : "resumed"));
  return {};
}

}  // namespace tanist::ctl

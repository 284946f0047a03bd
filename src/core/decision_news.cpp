// SPDX-License-Identifier: Apache-2.0
// Comparing decisions without their numbers. Pure; any thread.
#include "core/decision_news.h"

#include <algorithm>
#include <functional>

#include "core/local_server.h"

namespace tanist {

namespace {

constexpr Duration told_period = std::chrono::minutes(10);
constexpr int times_max = 5;
constexpr std::size_t told_max = 64;

std::size_t hash_of_names(const std::map<MemberName, MemberView>& members) {
  std::size_t hash = members.size();
  for (const auto& [name, member] : members) {
    hash = hash * 31 + std::hash<MemberName>{}(name);
  }
  return hash;
}

// Log lines and answers to requests tell nothing that the rest does not.
bool is_order(const Action& action) {
  return std::holds_alternative<CancelServer>(action) ||
         std::holds_alternative<GuardOrder>(action) ||
         std::holds_alternative<RunCallback>(action) || std::holds_alternative<Leave>(action);
}

}  // namespace

bool is_routine(Task task) {
  switch (task) {
    case Task::keep_lease:
    case Task::keep_lock:
    case Task::put_member:
    case Task::observe:
    case Task::compare_goal:
    case Task::change_slots:
    case Task::read_cluster: return true;
    default: return false;
  }
}

DecisionNews::Mark DecisionNews::mark_of(const Observation& obs, const Decision& decision) {
  Mark mark{.reason = decision.why.reason, .subject = decision.why.subject};
  mark.state = decision.next.state;
  mark.state_since = decision.next.state_since;
  mark.role = decision.next.role;
  if (const auto& job = decision.next.job) {
    mark.job = job->kind;
    mark.step = job->step;
  }
  const auto& query = obs.local.server.query;
  mark.has_server = obs.local.server.postmaster.has_value();
  mark.in_recovery = query && query->in_recovery;
  mark.is_streaming = query && query->receiver_status == "streaming";
  mark.holds_lock = obs.holds_lock();
  mark.store_is_current = obs.store.current;
  mark.shutdown_requested = obs.shutdown_requested;
  mark.guard = obs.local.guard;
  if (obs.store.view) {
    const auto& view = obs.view();
    mark.paused = paused(obs);
    mark.leader = view.leader ? view.leader->create_revision : Revision(0);
    mark.failover = view.failover ? view.failover->revision : Revision(0);
    mark.deleted_at = view.lost_leader ? view.lost_leader->deleted_at : Revision(0);
    mark.members = hash_of_names(view.members);
  }
  for (const auto& action : decision.actions) {
    const auto* started = std::get_if<StartTask>(&action);
    if (started != nullptr && !is_routine(started->task)) {
      mark.tasks |= std::uint64_t{1} << static_cast<unsigned>(started->task);
    }
    if (is_order(action)) mark.orders = mark.orders * 8 + action.index();
  }
  return mark;
}

bool DecisionNews::take(const Observation& obs, const Decision& decision) {
  auto mark = mark_of(obs, decision);
  // Waiting for facts says nothing of its own.
  if (mark.reason == Reason::observing) {
    mark.reason = last_.reason;
    mark.subject = last_.subject;
  }
  if (mark == last_) return false;
  last_ = mark;
  std::erase_if(told_, [&](const Told& told) { return obs.now >= told.since + told_period; });
  const auto at = std::ranges::find(told_, mark, &Told::mark);
  if (at != told_.end()) return ++at->times <= times_max;
  if (told_.size() >= told_max) told_.erase(told_.begin());
  told_.push_back({std::move(mark), obs.now, 1});
  return true;
}

}  // namespace tanist

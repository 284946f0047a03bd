// SPDX-License-Identifier: Apache-2.0
// Following. Pure; any thread.
#include "core/replica.h"

#include "core/divergence.h"
#include "core/local_server.h"
#include "core/logical_slots.h"
#include "core/start_job.h"
#include "core/synchronous_mode.h"
#include "core/upstream.h"

namespace tanist {

namespace {

ServerGoal following_goal(const Observation& obs) {
  ServerGoal goal;
  goal.standby = true;
  goal.role = Role::replica;
  goal.upstream = choose_upstream(obs);
  goal.standby_cluster = obs.cluster->standby_cluster;
  goal.synchronous_standby_names = names_for_standby(obs);
  goal.hot_standby_feedback = needs_feedback(obs);
  return goal;
}

// The same goal is compared again only this often: it costs files and queries, and what changes it
// from outside are people who edit files.
constexpr Duration comparison_age_max = seconds(10);

bool is_fresh(const GoalComparison& found, const Observation& obs) {
  if (found.at >= obs.cycle_began) return true;
  return found.difference == GoalDifference::none && obs.now < found.at + comparison_age_max;
}

// The comparison of this goal, or nullptr after ordering one.
const GoalComparison* comparison_of(Draft& draft, const ServerGoal& goal) {
  const auto& found = draft.obs.local.comparison;
  if (found && found->goal == goal && is_fresh(*found, draft.obs)) return &*found;
  draft.start(Task::compare_goal, CompareGoal{goal}, no_limit);
  return nullptr;
}

void reload(Draft& draft, const ServerGoal& goal) {
  draft.start(Task::server, ServerAction(ReloadServer{.goal = goal, .always = false}), no_limit);
}

// True when the server's settings fit the goal, or will after what was ordered.
std::optional<Why> reach_goal(Draft& draft, const ServerGoal& goal) {
  const auto* comparison = comparison_of(draft, goal);
  if (comparison == nullptr) return std::nullopt;
  switch (comparison->difference) {
    case GoalDifference::none:
    case GoalDifference::unknown: return std::nullopt;
    case GoalDifference::reload:
      need_divergence_check(draft);
      reload(draft, goal);
      return std::nullopt;
    case GoalDifference::restart:
      need_divergence_check(draft);
      begin_upstream_change(draft);
      return because(Reason::changing_upstream);
  }
  return std::nullopt;
}

// The leader moved to a newer timeline than this node has seen (trap 59).
void notice_new_timeline(Draft& draft) {
  const auto* leader = draft.obs.view().leader_member();
  const auto mine = local_timeline(draft.obs);
  const bool behind = leader != nullptr && mine != Timeline() && leader->timeline > mine;
  if (!behind || draft.next.examined_timeline == leader->timeline) return;
  draft.next.examined_timeline = leader->timeline;
  need_divergence_check(draft);
}

// A standby that ought to stream from the leader and does not may have WAL that the leader lacks:
// replayed from its own pg_wal since it was examined last.
void notice_standstill(Draft& draft, const ServerGoal& goal) {
  const auto& obs = draft.obs;
  const auto* leader = obs.view().leader_member();
  const auto& query = obs.local.server.query;
  const bool ought = goal.upstream && leader != nullptr && goal.upstream->member == leader->name &&
                     leader->role == Role::primary && query && query->in_recovery;
  if (!ought || query->receiver_status == "streaming") return;
  const auto& found = obs.local.divergence;
  const bool lately = found && found->leader == leader->name &&
                      obs.now < found->at + Duration(obs.timing.loop_wait);
  if (!lately) need_divergence_check(draft);
}

}  // namespace

std::optional<Why> follow(Draft& draft) {
  if (draft.busy(Task::server) || !facts_are_fresh(draft.obs)) return std::nullopt;
  const auto goal = following_goal(draft.obs);
  notice_new_timeline(draft);
  notice_standstill(draft, goal);
  if (auto why = settle_divergence(draft)) return why;
  return reach_goal(draft, goal);
}

Why follow_leader(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& leader = obs.view().leader->name;
  if (is_primary(obs)) {
    // Outside pause the fence rule has already acted; this is the paused case.
    return because(Reason::primary_without_lock_in_pause);
  }
  if (auto why = follow(draft)) {
    if (why->subject.empty()) why->subject = leader.value();
    return *why;
  }
  return because(Reason::following_leader, obs.node->name.value(), leader.value());
}

}  // namespace tanist

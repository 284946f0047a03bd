// SPDX-License-Identifier: Apache-2.0
// Following. Pure; any thread.
#include "core/replica.h"

#include "core/divergence.h"
#include "core/local_server.h"
#include "core/logical_slots.h"
#include "core/start_job.h"
#include "core/synchronous_view.h"
#include "core/upstream.h"

namespace tanist {

namespace {

// The same goal is compared again only this often: it costs files and queries, and what changes it
// from outside are people who edit files.
constexpr Duration comparison_age_max = seconds(10);

constexpr Duration look_interval = milliseconds(50);

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

// The server whose history counts is one that this node streams from.
bool follows_the_source(const Observation& obs, const Upstream& upstream) {
  if (upstream.is_remote) return true;
  const auto* leader = obs.view().leader_member();
  return leader != nullptr && upstream.member == leader->name &&
         (leader->role == Role::primary || leader->role == Role::standby_leader);
}

// A standby that ought to stream from the leader and does not may have WAL that the leader lacks:
// replayed from its own pg_wal since it was examined last. So may one of a standby cluster whose
// remote server was promoted (contract ha 6.5, row 4).
void notice_standstill(Draft& draft, const ServerGoal& goal) {
  const auto& obs = draft.obs;
  const auto& query = obs.local.server.query;
  const bool stands_still = query && query->in_recovery && query->receiver_status != "streaming";
  if (!stands_still || !goal.upstream || !follows_the_source(obs, *goal.upstream)) return;
  const auto source = rewind_source(obs);
  if (!source) return;
  const auto& found = obs.local.divergence;
  const bool lately = found && found->leader == source->member &&
                      obs.now < found->at + Duration(obs.timing.loop_wait);
  if (!lately) need_divergence_check(draft);
}

// A leader that stops asks who has all of its log (safety 3.1), and is told what this node has seen
// last: that may be of a moment before the end of the log arrived. In pause it may be stopped for
// long, and nobody asks.
void look_often_while_the_leader_stops(Draft& draft) {
  const auto* leader = draft.obs.view().leader_member();
  const bool stops = leader != nullptr && (leader->state == ServerState::stopping ||
                                           leader->state == ServerState::stopped);
  if (stops && !paused(draft.obs)) draft.wake(look_interval);
}

// PostgreSQL pauses a replay when the primary's settings outgrow its own; it goes on, and ends at
// the next restart, as operators expect (contract ha 6.5, row 6; trap 112).
void resume_replay(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& query = obs.local.server.query;
  constexpr std::int64_t pauses_since = 140000;
  if (paused(obs) || !query || !query->replay_paused || query->server_version < pauses_since) {
    return;
  }
  const auto end = obs.ends.find(Task::resume_replay);
  if (end != obs.ends.end() && end->second.at >= obs.local.server.observed_at) return;
  draft.start(Task::resume_replay, ServerAction(ResumeReplay{}), no_limit);
}

}  // namespace

bool has_left_former_leader(const Observation& obs) {
  const auto& query = obs.local.server.query;
  const auto& compared = obs.local.comparison;
  const bool knows = query && compared && compared->difference == GoalDifference::none &&
                     compared->at <= obs.local.server.observed_at;
  if (!knows) return false;
  const auto& upstream = compared->goal.upstream;
  if (!upstream) return query->receiver_status.empty();
  return !same_name(upstream->member, obs.view().sync->leader);
}

bool keeps_upstream(const Observation& obs, const ServerGoal& goal) {
  if (!goal.standby || goal.upstream || obs.node->tags.nostream) return false;
  if (in_standby_cluster(obs)) return !obs.holds_lock();
  return paused(obs) && !obs.view().locked();
}

std::optional<Why> follow(Draft& draft) {
  look_often_while_the_leader_stops(draft);
  if (draft.busy(Task::server) || !facts_are_fresh(draft.obs)) return std::nullopt;
  const auto goal = standby_goal(draft.obs);
  resume_replay(draft);
  if (keeps_upstream(draft.obs, goal)) {
    const bool fed = in_standby_cluster(draft.obs);
    return because(fed ? Reason::following_old_standby_leader : Reason::following_nobody,
                   draft.obs.node->name.value());
  }
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
  const auto& me = obs.node->name.value();
  if (!in_standby_cluster(obs)) return because(Reason::following_leader, me, leader.value());
  return because(Reason::following_standby_leader, me, leader.value());
}

}  // namespace tanist

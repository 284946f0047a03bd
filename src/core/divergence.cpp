// SPDX-License-Identifier: Apache-2.0
// The rewind question. Pure; any thread.
#include "core/divergence.h"

#include "core/local_server.h"
#include "core/rewind_verdict.h"
#include "core/start_job.h"
#include "core/upstream.h"

namespace tanist {

namespace {

constexpr Duration examine_limit = seconds(10);
constexpr Duration examine_again = seconds(1);

bool can_be_acted_upon(const Observation& obs) {
  return obs.node->use_pg_rewind || obs.node->remove_data_on_divergence;
}

}  // namespace

bool rewind_is_possible(const Observation& obs) {
  const auto& control = obs.local.server.control;
  return obs.node->use_pg_rewind && control && (control->wal_log_hints || control->checksums);
}

void need_divergence_check(Draft& draft) {
  if (!can_be_acted_upon(draft.obs) || draft.next.rewind == RewindState::need) return;
  draft.next.rewind = RewindState::check;
}

namespace {

// A finding about the present leader that is not older than this cycle.
const DivergenceFinding* fresh_finding(const Draft& draft, const Upstream& leader) {
  const auto& found = draft.obs.local.divergence;
  if (!found || found->leader != leader.member || found->at < draft.obs.cycle_began) {
    return nullptr;
  }
  return &*found;
}

std::optional<Why> examine(Draft& draft, const Upstream& leader) {
  const auto* found = fresh_finding(draft, leader);
  if (found == nullptr) {
    draft.start(Task::examine_divergence, ExamineDivergence{leader}, examine_limit);
    return because(Reason::examining_divergence, name_of_source(leader));
  }
  const auto verdict = judge_divergence(found->facts);
  const bool unknown = verdict.divergence == Divergence::unknown;
  // What stays unknown is judged at every event until the next examination.
  if (!unknown || found->at == draft.obs.now) draft.log(LineLevel::info, "{}", verdict.reason);
  if (unknown) {
    draft.wake(examine_again);
    return std::nullopt;
  }
  draft.next.rewind =
      verdict.divergence == Divergence::diverged ? RewindState::need : RewindState::not_need;
  return std::nullopt;
}

bool source_is_ready(Draft& draft, const Upstream& source) {
  if (source.is_remote) return true;  // the rewind itself asks it
  const auto* leader = draft.obs.view().leader_member();
  if (leader == nullptr || leader->role != Role::primary) return false;
  if (!leader->checkpoint_pending) return true;
  draft.log(LineLevel::info, "Waiting for checkpoint on {} before rewind", leader->name.value());
  return false;
}

// A source that cannot be used is not asked again at once.
bool just_failed(const Observation& obs) {
  const auto end = obs.ends.find(Task::server);
  return end != obs.ends.end() && !end->second.ok && obs.now < end->second.at + examine_again;
}

Why begin_rewind(Draft& draft, const Upstream& leader) {
  begin(draft, make_job(JobKind::rewind, "running pg_rewind from " + name_of_source(leader)));
  return because(Reason::rewinding, name_of_source(leader));
}

Why begin_copy(Draft& draft, const Upstream& leader, std::string_view option) {
  draft.log(LineLevel::warning, "{} is set. removing...", option);
  auto job = make_job(JobKind::reinitialize, "reinitializing due to diverged timelines");
  job.goal.standby = true;
  job.source = leader;
  begin(draft, std::move(job));
  return because(Reason::reinitializing_diverged, leader.member.value());
}

std::optional<Why> act_on_need(Draft& draft, const Upstream& leader) {
  const auto& obs = draft.obs;
  if (obs.node->use_pg_rewind && !obs.local.server.control) {
    draft.start(Task::observe, ObserveServer{.control_data = true}, no_limit);
    return because(Reason::examining_divergence, name_of_source(leader));
  }
  if (rewind_is_possible(obs)) {
    if (!just_failed(obs) && source_is_ready(draft, leader)) return begin_rewind(draft, leader);
    draft.wake(examine_again);
    return because(Reason::examining_divergence, name_of_source(leader));
  }
  if (!obs.node->remove_data_on_divergence || in_standby_cluster(obs)) return std::nullopt;
  return begin_copy(draft, leader, "remove_data_directory_on_diverged_timelines");
}

std::optional<Why> act_on_failure(Draft& draft, const Upstream& leader) {
  const auto& node = *draft.obs.node;
  if (in_standby_cluster(draft.obs)) return std::nullopt;  // contract ha 18.5
  if (node.remove_data_on_rewind_failure) {
    return begin_copy(draft, leader, "remove_data_directory_on_rewind_failure");
  }
  if (node.remove_data_on_divergence) {
    return begin_copy(draft, leader, "remove_data_directory_on_diverged_timelines");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Why> settle_divergence(Draft& draft) {
  const auto state = draft.next.rewind;
  const bool settled =
      state != RewindState::check && state != RewindState::need && state != RewindState::failed;
  if (settled) return std::nullopt;
  const auto leader = rewind_source(draft.obs);
  if (!leader) return std::nullopt;
  if (draft.next.rewind == RewindState::check) {
    if (auto why = examine(draft, *leader)) return why;
  }
  if (draft.next.rewind == RewindState::need) return act_on_need(draft, *leader);
  if (draft.next.rewind == RewindState::failed) return act_on_failure(draft, *leader);
  return std::nullopt;
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// The record, the pause, the resumption. Pure; any thread.
#include "core/pooler_pause.h"

#include "core/local_server.h"
#include "core/write_again.h"

namespace tanist {

namespace {

// Safety 5.1: the switchover waits this long for the record and this long for the poolers.
constexpr Duration record_limit = seconds(1);
constexpr Duration pause_limit = seconds(1);
constexpr Duration resume_limit = seconds(2);
// An order to pause whose sender gave up may still be on its way, and be carried out after the
// first resumption: what a pooler says counts from this time on after the pause at the latest.
constexpr Duration settling_time = seconds(5);

bool may_pause(const Observation& obs) {
  const bool all_resume = std::ranges::all_of(
      obs.view().members, [](const auto& entry) { return entry.second.is_tanist(); });
  return !obs.node->paused_poolers.empty() && all_resume && obs.lock.reign &&
         !in_standby_cluster(obs);
}

Tree list_of(const std::vector<std::string>& texts) {
  Tree list = Tree::list();
  for (const auto& text : texts) list.push(text);
  return list;
}

Commit record_of(const Observation& obs) {
  const auto& standing = obs.view().poolers;
  const Tree value = Tree::map({{"paused_by", obs.node->name.value()},
                                {"at", to_iso8601(obs.wall)},
                                {"hosts", list_of(obs.node->paused_poolers)},
                                {"databases", list_of(obs.node->pooler_databases)}});
  Commit commit;
  commit.expect = {{StoreKey::poolers, standing ? standing->revision : Revision(0)}};
  commit.writes = {{StoreKey::poolers, text_form(value), false}};
  commit.reign = obs.lock.reign;
  return commit;
}

const TaskEnd* end_since(const Observation& obs, Task task, Instant since) {
  const auto end = obs.ends.find(task);
  return end != obs.ends.end() && end->second.at >= since ? &end->second : nullptr;
}

void forget_record(Draft& draft) {
  const auto& obs = draft.obs;
  Commit commit;
  commit.expect = {{StoreKey::poolers, obs.view().poolers->revision}};
  commit.writes = {{StoreKey::poolers, std::nullopt, false}};
  commit.reign = obs.lock.reign;
  draft.start(Task::write_poolers, std::move(commit), Duration(obs.timing.retry_timeout));
}

}  // namespace

StepState pause_poolers(Draft& draft) {
  const auto& obs = draft.obs;
  Job& job = *draft.next.job;
  if (!job.step_started) {
    if (!may_pause(obs) || draft.busy(Task::write_poolers)) return StepDone{};
    job.step_started = true;
    draft.start(Task::write_poolers, record_of(obs), record_limit);
    return StepGoesOn{};
  }
  if (draft.busy(Task::write_poolers) || draft.busy(Task::pause_poolers)) return StepGoesOn{};
  if (end_since(obs, Task::pause_poolers, job.step_began) != nullptr) return StepDone{};
  const auto* recorded = end_since(obs, Task::write_poolers, job.step_began);
  if (recorded == nullptr || !recorded->ok) {
    draft.log(LineLevel::warning, "{}: no pooler is paused, because the store did not confirm it",
              job.label);
    return StepDone{};
  }
  draft.start(Task::pause_poolers,
              AgentAction(TellPoolers{TellPoolers::What::pause, obs.node->paused_poolers,
                                      obs.node->pooler_databases}),
              pause_limit);
  return StepGoesOn{};
}

void resume_poolers(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& record = obs.view().poolers;
  if (!record || draft.next.job) return;
  if (!is_primary(obs) && !leads_standby_cluster(obs)) return;
  if (draft.busy(Task::resume_poolers) || draft.busy(Task::write_poolers)) return;
  const auto* told = end_since(obs, Task::resume_poolers, obs.lock.taken_at);
  const auto* written = end_since(obs, Task::write_poolers, obs.lock.taken_at);
  const bool forgotten = written != nullptr && written->ok && written->revision > record->revision;
  if (forgotten) return;  // the view will show it
  if (rests_after_failure(draft, Task::resume_poolers) ||
      rests_after_failure(draft, Task::write_poolers)) {
    return;
  }
  // The pause came before the lock was taken, or right after the own record.
  const auto recorded_at = written != nullptr ? written->at : obs.lock.taken_at;
  const auto settled_at = recorded_at + settling_time;
  const bool confirmed = told != nullptr && told->ok && told->at >= recorded_at;
  if (confirmed && told->at >= settled_at) return forget_record(draft);
  if (confirmed && obs.now < settled_at) return draft.wake(settled_at);
  draft.start(Task::resume_poolers,
              AgentAction(TellPoolers{TellPoolers::What::resume, record->hosts, record->databases}),
              resume_limit);
}

}  // namespace tanist

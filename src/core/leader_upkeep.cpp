// SPDX-License-Identifier: Apache-2.0
// A leader's side duties. Pure; any thread.
#include "core/leader_upkeep.h"

#include "core/failsafe.h"
#include "core/local_server.h"
#include "core/slots_plan.h"
#include "core/start_job.h"
#include "core/synchronous_mode.h"
#include "core/write_again.h"

namespace tanist {

namespace {

constexpr Duration checkpoint_again = seconds(5);

// Until the checkpoint on the new timeline is done, nobody may rewind from us (trap 55).
void checkpoint_after_promotion(Draft& draft) {
  const auto& obs = draft.obs;
  if (!draft.next.checkpoint_needed) return;
  const auto& control = obs.local.server.control;
  const auto timeline = local_timeline(obs);
  const bool read_lately = control && facts_are_fresh(obs);
  if (read_lately && timeline != Timeline() && control->checkpoint_timeline == timeline) {
    draft.next.checkpoint_needed = false;
    return;
  }
  // Since the last action on the server: one reign may see more than one promotion.
  const auto end = obs.ends.find(Task::checkpoint);
  const auto acted = obs.ends.find(Task::server);
  const bool just_done = end != obs.ends.end() && end->second.ok &&
                         end->second.at >= obs.lock.taken_at &&
                         (acted == obs.ends.end() || end->second.at > acted->second.at);
  if (just_done) {
    draft.next.checkpoint_needed = false;
    return;
  }
  if (rests_after_failure(draft, Task::checkpoint)) return;
  draft.start(Task::checkpoint, CheckpointServer{}, no_limit);
  draft.wake(checkpoint_again);
}

}  // namespace

bool history_leads_here(const Observation& obs) {
  const auto& stored = obs.view().history;
  const auto timeline = local_timeline(obs);
  if (timeline == Timeline(1)) return !stored || stored->lines.empty();
  if (!stored || stored->lines.empty() || stored->lines.back().new_leader.empty()) return false;
  const auto& last = stored->lines.back();
  if (last.timeline.value() + 1 == timeline.value()) return true;
  const auto& file = obs.local.history;
  return obs.local.history_timeline == timeline && !file.empty() &&
         file.back().timeline == last.timeline && file.back().switch_lsn == last.switch_lsn;
}

namespace {

Tree line_tree(const HistoryLine& line) {
  Tree out =
      Tree::list({static_cast<int>(line.timeline.value()), line.switch_lsn.value(), line.reason});
  if (line.timestamp.empty()) return out;
  out.push(line.timestamp);
  if (!line.new_leader.empty()) out.push(line.new_leader);
  return out;
}

// The two last fields of a stored line for the same switch are kept.
void inherit(HistoryLine& line, const std::vector<HistoryLine>& stored) {
  const auto same = std::ranges::find_if(stored, [&](const HistoryLine& other) {
    return other.timeline == line.timeline && other.switch_lsn == line.switch_lsn;
  });
  if (same == stored.end()) return;
  line.timestamp = same->timestamp;
  line.new_leader = same->new_leader;
}

}  // namespace

Tree history_value(const Observation& obs, const std::vector<HistoryLine>& file) {
  const auto stored = obs.view().history ? obs.view().history->lines : std::vector<HistoryLine>{};
  Tree value = Tree::list();
  const auto limit = obs.cluster->timelines_history_max;
  const auto first = limit > 0 && file.size() > static_cast<std::size_t>(limit)
                         ? file.size() - static_cast<std::size_t>(limit)
                         : 0;
  for (std::size_t i = first; i < file.size(); ++i) {
    HistoryLine line = file[i];
    if (i + 1 == file.size()) {
      line.new_leader = obs.node->name.value();
    } else {
      line.timestamp.clear();
    }
    inherit(line, stored);
    value.push(line_tree(line));
  }
  return value;
}

namespace {

void write_history(Draft& draft, const Tree& value) {
  const auto& obs = draft.obs;
  Commit commit;
  commit.expect = {
      {StoreKey::history, obs.view().history ? obs.view().history->revision : Revision(0)}};
  commit.writes = {{StoreKey::history, text_form(value), false}};
  commit.reign = obs.lock.reign;
  draft.start(Task::write_history, std::move(commit), Duration(obs.timing.retry_timeout));
}

void keep_history(Draft& draft) {
  const auto& obs = draft.obs;
  const auto timeline = local_timeline(obs);
  if (timeline == Timeline() || draft.busy(Task::write_history)) return;
  if (draft.busy(Task::read_history) || rests_after_failure(draft, Task::write_history)) return;
  if (history_leads_here(obs)) return;
  if (timeline == Timeline(1)) return write_history(draft, Tree::list());
  if (obs.local.history_timeline != timeline) {
    draft.start(Task::read_history, ReadHistory{timeline}, seconds(10));
    return;
  }
  // Once a cycle: until the view shows it, what was written looks missing.
  const auto end = obs.ends.find(Task::write_history);
  if (end != obs.ends.end() && end->second.at >= obs.cycle_began) return;
  write_history(draft, history_value(obs, obs.local.history));
}

// The end of a task of this reign.
const TaskEnd* ended(const Observation& obs, Task task) {
  const auto end = obs.ends.find(task);
  return end != obs.ends.end() && end->second.at >= obs.lock.taken_at ? &end->second : nullptr;
}

}  // namespace

bool history_is_told(Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.holds_lock() || !is_primary(obs) || in_standby_cluster(obs)) return true;
  if (local_timeline(obs) == Timeline() || history_leads_here(obs)) return true;
  const auto* read = ended(obs, Task::read_history);
  if (ended(obs, Task::write_history) != nullptr || (read != nullptr && !read->ok)) return true;
  keep_history(draft);
  return false;
}

void keep_up_standby_leader(Draft& draft) {
  // In this order: a map of others than `/sync` names would leave nobody who may lead.
  if (!ends_foreign_sync_key(draft)) keep_failsafe_key(draft);
  // A cluster that wrote for itself meanwhile has left that log: by its old `/history` nobody would
  // have what the remote server has sent since (seed 4001322).
  const auto& query = draft.obs.local.server.query;
  if (query && query->receiver_status == "streaming") keep_history(draft);
  keep_slots(draft);
}

void keep_up(Draft& draft) {
  keep_synchronous(draft);
  keep_failsafe_key(draft);
  checkpoint_after_promotion(draft);
  keep_history(draft);
  keep_slots(draft);
}

}  // namespace tanist

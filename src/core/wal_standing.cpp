// SPDX-License-Identifier: Apache-2.0
// Comparison of logs. Pure; any thread.
#include "core/wal_standing.h"

#include <algorithm>
#include <iterator>

#include "core/local_server.h"
#include "core/synchronous_view.h"

namespace tanist {

namespace {

// The last leader was on a newer timeline than this one, and its own history knows it not: a
// number may be left out, where it was another server's that the cluster did not follow. `/status`
// says on which one it was, or else what was seen of it.
bool is_left_out(const Observation& obs, const HistoryLine& last, Timeline timeline) {
  if (obs.view().status && obs.view().status->timeline > timeline) return true;
  const auto& locked = obs.memory->locked_view;
  const auto* leader = locked ? locked->leader_member() : nullptr;
  return leader != nullptr && leader->timeline > timeline &&
         last.new_leader == leader->name.value();
}

}  // namespace

Lsn common_position(const Observation& obs, Timeline timeline, Lsn position) {
  const auto& history = obs.view().history;
  if (timeline == Timeline() || !history || history->lines.empty()) return position;
  const auto& lines = history->lines;
  const auto at = std::ranges::find_if(
      lines, [&](const HistoryLine& line) { return line.timeline >= timeline; });
  if (at == lines.end() && !is_left_out(obs, lines.back(), timeline)) return position;
  const bool listed = at != lines.end() && at->timeline == timeline;
  // Of a short history: not beyond what is left of it.
  const auto fork = listed || at == lines.begin() ? at : std::prev(at);
  return std::min(position, fork->switch_lsn);
}

namespace {

// Where the own log, now on `timeline`, left the cluster's: both name the same timeline with
// different ends, or went on from the same end with different ones.
std::optional<Lsn> fork_of(const std::vector<HistoryLine>& own, Timeline timeline,
                           const std::vector<HistoryLine>& cluster) {
  std::optional<Lsn> together;
  for (const auto& line : cluster) {
    const auto mine = std::ranges::find(own, line.timeline, &HistoryLine::timeline);
    if (mine == own.end()) return line.timeline != timeline ? together : std::nullopt;
    if (mine->switch_lsn != line.switch_lsn) return std::min(mine->switch_lsn, line.switch_lsn);
    together = line.switch_lsn;
  }
  return std::nullopt;
}

}  // namespace

bool own_history_is_wanted(const Observation& obs) {
  const auto& history = obs.view().history;
  const auto timeline = local_timeline(obs);
  if (timeline == Timeline() || !history || history->lines.empty()) return false;
  const auto& lines = history->lines;
  if (std::ranges::find(lines, timeline, &HistoryLine::timeline) != lines.end()) return false;
  return obs.local.history_timeline != timeline || obs.running(Task::read_history);
}

namespace {

// Where a leader that we examined left our timeline, if that is known: `/history` does not tell it
// before that leader has written it.
std::optional<Lsn> fork_of_examined_leader(const Observation& obs, Timeline timeline) {
  const auto& found = obs.local.divergence;
  if (!found || timeline == Timeline() || found->facts.local_timeline != timeline) return {};
  const auto& history = found->facts.leader_history;
  const auto line = std::ranges::find(history, timeline, &HistoryLine::timeline);
  return line != history.end() ? std::optional(line->switch_lsn) : std::nullopt;
}

}  // namespace

Lsn own_common_position(const Observation& obs) {
  const auto timeline = local_timeline(obs);
  auto position = common_position(obs, timeline, wal_position(obs));
  if (const auto left = fork_of_examined_leader(obs, timeline))
    position = std::min(position, *left);
  const bool known = timeline != Timeline() && obs.local.history_timeline == timeline &&
                     !obs.running(Task::read_history) && obs.view().history;
  const auto fork = known ? fork_of(obs.local.history, timeline, obs.view().history->lines)
                          : std::optional<Lsn>();
  return fork ? std::min(position, *fork) : position;
}

namespace {

// `/history` is written by who leads, after its promotion: where it ends the timeline that
// `/status` speaks of, the rest was given up then.
Lsn published_within_history(const Observation& obs) {
  const auto& status = obs.view().status;
  const auto& history = obs.view().history;
  if (!status || status->timeline == Timeline() || !history) return obs.view().optime();
  const auto line = std::ranges::find(history->lines, status->timeline, &HistoryLine::timeline);
  return line == history->lines.end() ? status->optime : std::min(status->optime, line->switch_lsn);
}

// By `/sync`, which a leader writes before it is promoted; or the last lock was ours, and nobody
// has written `/status` since, which whoever takes the lock does.
bool was_promoted_last(const Observation& obs) {
  if (led_last_by_sync(obs)) return true;
  const auto& lost = obs.view().lost_leader;
  const auto& status = obs.view().status;
  return lost && lost->leader.name == obs.node->name && status &&
         status->revision <= lost->leader.create_revision;
}

}  // namespace

Lsn published_position(const Observation& obs) {
  const auto optime = published_within_history(obs);
  const auto timeline = local_timeline(obs);
  const auto theirs = obs.view().status ? obs.view().status->timeline : Timeline();
  const bool known = timeline != Timeline() && obs.local.history_timeline == timeline &&
                     !obs.running(Task::read_history);
  if (theirs == Timeline() || timeline <= theirs || !known || !was_promoted_last(obs))
    return optime;
  const auto& own = obs.local.history;
  const auto at =
      std::ranges::find_if(own, [&](const HistoryLine& line) { return line.timeline >= theirs; });
  const bool comes_from_it = at != own.end() && at->timeline == theirs;
  if (comes_from_it || at == own.begin()) return optime;
  return std::min(optime, std::prev(at)->switch_lsn);
}

Lsn common_position(const Observation& obs, const PeerReport& report) {
  return common_position(obs, report.timeline, report.wal_position);
}

namespace {

Standing standing_of(Lsn theirs, Lsn mine) {
  if (theirs == mine) return Standing::level;
  return theirs > mine ? Standing::ahead : Standing::behind;
}

}  // namespace

Standing standing_of(const Observation& obs, const PeerReport& peer) {
  const auto timeline = local_timeline(obs);
  const auto mine = own_common_position(obs);
  const bool left = mine < wal_position(obs);
  if (peer.timeline != timeline && (left || peer.left_at)) {
    return standing_of(peer.left_at.value_or(common_position(obs, peer)), mine);
  }
  const bool known = peer.timeline != Timeline() && timeline != Timeline();
  if (known && peer.wal_position != Lsn() && peer.timeline != timeline) {
    return peer.timeline > timeline ? Standing::ahead : Standing::behind;
  }
  return standing_of(peer.wal_position, wal_position(obs));
}

}  // namespace tanist

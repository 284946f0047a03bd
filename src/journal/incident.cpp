// SPDX-License-Identifier: Apache-2.0
// Finding changes of leadership in stories and reading their phases. Pure; any thread.
#include "journal/incident.h"

#include <algorithm>
#include <set>

#include "base/format.h"

namespace tanist::journal {

namespace {

using Lines = std::vector<StoryLine>;
using At = Lines::const_iterator;

// A sign of trouble belongs to the change that follows within this time beyond the lease.
constexpr auto trouble_age_max = seconds(120);
// Aligned clocks still differ by the way of an event through the network.
constexpr auto clock_slack = milliseconds(200);
constexpr std::size_t remarks_max = 4;

std::int64_t ms_between(WallTime from, WallTime to) {
  return std::max<std::int64_t>(std::chrono::duration_cast<milliseconds>(to - from).count(), 0);
}

// One change while it is put together.
struct Change {
  const Stories& stories;
  const Lines& winner;
  At taken;                    // the winner's first line with the lock
  std::optional<At> unlocked;  // its first line of the time without a leader
  Incident out;
};

// The winner's first line since which nobody led.
std::optional<At> begin_of_vacancy(const Lines& lines, At taken) {
  std::optional<At> first;
  for (auto at = taken; at != lines.begin();) {
    --at;
    if (!at->is_decision || !at->has_view) {
      if (at->is_beginning) break;
      continue;
    }
    const bool is_vacant = at->leader.value().empty();
    // The own lock may be seen in the view before the answer to its taking comes.
    const bool is_taking = at->leader == at->member && !at->reign;
    if (!is_vacant && !is_taking) break;
    if (is_vacant) first = at;
  }
  return first;
}

MemberName old_leader_of(const Lines& lines, const Change& change) {
  if (change.unlocked && (*change.unlocked)->lost) return (*change.unlocked)->lost->leader.name;
  for (auto at = change.taken; at != lines.begin();) {
    --at;
    if (at->is_decision && at < *change.unlocked && !at->leader.value().empty()) {
      return at->leader;
    }
  }
  return {};
}

WallTime end_of_lock(const Change& change) {
  return change.unlocked ? (*change.unlocked)->at : change.taken->taken_at;
}

bool is_calm(const StoryLine& line) {
  return line.reason == Reason::leader_steady && line.alive && line.store_is_current &&
         !line.shutting_down && !line.request;
}

// The old leader's lines from the first sign of trouble to the end of its lock.
Lines trouble_of(const Change& change) {
  const auto story = change.stories.find(change.out.old_leader);
  if (story == change.stories.end()) return {};
  const auto end = end_of_lock(change) + clock_slack;
  const auto begin = end - trouble_age_max - change.taken->ttl;
  Lines lines;
  for (const auto& line : story->second) {
    if (line.at > end) break;
    if (!line.is_decision || line.at < begin) continue;
    if (is_calm(line)) {
      lines.clear();
    } else if (!lines.empty() || line.reign) {
      lines.push_back(line);
    }
  }
  return lines;
}

// Nothing when its lines tell of no cause.
std::optional<Cause> cause_told_by_itself(const Lines& trouble) {
  for (const auto& line : trouble) {
    if (line.request) {
      return line.request->is_switchover() ? Cause::switchover : Cause::failover_request;
    }
    if (line.shutting_down) return Cause::agent_stopped;
    if (!line.alive && line.state != ServerState::stopping) return Cause::server_crashed;
    if (line.reason == Reason::leader_lost_lock) return Cause::lock_lost;
    if (!line.store_is_current || line.reason == Reason::leader_deadline_near ||
        line.reason == Reason::demoting_store_unreachable) {
      return Cause::store_lost;
    }
  }
  return std::nullopt;
}

Cause cause_seen_by_winner(const Change& change) {
  const auto begin = change.unlocked.value_or(change.taken);
  if (std::any_of(begin, change.taken + 1, [](const auto& line) { return line.bootstrapping; })) {
    return Cause::bootstrap;
  }
  if (change.out.old_leader.value().empty()) return Cause::lock_vanished;
  const auto& request = change.taken->request;
  const auto& before = change.unlocked ? (*change.unlocked)->request : request;
  if (before) return before->is_switchover() ? Cause::switchover : Cause::failover_request;
  const bool released =
      change.unlocked && (*change.unlocked)->lost && (*change.unlocked)->lost->released;
  return released ? Cause::released : Cause::silence;
}

// The first sign on any other node that the old leader's server was gone: its stream broke.
std::optional<StoryLine> first_sign(const Change& change) {
  const auto end = end_of_lock(change);
  std::optional<StoryLine> sign;
  for (const auto& [member, story] : change.stories) {
    if (member == change.out.old_leader) continue;
    std::optional<StoryLine> broken;
    for (const auto& line : story) {
      // With the lock all streams are gone: that is no sign of its own.
      const bool is_before = line.at <= end && line.leader == change.out.old_leader;
      if (!line.is_decision || !is_before) continue;
      if (line.is_streaming) broken.reset();
      const bool breaks = !line.is_streaming && line.in_recovery.value_or(false) && !broken;
      if (breaks) broken = line;
    }
    const bool recent = broken && broken->at > end - change.taken->ttl - seconds(2);
    if (recent && (!sign || broken->at < sign->at)) sign = broken;
  }
  return sign;
}

void read_lease(Change& change, const Lines& trouble) {
  auto& phases = change.out.phases;
  const auto end = end_of_lock(change);
  const auto acts = [](const StoryLine& line) {
    return line.reason != Reason::leader_steady && line.reason != Reason::observing;
  };
  if (!trouble.empty()) {
    const auto decided = std::ranges::find_if(trouble, acts);
    const auto& acting = decided != trouble.end() ? *decided : trouble.back();
    phases.detection = ms_between(trouble.front().at, acting.at);
    phases.lease = ms_between(acting.at, end);
    return;
  }
  if (change.out.cause != Cause::silence) return;
  if (const auto sign = first_sign(change)) {
    phases.lease = ms_between(sign->at, end);
    change.out.evidence.push_back(format_text("{} saw its stream from {} break {} ms before",
                                              sign->member.value(), change.out.old_leader.value(),
                                              *phases.lease));
    return;
  }
  phases.lease = std::chrono::duration_cast<milliseconds>(change.taken->ttl).count();
  phases.lease_is_estimated = true;
}

// From the lock on: promotion and the first check that was told of it.
void read_promotion(Change& change) {
  auto& out = change.out;
  auto writable_at = WallTime::max();
  for (auto at = change.taken; at != change.winner.end(); ++at) {
    if (at->is_beginning || (at->is_decision && at->reign != change.taken->reign)) break;
    if (!out.writable && at->in_recovery == false) {
      out.writable = true;
      out.timeline = at->timeline;
      writable_at = at->at;
      out.phases.promote = ms_between(change.taken->taken_at, writable_at);
    }
    if (at->is_routed && out.writable) {
      out.phases.routing = ms_between(writable_at, at->at);
      break;
    }
  }
}

void add_evidence(Change& change, const Lines& trouble) {
  auto& evidence = change.out.evidence;
  if (!trouble.empty()) {
    evidence.push_back(format_text("{}: {}", change.out.old_leader.value(), trouble.front().text));
  }
  if (!change.unlocked || !(*change.unlocked)->lost) return;
  const auto& lost = *(*change.unlocked)->lost;
  evidence.push_back(lost.released
                         ? format_text("{} released the lock (revision {})",
                                       lost.leader.name.value(), lost.deleted_at.value())
                         : format_text("the lock of {} ended without a release (revision {}): its "
                                       "lease had run out or was revoked",
                                       lost.leader.name.value(), lost.deleted_at.value()));
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  std::size_t number = 0;
  for (const auto& text : texts) {
    if (++number > remarks_max) break;
    out += (out.empty() ? "" : "; ") + text;
  }
  return out;
}

// What a member that was slower than the winner was at, as a race goes on: no verdict yet.
std::string_view under_way(Reason reason) {
  switch (reason) {
    case Reason::observing: return "was still looking at its own server when the lock was taken";
    case Reason::race_asking_peers:
      return "was still asking the other members when the lock was taken";
    default: return {};
  }
}

// What a member that did not win decided while the lock was free. Its last verdict counts, with the
// remarks of the decision that had any; without one, how far it was.
std::optional<Voice> voice_of(const Change& change, const Lines& story) {
  const auto begin = end_of_lock(change) - clock_slack;
  const auto end = change.taken->taken_at + clock_slack;
  std::string verdict;
  std::string remarks;
  std::string_view unfinished;
  for (const auto& line : story) {
    const bool is_vacant = line.has_view && line.leader.value().empty();
    if (!line.is_decision || !is_vacant || line.at < begin || line.at > end) continue;
    if (under_way(line.reason).empty()) {
      verdict = line.text;
    } else {
      unfinished = under_way(line.reason);
    }
    if (!line.remarks.empty()) remarks = joined(line.remarks);
  }
  const std::string word = verdict.empty() ? std::string(unfinished) : verdict;
  if (word.empty()) return std::nullopt;
  return Voice{story.front().member, remarks.empty() ? word : word + " (" + remarks + ")"};
}

void add_voices(Change& change, const Lines& trouble) {
  auto& out = change.out;
  const auto& taken = *change.taken;
  out.voices.push_back(
      {out.new_leader, format_text("took the lock at {} with WAL up to {}",
                                   to_iso8601(taken.taken_at), to_text(out.taken_over_at))});
  if (!trouble.empty()) out.voices.push_back({out.old_leader, trouble.back().text});
  for (const auto& [member, story] : change.stories) {
    if (member == out.new_leader || member == out.old_leader || story.empty()) continue;
    if (auto voice = voice_of(change, story)) out.voices.push_back(std::move(*voice));
  }
}

// What the old leader had beyond the point where the new timeline begins, as it found out when it
// came back.
void read_loss(Change& change) {
  auto& out = change.out;
  if (out.cause == Cause::bootstrap) out.lost_bytes = 0;
  const auto story = change.stories.find(out.old_leader);
  if (story == change.stories.end() || out.timeline == Timeline()) return;
  for (const auto& line : story->second) {
    if (line.at < change.taken->taken_at || !line.divergence) continue;
    const auto& found = *line.divergence;
    if (!found.local_known || !found.leader_known || found.leader_timeline < out.timeline) continue;
    for (const auto& branch : found.leader_history) {
      if (branch.timeline != found.local_timeline) continue;
      // The end of the shutdown or crash checkpoint's log.
      const auto end = std::max(found.local_lsn, found.checkpoint_end);
      out.lost_bytes = end > branch.switch_lsn ? end.value() - branch.switch_lsn.value() : 0;
      return;
    }
  }
}

// Nothing when no leadership changed: a restarted agent goes on with the lock that it had.
std::optional<Incident> told(Change change) {
  if (!change.unlocked) return std::nullopt;
  auto& out = change.out;
  out.at = to_iso8601(change.taken->taken_at);
  out.reign = *change.taken->reign;
  out.new_leader = change.taken->member;
  out.old_leader = old_leader_of(change.winner, change);
  out.taken_over_at = change.taken->position;
  out.published = change.taken->optime;
  const auto trouble = trouble_of(change);
  out.cause = cause_told_by_itself(trouble).value_or(cause_seen_by_winner(change));
  if (change.unlocked && out.cause != Cause::bootstrap) {
    out.phases.race = ms_between((*change.unlocked)->at, change.taken->taken_at);
  }
  add_evidence(change, trouble);
  read_lease(change, trouble);
  read_promotion(change);
  add_voices(change, trouble);
  read_loss(change);
  return std::move(out);
}

}  // namespace

std::string sentence_of(Cause cause, const MemberName& old_leader) {
  const auto& name = old_leader.value();
  switch (cause) {
    case Cause::bootstrap: return "the cluster was new and got its first leader";
    case Cause::switchover:
      return format_text("an operator moved the leadership away from {}", name);
    case Cause::failover_request: return "an operator asked for a failover";
    case Cause::agent_stopped: return format_text("the agent of {} was told to end", name);
    case Cause::server_crashed: return format_text("PostgreSQL of {} ended by itself", name);
    case Cause::store_lost: return format_text("{} could not renew its lock in the store", name);
    case Cause::lock_lost: return format_text("the store no longer had the lock of {}", name);
    case Cause::released: return format_text("{} gave the lock away; it has not told why", name);
    case Cause::silence:
      return format_text(
          "{} fell silent: its agent, its machine or its network was gone, and the "
          "lock ran out",
          name);
    case Cause::lock_vanished: return "there was no leader";
  }
  return {};
}

std::int64_t total_ms(const Phases& phases) {
  return phases.detection.value_or(0) + phases.lease.value_or(0) + phases.race.value_or(0) +
         phases.promote.value_or(0) + phases.routing.value_or(0);
}

std::vector<Incident> incidents_in(const Stories& stories) {
  std::vector<Incident> incidents;
  for (const auto& [member, lines] : stories) {
    std::set<Revision> reigns;
    for (auto at = lines.begin(); at != lines.end(); ++at) {
      if (!at->reign || !reigns.insert(*at->reign).second) continue;
      // A journal that begins in the middle of a reign tells nothing of its beginning.
      const bool is_first = std::ranges::none_of(lines.begin(), at, &StoryLine::has_view);
      if (is_first) continue;
      auto incident = told({stories, lines, at, begin_of_vacancy(lines, at), {}});
      if (incident) incidents.push_back(std::move(*incident));
    }
  }
  std::ranges::sort(incidents, {}, &Incident::reign);
  return incidents;
}

}  // namespace tanist::journal

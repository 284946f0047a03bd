// SPDX-License-Identifier: Apache-2.0
// Entries to lines, clocks onto one another. Pure; any thread.
#include "journal/story.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "core/local_server.h"

namespace tanist::journal {

namespace {

WallTime wall_of(Instant instant, const Entry& entry) {
  return entry.at + std::chrono::duration_cast<std::chrono::microseconds>(instant - entry.instant);
}

// The names of the actions that are worth a word: "take_lock, promote_server".
std::string orders_in(const Tree& decision) {
  std::string out;
  const auto* actions = decision.find("actions");
  const auto* items = actions != nullptr ? actions->as_list() : nullptr;
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    const auto* body = item.find_path({"start", "body"});
    const auto* task = item.find_path({"start", "task"});
    Task kind = Task::observe;
    const bool known = task != nullptr && from_tree(*task, kind);
    if (body == nullptr || !body->is_map() || body->as_map()->empty()) continue;
    if (known && is_routine(kind)) continue;
    out += (out.empty() ? "" : ", ") + body->as_map()->front().first;
  }
  return out;
}

std::vector<std::string> remarks_in(const Tree& decision) {
  std::vector<std::string> out;
  const auto* actions = decision.find("actions");
  const auto* items = actions != nullptr ? actions->as_list() : nullptr;
  if (items == nullptr) return out;
  for (const auto& item : *items) {
    const auto* text = item.find_path({"log", "text"});
    if (text != nullptr && text->as_string() != nullptr) out.push_back(*text->as_string());
  }
  return out;
}

void take_view(StoryLine& line, const Observation& obs, const Entry& entry) {
  if (!obs.store.view) return;
  const auto& view = obs.view();
  line.has_view = true;
  if (view.locked()) line.leader = view.leader->name;
  line.lost = view.lost_leader;
  if (view.failover && view.failover->present()) line.request = view.failover;
  line.view_revision = view.revision;
  line.view_at = wall_of(obs.store.view_at, entry);
  line.optime = view.optime();
}

void take_decided(StoryLine& line, const Decided& decided, const Entry& entry) {
  const auto& obs = decided.observation;
  line.is_decision = true;
  line.text = words_of(decided);
  line.remarks = remarks_in(decided.decision);
  const auto* reason = decided.decision.find_path({"why", "reason"});
  if (reason != nullptr) from_tree(*reason, line.reason);
  line.state = obs.memory->state;
  line.alive = server_alive(obs);
  if (const auto& query = obs.local.server.query) {
    line.in_recovery = query->in_recovery;
    line.is_streaming = query->receiver_status == "streaming";
  }
  line.store_is_current = obs.store.current;
  line.shutting_down = obs.shutdown_requested;
  line.bootstrapping = obs.memory->bootstrapping;
  line.position = wal_position(obs);
  line.timeline = local_timeline(obs);
  line.ttl = obs.timing.ttl;
  if (obs.lock.reign) {
    line.reign = obs.lock.reign->create_revision;
    line.taken_at = wall_of(obs.lock.taken_at, entry);
  }
  if (obs.local.divergence && obs.local.divergence->at != Instant()) {
    line.divergence = obs.local.divergence->facts;
  }
  take_view(line, obs, entry);
}

struct Telling {
  StoryLine& line;
  const Entry& entry;

  void operator()(const Begun& begun) const {
    line.is_beginning = true;
    line.text = "the agent starts, tanist " + begun.version;
  }
  void operator()(const Decided& decided) const { take_decided(line, decided, entry); }
  void operator()(const Ended& ended) const {
    line.text = format_text("{} {} after {} ms", ended.action, ended.ok ? "done" : "failed",
                            in_milliseconds(ended.took));
    if (!ended.error.empty()) line.text += ": " + ended.error;
  }
  void operator()(const Routed&) const {
    line.is_routed = true;
    line.text = "a load balancer was told for the first time that writes go here";
  }
  void operator()(const Dropped& dropped) const {
    line.text = format_text("{} entries are missing, the disk was too slow", dropped.entries);
  }
};

}  // namespace

std::string words_of(const Decided& decided) {
  const auto orders = orders_in(decided.decision);
  auto text = decided.line;
  if (text.empty()) {
    const auto* reason = decided.decision.find_path({"why", "reason"});
    text = reason != nullptr ? text_form(*reason) : std::string("?");
  }
  return orders.empty() ? text : format_text("{} [orders: {}]", text, orders);
}

StoryLine line_of(const Entry& entry, const MemberName& member) {
  StoryLine line{.member = member, .at = entry.at};
  std::visit(Telling{line, entry}, entry.body);
  return line;
}

void StoryReader::take(const Entry& entry) {
  if (const auto* begun = std::get_if<Begun>(&entry.body)) {
    // The next file of a running agent begins like an agent.
    const bool goes_on =
        member_ == begun->member && !lines_.empty() && lines_.back().at == entry.at;
    member_ = begun->member;
    if (goes_on) return;
  }
  if (const auto* decided = std::get_if<Decided>(&entry.body)) {
    member_ = decided->observation.node->name;
  }
  lines_.push_back(line_of(entry, member_));
}

// ---- Clocks ----------------------------------------------------------------------------------

namespace {

// When each revision was first seen. The first view of an agent that starts does not count: it may
// be of long ago.
std::map<Revision, WallTime> sightings(const std::vector<StoryLine>& story) {
  std::map<Revision, WallTime> seen;
  std::optional<Revision> stale;
  bool is_first = true;
  for (const auto& line : story) {
    is_first = is_first || line.is_beginning;
    if (!line.has_view) continue;
    if (std::exchange(is_first, false)) stale = line.view_revision;
    if (stale != line.view_revision) seen.emplace(line.view_revision, line.view_at);
  }
  return seen;
}

ClockOffset offset_of(const MemberName& member, const std::map<Revision, WallTime>& own,
                      const std::map<Revision, WallTime>& reference) {
  std::vector<std::chrono::microseconds> differences;
  for (const auto& [revision, at] : own) {
    const auto other = reference.find(revision);
    if (other != reference.end()) differences.push_back(at - other->second);
  }
  ClockOffset offset{.member = member, .samples = differences.size()};
  if (differences.empty()) return offset;
  const auto middle = differences.begin() + static_cast<std::ptrdiff_t>(differences.size() / 2);
  std::ranges::nth_element(differences, middle);
  offset.ahead = *middle;
  return offset;
}

void move_back(StoryLine& line, std::chrono::microseconds ahead) {
  line.at -= ahead;
  line.view_at -= ahead;
  line.taken_at -= ahead;
}

}  // namespace

std::vector<ClockOffset> align_clocks(Stories& stories) {
  std::map<MemberName, std::map<Revision, WallTime>> seen;
  for (const auto& [member, story] : stories) seen.emplace(member, sightings(story));
  const auto reference =
      std::ranges::max_element(seen, {}, [](const auto& entry) { return entry.second.size(); });
  std::vector<ClockOffset> offsets;
  for (auto& [member, story] : stories) {
    auto offset = offset_of(member, seen.at(member), reference->second);
    for (auto& line : story) move_back(line, offset.ahead);
    offsets.push_back(std::move(offset));
  }
  return offsets;
}

std::vector<StoryLine> merged(const std::vector<StoryLine>& a, const std::vector<StoryLine>& b) {
  std::vector<StoryLine> lines;
  lines.reserve(a.size() + b.size());
  std::ranges::merge(a, b, std::back_inserter(lines), {}, &StoryLine::at, &StoryLine::at);
  return lines;
}

std::vector<StoryLine> merged(const Stories& stories) {
  std::vector<StoryLine> lines;
  for (const auto& [member, story] : stories) lines = merged(lines, story);
  return lines;
}

}  // namespace tanist::journal

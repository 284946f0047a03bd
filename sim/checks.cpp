// SPDX-License-Identifier: Apache-2.0
// The checks.
#include "sim/checks.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace tanist::sim {

namespace {

// After a machine was frozen: until its guard is scheduled (safety 2.11).
constexpr Duration wake_up_latency = milliseconds(20);
// A pause of the cluster may still be in force where its end was not seen yet.
constexpr Duration pause_memory = seconds(60);
constexpr Duration erase_memory = seconds(60);
// 200 ppm over the longest lease.
constexpr Duration drift_max = milliseconds(20);

const std::string prefix = "/service/demo/";

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

Checks::Checks(Cluster& cluster, Clients& clients) : cluster_(cluster), clients_(clients) {
  for (const auto& node : cluster_.nodes()) {
    auto* at = node.get();
    watched_.push_back({.node = at});
    at->server.on_promoted = [this, at] { promoted(*at); };
    at->agent.on_guard_order = [this, at](const GuardOrder& order) {
      look_at_deadline(watched(*at), order);
    };
  }
  cluster_.pooler().on_pause = [this] {
    if (cluster_.key("tanist/poolers") == nullptr) {
      violate("a pooler was paused without a record", "nobody would resume it");
    }
  };
  clients_.on_commit = [this](Row& row) { row_committed(row); };
  clients_.on_release = [this](const Row& row) { row_released(row); };
}

void Checks::violate(std::string rule, std::string detail) {
  if (violation_) return;
  cluster_.world().tell("check", "VIOLATION: {}: {}", rule, detail);
  violation_ = Violation{std::move(rule), std::move(detail)};
  cluster_.world().stop();
}

// What an agent believes changes when one steps; what only time brings about is found within a
// second. All else has to do with servers that take writes.
void Checks::look() {
  const bool stepped = steps_were_made() || cluster_.world().now() >= second_end_;
  if (stepped) look_at_rest();
  if (cluster_.etcd().state().revision() != seen_) look_at_keys();
  if (stepped || woke_lately_) look_at_reach();
  const auto writable = std::ranges::count_if(
      watched_, [](const Watched& watched) { return watched.node->server.writable(); });
  if (writable >= 1) look_at_standby_cluster();
  if (writable >= 2) look_at_primaries();
  if (stepped) look_at_locks();
}

bool Checks::steps_were_made() {
  bool made = false;
  for (auto& watched : watched_) {
    const auto steps = watched.node->agent.steps();
    if (steps == watched.steps) continue;
    made = true;
    watched.steps = steps;
    note_pause(watched);
  }
  return made;
}

// It knew of the pause until this step.
void Checks::note_pause(Watched& watched) const {
  const auto* loop = watched.node->agent.loop();
  const bool before = watched.knows_pause;
  watched.knows_pause = loop != nullptr && loop->observation().cluster->pause;
  if (before || watched.knows_pause) watched.pause_known_at = cluster_.world().now();
}

Checks::Watched& Checks::watched(const Node& node) {
  return *std::ranges::find(watched_, &node, &Watched::node);
}

// ---- At every moment -------------------------------------------------------------------------

bool Checks::paused_lately() {
  const auto now = cluster_.world().now();
  return paused_ || (paused_at_ != Instant(Duration::min()) && now < paused_at_ + pause_memory);
}

bool Checks::exempt(const Watched& watched) const {
  const auto& node = *watched.node;
  const bool wakes_up = cluster_.world().now() < node.thawed_at + wake_up_latency;
  return wakes_up || !node.watched() || woke_behind(watched);
}

namespace {

// Beside the renewal interval: an attempt that goes to the wrong endpoint first, and the stop.
constexpr Duration round_trip = milliseconds(1500);
// By how much an operator raises the ttl here.
constexpr Duration ttl_raised_max = seconds(10);

}  // namespace

void Checks::look_at_reach() {
  const auto now = cluster_.world().now();
  const auto memory = Duration(cluster_.options().timing.ttl) + ttl_raised_max;
  woke_lately_ = false;
  for (auto& watched : watched_) {
    const auto& node = *watched.node;
    if (now > node.woke_behind_at + memory) continue;
    woke_lately_ = true;
    const bool asks = node.agent.process().runs() && !node.frozen();
    if (!asks || !cluster_.reaches_store(node.server.host())) watched.out_of_reach_at = now;
  }
}

// A pause that its own clock did not count: until its next renewal is refused (safety 2.11).
bool Checks::woke_behind(const Watched& watched) const {
  const auto& timing = cluster_.options().timing;
  const auto now = cluster_.world().now();
  const auto woke_at = watched.node->woke_behind_at;
  if (now >= woke_at + Duration(timing.ttl) + ttl_raised_max) return false;
  const auto interval = std::min(Duration(timing.loop_wait), Duration(timing.ttl) / 6);
  return now < std::max(watched.out_of_reach_at, woke_at) + interval + round_trip;
}

// In pause nothing is fenced; who was cut off since has not heard of its end (safety 1.8), and when
// it does it stops its server.
bool Checks::knows_a_pause(const Watched& watched) const {
  return watched.knows_pause || cluster_.world().now() < watched.pause_known_at + seconds(2);
}

void Checks::look_at_primaries() {
  const Node* first = nullptr;
  for (const auto& watched : watched_) {
    const auto& node = *watched.node;
    if (!node.server.writable() || exempt(watched) || knows_a_pause(watched)) continue;
    if (first != nullptr && !paused_lately()) {
      return violate("two primaries", first->name() + " and " + node.name());
    }
    first = &node;
  }
}

namespace {

// The lock may be free already although the answer was lost; the server is down by then.
bool gives_away(const agent::Loop& loop) {
  const auto& obs = loop.observation();
  const auto end = obs.ends.find(Task::release_lock);
  const bool tried = end != obs.ends.end() && end->second.at >= obs.lock.taken_at;
  return obs.running(Task::release_lock) || tried;
}

}  // namespace

void Checks::look_at_locks() {
  const Node* first = nullptr;
  Reign reign;
  for (const auto& watched : watched_) {
    const auto& node = *watched.node;
    const auto* loop = node.agent.loop();
    if (loop == nullptr) continue;
    const auto& lock = loop->observation().lock;
    if (!lock.reign || node.clock.now() >= lock.until || gives_away(*loop)) continue;
    if (node.clock.stands() || woke_behind(watched)) continue;
    const bool other = first != nullptr && lock.reign->create_revision != reign.create_revision;
    if (other && cluster_.world().now() - erase_memory > erased_at_) {
      return violate("two holders of the lock", first->name() + " and " + node.name());
    }
    first = &node;
    reign = *lock.reign;
  }
}

// Consent extends, it never revives: a round is complete before the previous deadline (safety 3.4).
void Checks::look_at_consent(const Watched& watched, const GuardOrder& order) {
  const auto& node = *watched.node;
  const auto& before = watched.armed;
  if (!before || node.clock.now() < before->deadline) return;
  const bool same = before->reign.create_revision == order.reign.create_revision;
  if (!same || paused_lately()) return;  // in pause nothing is armed
  violate("consent revived a reign",
          format_text("{}, {} ms after its end", node.name(),
                      in_milliseconds(node.clock.now() - before->deadline)));
}

// A renewal never promises more than etcd does.
void Checks::look_at_deadline(Watched& watched, const GuardOrder& order) {
  const auto& node = *watched.node;
  const bool proven =
      order.what == GuardOrder::What::arm && order.reign.create_revision != Revision(0);
  // While its server is a standby, its guard is told of no deadlines.
  if (order.what == GuardOrder::What::announce_standby) watched.armed.reset();
  if (!proven) return;
  // Consent stands for the lease (safety 3.4); that nobody else leads meanwhile is looked at.
  const auto* loop = node.agent.loop();
  if (loop != nullptr && loop->observation().lock.by_failsafe) look_at_consent(watched, order);
  watched.armed = order;
  if (loop != nullptr && loop->observation().lock.by_failsafe) return;
  if (woke_behind(watched)) return;
  const auto end = cluster_.etcd().state().lease_end(order.reign.lease);
  const auto promised = node.clock.world(order.deadline);
  if (!end || promised <= *end + drift_max) return;
  violate("the guard is armed beyond the lease",
          format_text("{} by {} ms", node.name(), in_milliseconds(promised - *end)));
}

// ---- Keys ------------------------------------------------------------------------------------

namespace {

Tree value_of(const Cluster& cluster, const std::string& name) {
  const auto* kv = cluster.key(name);
  auto value = kv == nullptr ? Result<Tree>(Tree()) : parse_json(kv->value);
  return value && value->is_map() ? *value : Tree::map();
}

std::string text_in(const Tree& map, std::string_view key) {
  const auto* value = map.find(key);
  const auto* text = value != nullptr ? value->as_string() : nullptr;
  return text == nullptr ? std::string() : *text;
}

std::int64_t number_in(const Tree& map, std::string_view key) {
  const auto* value = map.find(key);
  const auto* number = value != nullptr ? value->as_int() : nullptr;
  return number == nullptr ? 0 : *number;
}

// Nearly always {"optime":N,...}, and written often: not all of it is read then.
Lsn optime_of(const std::string& status) {
  constexpr std::string_view begin = "{\"optime\":";
  std::uint64_t bytes = 0;
  if (status.starts_with(begin)) {
    std::from_chars(status.data() + begin.size(), status.data() + status.size(), bytes);
  } else if (const auto value = parse_json(status); value && value->is_map()) {
    bytes = static_cast<std::uint64_t>(number_in(*value, "optime"));
  }
  return Lsn(bytes);
}

}  // namespace

// By the store's own keys, not by what anybody made of them.
bool Checks::mode_is_on() const {
  const auto config = value_of(cluster_, "config");
  const auto* mode = config.find("synchronous_mode");
  if (mode == nullptr || config.find("standby_cluster") != nullptr) return false;
  const auto* text = mode->as_string();
  return text != nullptr ? *text == "on" || *text == "quorum" : mode->truthy();
}

void Checks::look_at_keys() {
  const auto& state = cluster_.etcd().state();
  const auto& events = state.events();
  auto at = std::ranges::upper_bound(events, seen_, {},
                                     [](const auto& event) { return event.kv.mod_revision; });
  seen_ = state.revision();
  for (; at != events.end(); ++at) {
    if (at->kv.key == prefix + "leader") {
      if (at->deleted) leader_is_gone(at->kv.mod_revision);
      leader_ = at->deleted ? std::string() : at->kv.value;
      if (!at->deleted) election_.taken_back = reign_.lease == at->kv.lease;
      if (!at->deleted) reign_ = {at->kv.lease, at->kv.create_revision};
      if (!at->deleted && at->kv.mod_revision == at->kv.create_revision) leader_is_there(leader_);
    } else if (at->kv.key == prefix + "status" && !at->deleted) {
      status_is_written(at->kv.value);
    } else if (at->kv.key == prefix + "sync") {
      sync_names(text_in(value_of(cluster_, "sync"), "leader"));
    } else if (at->kv.key == prefix + "config") {
      mode_is_on_ = mode_is_on();
      if (!mode_is_on_) election_.mode_was_off = true;
      const bool now_paused = contains(at->kv.value, "\"pause\":true");
      if (paused_ && !now_paused) paused_at_ = cluster_.world().now();
      paused_ = now_paused;
      follows_remote(contains(at->kv.value, "\"standby_cluster\":{"));
    }
  }
}

// A lock ends with its lease, or by its holder's own word about this very reign (safety 1.2).
void Checks::look_at_end_of_reign(const Node& node) {
  const auto now = cluster_.world().now();
  const auto* loop = node.agent.loop();
  if (erased_at_ == now || !cluster_.etcd().state().lease_end(reign_.lease) || loop == nullptr) {
    return;
  }
  const auto& lock = loop->observation().lock;
  const bool holds = lock.reign && lock.reign->create_revision == reign_.create_revision &&
                     node.clock.now() < lock.until;
  if (holds && !gives_away(*loop)) violate("a lock was taken from its holder", node.name());
}

// Given away for a switchover: the marked release, while the request is still there.
void Checks::leader_is_gone(Revision revision) {
  hand_over_.reset();
  auto* old = cluster_.find(leader_);
  if (old != nullptr) look_at_end_of_reign(*old);
  const auto* request = cluster_.key("failover");
  const bool requested =
      request != nullptr && contains(request->value, "\"leader\":\"" + leader_ + "\"");
  if (old == nullptr || !requested) return;
  const auto* member = cluster_.key("members/" + leader_);
  const bool marked = member != nullptr && member->mod_revision == revision &&
                      contains(member->value, "\"role\":\"demoted\"");
  const bool clean = old->server.data().state == ControlState::shut_down;
  if (marked && clean && !standby_cluster_) {
    hand_over_ = HandOver{leader_, old->server.data().wal, cluster_.world().now()};
  }
}

void Checks::leader_is_there(const std::string& name) {
  const auto sync = value_of(cluster_, "sync");
  const auto failover = value_of(cluster_, "failover");
  const auto standbys = "," + text_in(sync, "sync_standby") + ",";
  const bool listed = text_in(sync, "leader") == name || contains(standbys, "," + name + ",");
  if (election_.taken_back && election_.leader == name) return;  // what was true of it still is
  election_.leader = name;
  election_.mode_was_off = false;
  election_.synchronous = mode_is_on() && !sync_leader_.empty();
  election_.by_hand = text_in(failover, "leader").empty() && text_in(failover, "member") == name;
  election_.any_lag = text_in(failover, "leader").empty() && !text_in(failover, "member").empty();
  election_.elected = listed && number_in(sync, "quorum") == 0;
  look_at_identity(name);
  auto* node = cluster_.find(name);
  if (node != nullptr) look_at_storage_of(*node);
  if (node != nullptr && on_lock_taken) on_lock_taken(*node);
}

void Checks::status_is_written(const std::string& value) {
  // Who takes the lock writes it once more as it is.
  if (std::exchange(status_, value) == value) return;
  const auto optime = optime_of(value);
  const auto* node = cluster_.find(leader_);
  if (node == nullptr) return;
  const auto& all = cluster_.records();
  const auto& records = node->server.data().wal.records;
  const auto end =
      std::ranges::upper_bound(records, optime, {}, [&](RecordId id) { return all[id].end; });
  if (end != records.begin()) published_ = *std::prev(end);
}

// From then on a manual failover to a node without all writes stands, even if that node is not
// promoted any more: those that `/sync` lists are elected by what it has (seeds 10500780,
// 10605329).
void Checks::sync_names(const std::string& leader) {
  const bool ordered = leader != sync_leader_ && election_.leader == leader && !bound(election_);
  sync_leader_ = leader;
  const auto* node = cluster_.find(leader);
  if (ordered && election_.by_hand && node != nullptr) give_up_rows(*node, false);
}

// ---- Promotions and rows ---------------------------------------------------------------------

void Checks::promoted(Node& node) {
  ++promotions_;
  const auto& wal = node.server.data().wal;
  // A machine that was frozen in the middle of a promotion finishes it before its guard is
  // scheduled: nobody takes it for the new leader, and nothing is lost by it.
  if (exempt(watched(node)) && leader_ != node.name()) return;
  cluster_.world().tell(node.name(), "pg: out of recovery on timeline {} at {}",
                        wal.timeline.value(), to_text(wal.history.back().switch_lsn));
  const auto election = election_.leader == node.name() ? election_ : Election{};
  // Emptied while the mode was off, it binds nobody (seed 10602273).
  const bool emptied = election.mode_was_off && sync_leader_.empty();
  const bool named = sync_leader_ == node.name() || emptied;
  if (election.synchronous && mode_is_on_ && !named && !paused_lately()) {
    violate("promoted before /sync names it", node.name() + ", /sync names " + sync_leader_);
  }
  if (node.agent.tags().nofailover() && !paused_lately()) {
    violate("promoted in spite of nofailover", node.name());
  }
  const bool reserved = hand_over_ && !election.by_hand &&
                        cluster_.world().now() < hand_over_->at + cluster_.options().timing.ttl;
  if (reserved) {
    ++hand_overs_;
    if (!hand_over_->wal.is_prefix_of(wal)) {
      violate("a switchover lost writes",
              format_text("{} took over from {}", node.name(), hand_over_->from));
    }
  } else if (!election.any_lag && !paused_lately()) {
    look_at_lag(node);
  }
  forget_published_beyond(wal);
  hand_over_.reset();
  last_promoted_ = &node;
  give_up_rows(node, bound(election) && !paused_lately());
}

// It may lose no synchronous commit.
bool Checks::bound(const Election& election) {
  return election.synchronous && (!election.by_hand || election.elected);
}

// What was published and a new leader lacks is lost by that, and not by who leads next.
void Checks::forget_published_beyond(const Wal& wal) {
  if (published_) published_ = last_common(*published_, wal);
}

RecordId Checks::last_common(RecordId id, const Wal& wal) const {
  const auto& all = cluster_.records();
  while (all[id].index > 0 && !wal.has(id, all)) id = all[id].previous;
  return id;
}

// A failover loses no more of what `/status` spoke of than it may.
void Checks::look_at_lag(const Node& node) {
  if (!published_) return;
  const auto* loop = node.agent.loop();
  const auto& all = cluster_.records();
  const auto common = last_common(*published_, node.server.data().wal);
  const auto behind = all[*published_].end.value() - all[common].end.value();
  if (loop == nullptr || behind <= static_cast<std::uint64_t>(
                                       loop->observation().cluster->lag_bytes_max_on_failover)) {
    return;
  }
  violate("a failover to a node too far behind",
          format_text("{} lacks {} bytes that /status spoke of", node.name(), behind));
}

// Who has a cluster follow a remote one gives up what it has written for itself.
void Checks::follows_remote(bool follows) {
  if (follows && !standby_cluster_) {
    standby_since_ = cluster_.world().now();
    for (auto& row : clients_.rows()) row.given_up = true;
    published_.reset();
    hand_over_.reset();
  }
  standby_cluster_ = follows;
}

// What the new leader has not received is lost: counted where that is allowed.
void Checks::give_up_rows(const Node& node, bool synchronous) {
  const auto& all = cluster_.records();
  const auto& wal = node.server.data().wal;
  for (auto& row : clients_.rows()) {
    if (!row.committed || row.given_up || wal.has(row.record, all)) continue;
    row.given_up = true;
    row.forbidden = synchronous && row.synchronous;
    if (row.released) row_released(row);
  }
}

void Checks::row_committed(Row& row) {
  row.given_up = standby_cluster_ || (last_promoted_ != nullptr && row.node != last_promoted_);
  // Nobody could stop a server whose agent and guard are both frozen. When its lease has ended,
  // who votes for another may go on confirming its commits until it follows that one.
  const bool unstoppable = !row.node->watched() && leader_ != row.node->name();
  row.synchronous = row.strict && mode_is_on_ && sync_leader_ == row.node->name() && !unstoppable;
  row.forbidden = row.given_up && row.synchronous && !paused_lately();
}

// Safety 7: none may be lost.
void Checks::row_released(const Row& row) {
  if (!row.forbidden || !row.synchronous) return;
  violate("a synchronous commit was lost",
          format_text("row {} of {} at {}", cluster_.records()[row.record].row, row.node->name(),
                      to_text(cluster_.records()[row.record].end)));
}

void Checks::look_at_rows() {
  auto* primary = cluster_.primary();
  if (primary == nullptr) return;
  const auto& wal = primary->server.data().wal;
  for (std::size_t number = 1; number < clients_.rows().size(); ++number) {
    const auto& row = clients_.rows()[number];
    if (!row.committed || !row.acknowledged) continue;
    ++acknowledged_;
    if (wal.has(row.record, cluster_.records())) continue;
    ++lost_;
    if (!row.given_up) {
      return violate("an acknowledged row vanished", format_text("row {}", number));
    }
  }
}

}  // namespace tanist::sim

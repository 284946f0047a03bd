// SPDX-License-Identifier: Apache-2.0
// What each event means for the observation. Pure; one thread.
#include <algorithm>

#include "agent/loop/loop.h"
#include "base/format.h"
#include "core/local_server.h"
#include "core/permanent_slots.h"

namespace tanist::agent {

namespace {

// The store's trouble is logged at most this often.
constexpr Duration trouble_interval = seconds(5);

// An election of etcd's leader (ET) may swallow a renewal, and then restores nothing of the lease
// before a second ET has passed: a shorter lease ends while its holder is well (safety 1.6). 0 =
// not known yet.
seconds smallest_safe_ttl(const Timing& timing, Duration election_timeout) {
  constexpr Duration fencing = milliseconds(1300);
  const auto renewal = std::min(Duration(timing.loop_wait), Duration(timing.ttl) / 6);
  if (election_timeout == Duration(0)) return seconds(0);
  return std::chrono::ceil<seconds>(renewal + 2 * election_timeout + fencing);
}

std::string unsafe_ttl_text(seconds ttl, Duration election_timeout, seconds safe) {
  return format_text(
      "ttl {} is not safe beside an election timeout of etcd of {} ms: {} is used. Remedy: set ttl "
      "to that, or etcd's heartbeat-interval to 50 and election-timeout to 500",
      ttl.count(), in_milliseconds(election_timeout), safe.count());
}

template <class T>
Revision revision_of(const std::optional<T>& key) {
  return key ? key->revision : Revision(0);
}

// By how much a view differs from the one before.
enum class Difference {
  positions,  // which count for slots only, and those are looked at once a cycle (safety 4)
  details,    // worth a decision
  standing,   // worth a cycle
};

// Of a member, what is worth a cycle.
bool same_standing(const MemberView& a, const MemberView& b) {
  return a.state == b.state && a.role == b.role && a.tags == b.tags && a.conn_url == b.conn_url &&
         a.api_url == b.api_url && a.checkpoint_pending == b.checkpoint_pending &&
         a.timeline == b.timeline && a.paused == b.paused;
}

Difference difference_of(const MemberView& a, const MemberView& b) {
  if (a.revision == b.revision) return Difference::positions;
  if (!same_standing(a, b)) return Difference::standing;
  return a.replication_state == b.replication_state ? Difference::positions : Difference::details;
}

Difference difference_of_members(const ClusterView& a, const ClusterView& b) {
  if (a.members.size() != b.members.size()) return Difference::standing;
  auto most = Difference::positions;
  for (auto x = a.members.begin(), y = b.members.begin(); x != a.members.end(); ++x, ++y) {
    if (x->first != y->first) return Difference::standing;
    most = std::max(most, difference_of(x->second, y->second));
  }
  return most;
}

bool same_but_for_positions(const std::optional<StatusView>& a,
                            const std::optional<StatusView>& b) {
  if (!a || !b) return !a && !b;
  return a->timeline == b->timeline && a->retain_slots == b->retain_slots;
}

Difference difference_of(const ClusterView& a, const ClusterView& b) {
  const auto leader = [](const ClusterView& view) {
    return view.leader ? view.leader->create_revision : Revision(0);
  };
  const bool same_keys = leader(a) == leader(b) && revision_of(a.config) == revision_of(b.config) &&
                         revision_of(a.failover) == revision_of(b.failover) &&
                         revision_of(a.sync) == revision_of(b.sync) &&
                         revision_of(a.initialize) == revision_of(b.initialize);
  if (!same_keys) return Difference::standing;
  const bool same_details = a.leader == b.leader &&
                            revision_of(a.history) == revision_of(b.history) &&
                            revision_of(a.failsafe) == revision_of(b.failsafe) &&
                            revision_of(a.poolers) == revision_of(b.poolers) &&
                            same_but_for_positions(a.status, b.status);
  return std::max(difference_of_members(a, b),
                  same_details ? Difference::positions : Difference::details);
}

}  // namespace

void Loop::fold(const Event& event) {
  std::visit([this](const auto& alternative) { fold(alternative); }, event);
}

void Loop::fold(const TimerFired&) {
  // Not while an observation is under way, which would be stale by that (see begin_cycle_if_due).
  if (obs_.now >= decision_wake_ && !obs_.running(Task::observe)) cycle_wanted_ = true;
}

void Loop::fold(const ViewArrived& event) {
  const auto before = obs_.store.view;
  obs_.store.view = event.view;
  obs_.store.view_at = obs_.now;
  const auto difference = before ? difference_of(*before, *event.view) : Difference::standing;
  if (difference == Difference::standing) cycle_wanted_ = true;
  is_news_ = difference != Difference::positions;
  if (!before || revision_of(before->config) != revision_of(event.view->config)) {
    const auto written = obs_.cluster->timing.ttl;
    adopt_config(*event.view);
    if (before) heed_lowered_ttl(written);
  }
  refresh_timing();
  heed_view_of_lock(*event.view);
}

// A bad document never replaces the last good one (contract dcs 4.2).
void Loop::adopt_config(const ClusterView& view) {
  if (!view.config || !view.config->valid || !view.config->value->truthy()) return;
  auto settings = cluster_settings_from(view.config->value);
  if (!settings) {
    out_.log.push_back({LineLevel::error, settings.error().message});
    return;
  }
  for (auto& warning : permanent_slot_warnings(settings->slots)) {
    out_.log.push_back({LineLevel::warning, std::move(warning)});
  }
  obs_.cluster = std::make_shared<const ClusterSettings>(std::move(*settings));
  if (obs_.config && *obs_.config == view.config->value) return;
  obs_.config = std::make_shared<const Tree>(*view.config->value);
  start(Task::adopt_config, AgentAction(AdoptConfig{*obs_.config}), Instant::max());
}

// The leader's lease may have the old ttl until it has attached another: who waits for the end of a
// lease that he cannot see waits for that (safety 6).
void Loop::heed_lowered_ttl(seconds written_before) {
  if (obs_.cluster->timing.ttl >= written_before) return;
  former_ttl_ = obs_.timing.ttl;
  former_ttl_until_ = obs_.now + Duration(former_ttl_);
}

void Loop::refresh_timing() {
  const bool neighbour =
      obs_.store.view && std::ranges::any_of(obs_.view().members, [&](const auto& entry) {
        return !entry.second.is_tanist() && entry.first != obs_.node->name;
      });
  if (neighbour) memory_.neighbour_seen_at = obs_.now;
  const bool beside_patroni =
      memory_.neighbour_seen_at && obs_.now < *memory_.neighbour_seen_at + seconds(20);
  const auto& minimum = beside_patroni ? patroni_timing_min : tanist_timing_min;
  std::vector<std::string> warnings;
  auto timing = effective_timing(obs_.cluster->timing, minimum, &warnings);
  if (const auto safe = smallest_safe_ttl(timing, obs_.store.election_timeout); timing.ttl < safe) {
    warnings.push_back(unsafe_ttl_text(timing.ttl, obs_.store.election_timeout, safe));
    timing.ttl = safe;
  }
  if (obs_.now < former_ttl_until_ && !obs_.lock.reign) {
    timing.ttl = std::max(timing.ttl, former_ttl_);
  }
  if (timing == obs_.timing) return;
  obs_.timing = timing;
  cycle_wanted_ = true;
  for (auto& warning : warnings) out_.log.push_back({LineLevel::warning, std::move(warning)});
}

void Loop::fold(const HealthChanged& event) {
  const bool was_current = obs_.store.current;
  obs_.store.current = event.health.view_current;
  if (was_current && !obs_.store.current) obs_.store.doubtful_since = obs_.now;
  if (was_current != obs_.store.current) cycle_wanted_ = true;
  if (obs_.store.election_timeout != event.health.election_timeout) {
    obs_.store.election_timeout = event.health.election_timeout;
    refresh_timing();
  }
  for (const auto& warning : event.health.warnings) {
    out_.log.push_back({LineLevel::warning, warning});
  }
  const bool said = trouble_said_at_ != Instant() && obs_.now < trouble_said_at_ + trouble_interval;
  if (event.health.trouble.empty() || said) return;
  trouble_said_at_ = obs_.now;
  out_.log.push_back({LineLevel::error,
                      "Can not get cluster from dcs: " + event.health.trouble +
                          ". It is tried again. Remedy: see that etcd runs and that section etcd3 "
                          "(hosts, protocol, cacert, cert, key) fits it"});
}

void Loop::fold(const RenewalUnanswered&) {
  obs_.lock.unanswered = obs_.holds_lock();
  cycle_wanted_ = true;
}

void Loop::fold(const EffectFinished& event) {
  const auto at = running_.find(event.id);
  if (at == running_.end()) return;  // forgotten
  const auto task = at->second.task;
  running_.erase(at);
  obs_.in_flight.erase(task);
  if (const auto* store = std::get_if<StoreResult>(&event.result)) {
    fold_store_result(task, *store);
  } else if (const auto* server = std::get_if<ServerResult>(&event.result)) {
    fold_server_result(task, *server);
  } else {
    obs_.ends[task] = {
        .ok = true, .verdict = StoreVerdict::done, .error = {}, .at = obs_.now, .revision = {}};
    fold_peers(std::get<PeerRound>(event.result));
  }
}

void Loop::fold_peers(const PeerRound& round) {
  const auto asked_at = obs_.peers.asked_at;
  obs_.peers = round;
  obs_.peers.asked_at = asked_at;
  obs_.peers.complete = true;
}

void Loop::fold_server_result(Task task, const ServerResult& result) {
  obs_.ends[task] = {.ok = result.ok,
                     .verdict = StoreVerdict::done,
                     .error = result.error,
                     .at = obs_.now,
                     .revision = {}};
  switch (task) {
    case Task::observe:
      if (result.facts) fold_facts(*result.facts);
      return;
    case Task::server:
      obs_.local.job_result = result;
      end_stop();
      cycle_wanted_ = true;
      return;
    case Task::fence:
      end_stop();
      cycle_wanted_ = true;
      return;
    case Task::compare_goal:
      if (obs_.local.comparison) {
        obs_.local.comparison->difference = result.difference.value_or(GoalDifference::unknown);
        obs_.local.comparison->at = obs_.now;
      }
      return;
    case Task::examine_divergence:
      if (obs_.local.divergence) {
        obs_.local.divergence->facts = result.divergence.value_or(DivergenceFacts{});
        if (!result.ok) obs_.local.divergence->facts.error = result.error;
        obs_.local.divergence->at = obs_.now;
      }
      return;
    case Task::read_history:
      obs_.local.history = result.history;
      if (!result.ok) obs_.local.history_timeline = Timeline();
      return;
    case Task::ask_failsafe: return fold_consent(result.ok);
    case Task::locate_shutdown: obs_.local.shutdown_location = result; return;
    case Task::observe_leader_slots: obs_.local.leader_slots = result.slots; return;
    default: return;
  }
}

// The stop may end before its process is heard to: what is past its safe point stays that.
void Loop::end_stop() {
  auto& progress = obs_.local.stop_progress;
  if (!progress || !progress->safe_point || !server_alive(obs_)) progress.reset();
}

void Loop::fold_facts(const ServerFacts& facts) {
  const auto control = obs_.local.server.control;
  const bool silent = facts.postmaster && !facts.query && facts.readiness != Readiness::rejecting;
  if (silent && memory_.state == ServerState::running) {
    out_.log.push_back({LineLevel::warning,
                        "Failed to determine PostgreSQL state from the connection, falling back to "
                        "cached role"});
  }
  obs_.local.server = facts;
  // pg_control is read when something needs it; the last reading of a living server still tells
  // identity and checksums.
  const bool still_true = facts.postmaster && facts.data == DataDirectory::present;
  if (!facts.control && still_true) obs_.local.server.control = control;
}

void Loop::fold(const PostmasterStarted& event) {
  obs_.local.server.postmaster = event.process;
  obs_.local.server.query.reset();
  obs_.local.stop_progress.reset();
  obs_.local.shutdown_location.reset();
  // Its data may have been rewound or copied since, and a timeline of the same number be another.
  obs_.local.history_timeline = Timeline();
  obs_.local.divergence.reset();
}

void Loop::fold(const PostmasterExited& event) {
  auto& server = obs_.local.server;
  if (server.postmaster && *server.postmaster != event.process) return;
  server.postmaster.reset();
  server.query.reset();
  server.readiness = Readiness::no_answer;
  server.control.reset();
  obs_.local.stop_progress.reset();
  obs_.local.comparison.reset();
  cycle_wanted_ = true;
}

void Loop::fold(const StopProgressed& event) {
  obs_.local.stop_progress = event.progress;
  // Nothing of a fenced server runs any more, though a hung disk may keep its processes for long
  // (safety 2.3): what it said last is over, and is not published as if it were a primary.
  if (event.progress.safe_point && obs_.running(Task::fence)) {
    obs_.local.server.query.reset();
    obs_.local.server.readiness = Readiness::no_answer;
    memory_.role = Role::demoted;
  }
}

void Loop::fold(const ApiRequested& event) {
  PendingRequest pending;
  pending.request = event.request;
  pending.arrived_at = obs_.now;
  memory_.requests.push_back(std::move(pending));
}

void Loop::fold(const SettingsChanged& event) {
  obs_.node = event.node;
  memory_.reload = std::max(memory_.reload, event.reload);
  cycle_wanted_ = true;
}

void Loop::fold(const GuardChanged& event) {
  if (obs_.local.guard != event.state) cycle_wanted_ = true;
  obs_.local.guard = event.state;
}

// The device was told of the renewal: the guard may wait longer by that (safety 2.8).
void Loop::fold(const WatchdogChanged& event) {
  if (obs_.local.watchdog.state != event.facts.state) cycle_wanted_ = true;
  obs_.local.watchdog = event.facts;
  arm_guard();
}

void Loop::fold(const StorageObserved& event) {
  if (obs_.local.storage.state != event.storage.state) cycle_wanted_ = true;
  obs_.local.storage = event.storage;
}

void Loop::fold(const CopyProgressed& event) { obs_.local.copy_progress = event.progress; }

void Loop::fold(const ShutdownRequested&) {
  obs_.shutdown_requested = true;
  cycle_wanted_ = true;
}

void Loop::fold(const ReloadRequested&) {
  start(Task::reload_settings, AgentAction(ReloadSettings{}), obs_.now + seconds(30));
}

}  // namespace tanist::agent

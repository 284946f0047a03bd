// SPDX-License-Identifier: Apache-2.0
// The world around the loop: answers of routine, and the telling of what happened.
#include "world.h"

#include "base/format.h"
#include "base/time.h"
#include "core/status_document.h"
#include "effect_text.h"

namespace tanist::scenarios {

namespace {

constexpr WallTime began{std::chrono::microseconds(1'790'000'000'000'000)};

bool is_answered_at_once(Task task) {
  switch (task) {
    case Task::keep_lease:
    case Task::keep_lock:
    case Task::put_member:
    case Task::ask_lease:
    case Task::read_cluster:
    case Task::observe:
    case Task::compare_goal:
    case Task::examine_divergence:
    case Task::checkpoint:
    case Task::resume_replay:
    case Task::wake_receiver:
    case Task::read_history:
    case Task::locate_shutdown:
    case Task::change_slots:
    case Task::ask_peers:
    case Task::probe_namesake:
    case Task::adopt_config:
    case Task::reload_settings:
    case Task::start_api: return true;
    default: return false;
  }
}

// Of these, what a reader wants to see nevertheless.
bool is_worth_a_line(Task task) {
  return !is_answered_at_once(task) || task == Task::resume_replay || task == Task::wake_receiver ||
         task == Task::examine_divergence;
}

}  // namespace

WallTime World::wall() const {
  const auto passed = now_ - Instant(seconds(1000));
  return began + std::chrono::duration_cast<std::chrono::microseconds>(passed);
}

MemberView& World::member(const std::string& name) {
  auto& entry = view.members[MemberName(name)];
  if (!entry.name.value().empty()) return entry;
  entry.name = MemberName(name);
  entry.conn_url = "postgres://" + name + ".test:5432/postgres";
  entry.api_url = api_of(name);
  entry.state = ServerState::running;
  entry.role = Role::replica;
  entry.version = "4.1.4";
  entry.tanist_version = "0.1.0";
  entry.timeline = Timeline(1);
  entry.revision = next_revision();
  return entry;
}

// ---- Time and events -------------------------------------------------------------------------

void World::begin() {
  if (adopted) {
    start.adoption = agent::Adoption{Reign{view.leader->lease, view.leader->create_revision},
                                     now_ + seconds(20), true};
  }
  auto made = agent::Loop::make(start, now_);
  TANIST_REQUIRE(made.has_value());
  loop_ = std::move(*made);
  wake_at_ = now_;
  run(Duration(0));
}

void World::tell_changes() {
  if (told_current_ != store_current) {
    told_current_ = store_current;
    StoreHealth health;
    health.view_current = store_current;
    waiting_.emplace_back(agent::HealthChanged{health});
  }
  if (store_current && (!view_told_ || view != told_view_)) {
    view.revision = next_revision();
    told_view_ = view;
    view_told_ = true;
    waiting_.emplace_back(agent::ViewArrived{std::make_shared<const ClusterView>(view)});
  }
  if (told_postmaster_ == server.postmaster) return;
  if (told_postmaster_) waiting_.emplace_back(agent::PostmasterExited{*told_postmaster_});
  if (server.postmaster) waiting_.emplace_back(agent::PostmasterStarted{*server.postmaster});
  told_postmaster_ = server.postmaster;
}

void World::step(const agent::Event& event) {
  const auto effects = loop_->step(event, now_, wall());
  wake_at_ = effects.wake_at;
  carry_out(effects);
}

void World::deliver(const agent::Event& event) {
  tell_changes();
  waiting_.push_back(event);
  run(Duration(0));
}

void World::run(Duration time) {
  // At least so long that what was told has led to whatever it leads to.
  const auto end = now_ + std::max<Duration>(time, milliseconds(100));
  tell_changes();
  int steps_left = 3000;
  while (!ended_) {
    if (--steps_left == 0) return line("ERROR: the loop spins");
    if (!later_.empty() && later_.front().first <= now_) {
      waiting_.push_back(later_.front().second);
      later_.erase(later_.begin());
    }
    if (!waiting_.empty()) {
      const auto event = waiting_.front();
      waiting_.erase(waiting_.begin());
      now_ += milliseconds(1);
      step(event);
    } else if (!later_.empty() && later_.front().first <= std::min(end, wake_at_)) {
      now_ = later_.front().first;
    } else if (wake_at_ <= end) {
      now_ = std::max(now_, wake_at_);
      step(agent::TimerFired{});
    } else {
      break;
    }
  }
  now_ = std::max(now_, end);
}

// ---- What the loop ordered -------------------------------------------------------------------

void World::line(const std::string& text) { output_ += text + "\n"; }

void World::tell_status() {
  tell_changes();
  const auto status = make_status(loop_->observation(), loop_->memory());
  const auto report = peer_report_from(MemberName("peer"), status.document);
  line(format_text("  REST tells: {}, {}; {}", report.role, report.state,
                   report.is_primary  ? "a primary"
                   : report.reachable ? "a standby"
                                      : "no position"));
}

std::string World::take_output() { return std::exchange(output_, {}); }

void World::tell_lines(const agent::Effects& effects) {
  const auto& why = loop_->why();
  const auto reason = std::string(name_of(why.reason));
  reasons_.insert(reason);
  // Looking at the server anew is no news; what comes of it is.
  if (why.reason != Reason::observing && reason != last_reason_) {
    line(reason);
    last_reason_ = reason;
  }
  for (const auto& said : effects.log) {
    if (said.text.starts_with("Lock owner: ") || said.text == last_line_) continue;
    last_line_ = said.text;
    line(format_text("  {} {}", name_of(said.level), said.text));
  }
}

void World::carry_out(const agent::Effects& effects) {
  tell_lines(effects);
  for (const auto& order : effects.guard) obey(order);
  for (const auto& id : effects.cancel) {
    const auto open =
        std::ranges::find_if(open_, [&](const auto& entry) { return entry.second.id == id; });
    if (open == open_.end()) continue;
    line("  cancelled: " + effect_text(open->second));
    waiting_.emplace_back(agent::EffectFinished{id, ServerResult{.error = "it was cancelled"}});
    open_.erase(open);
  }
  for (const auto& effect : effects.start) begin_effect(effect);
  for (const auto& callback : effects.callbacks) {
    line(format_text("  callback: {} {}", callback.event, name_of(callback.role)));
  }
  for (const auto& reply : effects.replies) {
    line(format_text("  reply: {} {}", reply.status, reply.body));
  }
  if (!effects.exit) return;
  line(format_text("  the agent ends: {}", *effects.exit));
  ended_ = true;
}

// The guard does as it is told, at once.
void World::obey(const GuardOrder& order) {
  const auto known = loop_->observation().local.guard;
  if (known == GuardState::absent) return;
  const auto state = order.what == GuardOrder::What::arm ? GuardState::armed : GuardState::disarmed;
  const bool says = state != known || order.what == GuardOrder::What::announce_standby;
  if (says) line("  guard: " + guard_text(order));
  if (state != known) waiting_.emplace_back(agent::GuardChanged{state});
}

void World::begin_effect(const agent::Effect& effect) {
  if (is_worth_a_line(effect.task)) line("  " + effect_text(effect));
  if (answers_itself(effect)) return;
  open_.insert_or_assign(effect.task, effect);
}

bool World::answers_itself(const agent::Effect& effect) {
  if (!is_answered_at_once(effect.task)) return false;
  if (const auto* agent = std::get_if<AgentAction>(&effect.body)) {
    if (const auto* ask = std::get_if<AskPeers>(agent)) {
      waiting_.emplace_back(agent::EffectFinished{effect.id, peer_answer(*ask)});
      return true;
    }
    ServerResult result{.ok = true};
    if (std::holds_alternative<ProbeNamesake>(*agent)) result.ok = namesake_answers;
    waiting_.emplace_back(agent::EffectFinished{effect.id, result});
    return true;
  }
  if (auto result = store_answer(effect)) {
    if (effect.task == Task::ask_lease) {
      later_.emplace_back(now_ + milliseconds(300), agent::EffectFinished{effect.id, *result});
      return true;
    }
    waiting_.emplace_back(agent::EffectFinished{effect.id, std::move(*result)});
    return true;
  }
  if (auto result = server_answer(effect)) {
    waiting_.emplace_back(agent::EffectFinished{effect.id, std::move(*result)});
    return true;
  }
  return std::holds_alternative<StoreAction>(effect.body);  // a silent store: never answered
}

PeerRound World::peer_answer(const AskPeers& ask) const {
  PeerRound round{.number = ask.round, .asked_at = now_, .complete = true, .reports = {}};
  for (const auto& peer : ask.peers) {
    const auto known = peers.find(peer.member);
    PeerReport report;
    if (known != peers.end()) report = known->second;
    report.name = peer.member;
    round.reports.push_back(report);
  }
  return round;
}

StoreResult World::lock_taken() {
  const auto& me = start.node.name;
  StoreResult result{.verdict = StoreVerdict::done};
  view.leader = LeaderView{me, next_revision(), Revision(revision_), lease_};
  view.lost_leader.reset();
  result.reign = view.leader->reign();
  result.sent_at = now_;
  result.lease_until = now_ + loop_->observation().timing.ttl;
  result.lease = lease_;
  return result;
}

std::optional<StoreResult> World::store_answer(const agent::Effect& effect) {
  const auto* action = std::get_if<StoreAction>(&effect.body);
  if (action == nullptr || renewals == Renewals::silent) return std::nullopt;
  StoreResult result{.verdict = StoreVerdict::done};
  result.lease = lease_;
  result.sent_at = now_;
  result.lease_until = now_ + loop_->observation().timing.ttl;
  if (const auto* keep = std::get_if<KeepLock>(action)) {
    if (renewals == Renewals::refused) {
      result.verdict = StoreVerdict::refused;
      result.holder = view.leader;
      result.lease_gone = true;
    }
    result.reign = keep->reign;
  } else if (std::holds_alternative<AskLease>(*action) && !lease_is_gone) {
    result.verdict = StoreVerdict::refused;
  } else if (std::holds_alternative<ReadCluster>(*action)) {
    result.view = std::make_shared<const ClusterView>(view);
  }
  return result;
}

std::optional<ServerResult> World::server_answer(const agent::Effect& effect) {
  const auto* action = std::get_if<ServerAction>(&effect.body);
  if (action == nullptr) return std::nullopt;
  ServerResult result{.ok = true};
  switch (effect.task) {
    case Task::observe: {
      auto facts = server;
      facts.observed_at = now_;
      result.facts = std::make_shared<const ServerFacts>(std::move(facts));
      return result;
    }
    case Task::compare_goal: result.difference = difference; return result;
    case Task::examine_divergence: result.divergence = divergence; return result;
    case Task::read_history: result.history = history_file; return result;
    case Task::locate_shutdown:
      result.shutdown_checkpoint = Lsn(0x6000);
      result.shutdown_previous = Lsn(0x6000);
      result.shutdown_timeline = Timeline(1);
      result.shutdown_end = Lsn(0x6070);
      return result;
    default: return result;
  }
}

bool World::answer(Task task, StoreResult result) {
  const auto open = open_.find(task);
  if (open == open_.end()) return false;
  const auto id = open->second.id;
  open_.erase(open);
  deliver(agent::EffectFinished{id, std::move(result)});
  return true;
}

bool World::answer(Task task, ServerResult result) {
  const auto open = open_.find(task);
  if (open == open_.end()) return false;
  const auto id = open->second.id;
  open_.erase(open);
  deliver(agent::EffectFinished{id, std::move(result)});
  return true;
}

}  // namespace tanist::scenarios

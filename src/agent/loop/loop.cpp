// SPDX-License-Identifier: Apache-2.0
// The step: fold, tend the lease, decide, order, publish. Pure; one thread.
#include "agent/loop/loop.h"

#include <algorithm>

#include "base/assert.h"
#include "core/local_server.h"
#include "core/published_values.h"
#include "core/status_document.h"
#include "core/status_line.h"

namespace tanist::agent {

namespace {

// Cycles are at least this far apart, except for fencing (safety 4).
constexpr Duration cycle_interval_min = milliseconds(20);
// The soonest that the driver is asked to come back.
constexpr Duration wake_interval_min = milliseconds(1);

}  // namespace

Result<Loop> Loop::make(LoopStart start, Instant now) {
  auto settings = cluster_settings_from(start.config.is_map() ? start.config : Tree::map());
  if (!settings) return pass_on(settings.error(), "dynamic configuration");
  return Loop(std::move(start), std::move(*settings), now);
}

Loop::Loop(LoopStart start, ClusterSettings settings, Instant now) {
  obs_.now = now;
  obs_.node = std::make_shared<const NodeSettings>(std::move(start.node));
  obs_.cluster = std::make_shared<const ClusterSettings>(std::move(settings));
  obs_.config = std::make_shared<const Tree>(std::move(start.config));
  obs_.timing = effective_timing(obs_.cluster->timing, tanist_timing_min, nullptr);
  obs_.local.guard = start.guard;
  obs_.store.doubtful_since = now;
  memory_.state_since = now;
  if (start.adoption) {
    obs_.lock.adopting = start.adoption->reign;
    obs_.lock.until = start.adoption->until;
    // Recorded as primary: should it turn out dead while the lock holds, it is a crashed primary.
    memory_.role = start.adoption->was_primary ? Role::primary : Role::replica;
    memory_.state = ServerState::running;
  }
  obs_.memory = std::make_shared<const Memory>(memory_);  // the first step may lose the lock
  next_keep_ = now;
  obs_.cycle_began = now;
  obs_.next_cycle = now;
}

Effects Loop::step(const Event& event, Instant now, WallTime wall) {
  out_ = Effects{};
  obs_.now = std::max(obs_.now, now);
  obs_.wall = wall;
  is_news_ = true;
  fold(event);
  if (former_ttl_until_ != Instant() && obs_.now >= former_ttl_until_) {
    former_ttl_until_ = Instant();
    refresh_timing();
  }
  if (!server_alive(obs_)) obs_.lock.lost = false;
  tend_lease();
  begin_cycle_if_due();
  if (decides()) {
    make_decision();
    publish_member();
  }
  receiving_.look(obs_);
  const auto soonest = obs_.now + wake_interval_min;
  auto wake = std::min(decision_wake_, obs_.next_cycle);
  // A keeping that is overdue because the one before is under way begins when that one ends.
  if (!is_keeping()) wake = std::min(wake, next_keep_);
  if (obs_.lock.reign || obs_.lock.adopting) wake = std::min(wake, obs_.lock.until);
  if (former_ttl_until_ != Instant()) wake = std::min(wake, former_ttl_until_);
  if (cycle_wanted_) wake = std::min(wake, obs_.cycle_began + cycle_interval_min);
  out_.wake_at = std::max(wake, soonest);
  TANIST_REQUIRE(out_.wake_at > now);
  return std::move(out_);
}

// While somebody leads and nothing is under way or asked for, a position that moved or a renewal as
// always changes no decision: others' positions count for slots only, which are looked at once a
// cycle. What memory keeps of the view (`locked_view`) may be older by positions then; nobody looks
// for them there.
bool Loop::decides() const {
  const bool due = cycle_wanted_ || obs_.cycle_began == obs_.now || obs_.now >= decision_wake_;
  const bool busy = memory_.job || !memory_.requests.empty() || memory_.bootstrapping ||
                    obs_.shutdown_requested || obs_.running(Task::fence);
  return is_news_ || due || busy || !obs_.store.view || !obs_.view().locked() ||
         obs_.view().failover;
}

void Loop::make_decision() {
  obs_.memory = std::make_shared<const Memory>(std::move(memory_));  // the decision brings the next
  auto decision = decide(obs_);
  tell_news(decision);
  carry_out(std::move(decision));
}

void Loop::begin_cycle_if_due() {
  const Duration loop_wait = obs_.timing.loop_wait;
  if (obs_.now >= obs_.next_cycle) {
    // An observation that is under way serves the routine cycle, too: of a server that hangs it
    // takes longer than a short loop_wait, and would never be fresh.
    cycle_wanted_ = cycle_wanted_ || !obs_.running(Task::observe);
    line_due_ = true;
    said_.clear();
    obs_.next_cycle += loop_wait;
    if (obs_.next_cycle <= obs_.now) {
      out_.log.push_back({LineLevel::warning, "Loop time exceeded, rescheduling immediately."});
      obs_.next_cycle = obs_.now + loop_wait;
    }
  }
  if (!cycle_wanted_ || obs_.now < obs_.cycle_began + cycle_interval_min) return;
  cycle_wanted_ = false;
  obs_.cycle_began = obs_.now;
}

void Loop::start(Task task, decltype(Effect::body) body, Instant until) {
  if (obs_.in_flight.contains(task)) return;
  const EffectId id(++last_effect_);
  running_.emplace(id, Running{task, until});
  obs_.in_flight.insert(task);
  if (task == Task::server) obs_.local.job_result.reset();
  if (const auto* server = std::get_if<ServerAction>(&body)) {
    if (const auto* compare = std::get_if<CompareGoal>(server)) {
      obs_.local.comparison = GoalComparison{compare->goal, GoalDifference::unknown, Instant()};
    } else if (const auto* examine = std::get_if<ExamineDivergence>(server)) {
      obs_.local.divergence = DivergenceFinding{examine->leader.member, {}, Instant()};
    } else if (const auto* history = std::get_if<ReadHistory>(server)) {
      obs_.local.history_timeline = history->timeline;
    }
  } else if (const auto* agent = std::get_if<AgentAction>(&body)) {
    if (const auto* ask = std::get_if<AskPeers>(agent)) {
      obs_.peers = PeerRound{.number = ask->round, .asked_at = obs_.now};
    } else if (std::holds_alternative<AskFailsafe>(*agent)) {
      obs_.lock.failsafe_asked_at = obs_.now;
      failsafe_ttl_ = obs_.timing.ttl;
    }
  }
  out_.start.push_back({id, task, std::move(body), until});
}

// As it is decided: carrying it out changes the observation.
void Loop::tell_news(const Decision& decision) {
  if (!news_.take(obs_, decision)) return;
  out_.news = std::make_shared<const DecisionRecord>(DecisionRecord{obs_, decision});
}

namespace {

// It orders more than to look around. Log lines and questions to others change nothing.
bool does_something(const Decision& decision) {
  return std::ranges::any_of(decision.actions, [](const Action& action) {
    if (std::holds_alternative<LogLine>(action)) return false;
    const auto* started = std::get_if<StartTask>(&action);
    return started == nullptr || !(is_routine(started->task) || started->task == Task::ask_peers ||
                                   started->task == Task::ask_lease);
  });
}

}  // namespace

// The loop comes by many times in a regular cycle, and finds the same each time. What tells of
// something that is done, or went wrong, is not held back.
bool Loop::was_said(const LogLine& line) {
  if (line.level > LineLevel::warning) return false;
  if (std::ranges::find(said_, line) != said_.end()) return true;
  said_.push_back(line);
  return false;
}

void Loop::carry_out(Decision decision) {
  memory_ = std::move(decision.next);
  decision_wake_ = decision.wake_at;
  const bool idle = !does_something(decision);
  for (const auto& action : decision.actions) {
    const auto* line = std::get_if<LogLine>(&action);
    if (line == nullptr || !idle || !was_said(*line)) order(action);
  }
  say(decision.why);
  why_ = std::move(decision.why);
}

void Loop::order(const Action& action) {
  const auto cancel_server = [this] {
    for (const auto& [id, running] : running_) {
      if (running.task == Task::server) out_.cancel.push_back(id);
    }
  };
  if (const auto* started = std::get_if<StartTask>(&action)) {
    if (started->task == Task::fence) cancel_server();
    start(started->task, started->body, started->until);
  } else if (std::holds_alternative<CancelServer>(action)) {
    cancel_server();
  } else if (const auto* guard = std::get_if<GuardOrder>(&action)) {
    out_.guard.push_back(*guard);
  } else if (const auto* callback = std::get_if<RunCallback>(&action)) {
    out_.callbacks.push_back(*callback);
  } else if (const auto* reply = std::get_if<ApiReply>(&action)) {
    out_.replies.push_back(*reply);
  } else if (const auto* line = std::get_if<LogLine>(&action)) {
    out_.log.push_back(*line);
  } else if (const auto* leave = std::get_if<Leave>(&action)) {
    out_.exit = leave->exit_code;
  }
}

// One line per regular cycle, and at once when it says something new.
void Loop::say(const Why& why) {
  const bool in_pause = paused(obs_);
  if (!line_due_ && why == last_said_ && in_pause == last_said_paused_) return;
  const auto line = status_line(why, obs_);
  if (line.text.empty()) return;
  last_said_ = why;
  last_said_paused_ = in_pause;
  if (line.text == last_line_ && !line_due_) return;
  line_due_ = false;
  last_line_ = line.text;
  const auto owner = obs_.store.view && obs_.view().locked() ? obs_.view().leader->name.value()
                                                             : std::string("None");
  out_.log.push_back(
      {LineLevel::info, "Lock owner: " + owner + "; I am " + obs_.node->name.value()});
  out_.log.insert(out_.log.end(), line.before.begin(), line.before.end());
  out_.log.push_back({line.level, line.text});
}

// The own key is written when it changed, for a position alone once per loop_wait (safety 4).
void Loop::publish_member() {
  const bool possible = memory_.namesake_checked && !obs_.shutdown_requested && obs_.store.view &&
                        obs_.store.current && obs_.store.lease != LeaseId(0) &&
                        !obs_.in_flight.contains(Task::put_member);
  if (!possible || obs_.local.server.observed_at == Instant()) return;
  auto facts = member_facts(obs_, memory_);
  const bool alike = member_written_ && same_but_for_positions(facts, *member_written_);
  const auto again = member_written_at_ + Duration(obs_.timing.loop_wait);
  // A key that ended with its lease is written again although it would say the same, and so is one
  // that an earlier write has replaced whose answer was not waited for (safety 1.3).
  const auto* shown = obs_.view().member(obs_.node->name);
  const auto put = obs_.ends.find(Task::put_member);
  const bool overtaken = shown != nullptr && put != obs_.ends.end() && put->second.ok &&
                         shown->revision > put->second.revision;
  const bool other = (shown == nullptr || overtaken) && obs_.now >= again;
  if (!other && alike && facts.positions == member_written_->positions) return;
  const bool early = obs_.now < std::min(again, member_written_at_ + seconds(10));
  if (early && (member_refused_ || alike)) return;
  auto text = text_form(member_value(facts));
  member_written_ = std::move(facts);
  member_written_at_ = obs_.now;
  start(Task::put_member, StoreAction(PutMember{std::move(text)}), obs_.now + seconds(2));
}

Status Loop::status() const {
  auto status = make_status(obs_, memory_);
  status.receiving_until = receiving_.until();
  return status;
}

}  // namespace tanist::agent

// SPDX-License-Identifier: Apache-2.0
// Events in, effects out: the same order as agent/driver.cpp and agent/perform.cpp.
#include "sim/agent.h"

#include "base/assert.h"

namespace tanist::sim {

namespace {

using agent::EffectFinished;
using std::chrono::microseconds;

std::optional<agent::Adoption> adoption_of(const Guard& guard) {
  const auto deadline = guard.deadline();
  if (!deadline || guard.reign().create_revision == Revision(0)) return std::nullopt;
  return agent::Adoption{.reign = guard.reign(), .until = *deadline, .was_primary = true};
}

}  // namespace

Agent::Agent(AgentSurroundings around, AgentSettings settings, Server& server, Guard& guard)
    : around_(std::move(around)),
      settings_(std::move(settings)),
      server_(server),
      guard_(guard),
      chance_(around_.server.world.chance().fork()),
      process_(around_.server.world),
      actions_(around_.server, around_.clock, server, guard, process_),
      config_(settings_.first_config) {
  guard_.on_change = [this] { tell_guard_state(); };
  server_.on_exit = [this](ProcessIdentity who) {
    process_.after(chance_.between(microseconds(50), milliseconds(1)), [this, who] {
      if (loop_) deliver(agent::PostmasterExited{who});
    });
  };
}

// ---- The beginning ---------------------------------------------------------------------------

void Agent::start() {
  TANIST_REQUIRE(!process_.alive());
  process_.start();
  events_.clear();
  draining_ = api_open_ = published_ = false;
  replies_.clear();
  watches_.clear();
  guard_.set_agent(&process_);
  around_.server.world.tell(name(), "agent: starts");
  process_.after(chance_.between(milliseconds(5), milliseconds(60)), [this] {
    const bool adopts = guard_.open();
    begin(adopts ? adoption_of(guard_) : std::nullopt);
  });
}

void Agent::begin(std::optional<agent::Adoption> adoption) {
  agent::LoopStart start{
      .node = settings_.node, .config = config_, .adoption = adoption, .guard = guard_.state()};
  auto loop = agent::Loop::make(std::move(start), around_.clock.now());
  TANIST_REQUIRE(loop.has_value());
  loop_.emplace(std::move(*loop));
  status_.reset();
  timer_ = Instant::max();
  ServerHooks hooks;
  hooks.started = [this](ProcessIdentity who) { deliver(agent::PostmasterStarted{who}); };
  hooks.progress = [this](const StopProgress& p) { deliver(agent::StopProgressed{p}); };
  hooks.primary_allowed = [this] { return primary_allowed(); };
  hooks.find = around_.server.find;
  actions_.begin(std::move(hooks));
  if (const auto who = server_.identity()) deliver(agent::PostmasterStarted{*who});
  StoreSettings settings;
  settings.scope = settings_.node.scope;
  settings.name = settings_.node.name;
  settings.fixed_endpoints = true;
  settings.endpoints = around_.etcd.endpoints();
  store_.emplace(
      store::MachineOptions{std::move(settings), chance_.next(), true, around_.reading.readers()});
  perform(store_->start(around_.clock.now()));
  deliver(agent::TimerFired{});
  if (server_.disk_full()) process_.after(seconds(1), [this] { look_at_storage(); });
}

void Agent::kill() {
  process_.end();
  for (auto& [id, stream] : watches_) around_.etcd.close(stream);
  watches_.clear();
  loop_.reset();
  store_.reset();
  published_ = api_open_ = false;
}

void Agent::shut_down() {
  process_.after(Duration(0), [this] {
    if (loop_) deliver(agent::ShutdownRequested{});
  });
}

void Agent::leave(std::int64_t code) {
  around_.server.world.tell(name(), "agent: leaves with code {}", code);
  if (!server_.alive()) guard_.dismiss();
  kill();
  if (on_leave) on_leave(code);
}

// As postgres/storage_watch.h: what less is free on than a segment needs is full.
void Agent::look_at_storage() {
  process_.after(chance_.between(Duration(0), seconds(2)), [this] {
    if (!loop_) return;
    StorageFacts facts{.state = StorageState::good, .since = around_.clock.now(), .detail = {}};
    if (server_.disk_full()) {
      facts.state = StorageState::full;
      facts.detail = "the disk of the WAL is full";
    }
    deliver(agent::StorageObserved{std::move(facts)});
  });
}

// ---- Events ----------------------------------------------------------------------------------

void Agent::deliver(agent::Event event) {
  events_.push_back(std::move(event));
  drain_soon();
}

// One event, so that time passes between two steps.
void Agent::drain() {
  draining_ = false;
  if (events_.empty()) return;
  const auto event = std::move(events_.front());
  events_.erase(events_.begin());  // mostly the only one
  ++steps_;
  status_.reset();
  perform(loop_->step(event, around_.clock.now(), around_.server.world.wall()));
  if (process_.alive() && !events_.empty()) drain_soon();
}

void Agent::drain_soon() {
  if (std::exchange(draining_, true)) return;
  process_.after(chance_.between(microseconds(10), microseconds(300)), [this] { drain(); });
}

void Agent::set_timer(Instant at) {
  if (at == timer_) return;
  timer_ = at;
  const auto number = ++timer_number_;
  if (at == Instant::max()) return;
  process_.after(around_.clock.world(at) - around_.server.world.now(), [this, number] {
    if (number != timer_number_) return;
    timer_ = Instant::max();
    deliver(agent::TimerFired{});
  });
}

// ---- Effects ---------------------------------------------------------------------------------

void Agent::perform(agent::Effects effects) {
  const auto& lock = loop_->observation().lock;
  lock_until_ = lock.reign ? lock.until : Instant();
  tell_story(effects);
  for (const auto& order : effects.guard) obey(order);
  if (!effects.guard.empty()) tell_guard_state();
  for (const auto id : effects.cancel) actions_.cancel(id);
  for (const auto& effect : effects.start) start(effect);
  published_ = true;
  for (const auto& reply : effects.replies) {
    const auto at = replies_.find(reply.id);
    if (at == replies_.end()) continue;
    const auto answer = std::move(at->second);
    replies_.erase(at);
    if (answer) answer(reply);
  }
  if (effects.exit) return leave(*effects.exit);
  set_timer(effects.wake_at);
}

void Agent::obey(const GuardOrder& order) {
  if (on_guard_order) on_guard_order(order);
  switch (order.what) {
    case GuardOrder::What::arm:
      guard_.raise_margin(loop_->observation().timing.ttl);
      guard_.arm(order.reign, order.deadline);
      return;
    case GuardOrder::What::announce_standby: guard_.announce_standby_start(); return;
    case GuardOrder::What::disarm:
      if (loop_->memory().was_paused) return guard_.suspend_for_pause();
      guard_.disarm();
      return;
  }
}

void Agent::tell_guard_state() {
  if (!loop_) return;
  const auto state = guard_.state();
  if (state != loop_->observation().local.guard) deliver(agent::GuardChanged{state});
}

std::string Agent::primary_allowed() const {
  const auto until = guard_.deadline();
  if (!until) return "the guard is not armed";
  if (around_.clock.now() >= *until - guard_.margin()) return "the leader lease is about to end";
  if (!guard_.armed()) return "the guard has not confirmed its deadline yet";
  return {};
}

void Agent::start(const agent::Effect& effect) {
  if (on_effect) on_effect(effect.task);
  if (const auto* action = std::get_if<StoreAction>(&effect.body)) {
    step_store(store::StartAction{effect.id, {*action}, effect.until});
  } else if (const auto* server = std::get_if<ServerAction>(&effect.body)) {
    actions_.start(effect.id, *server,
                   [this, id = effect.id](ServerResult result) { finish(id, std::move(result)); });
  } else {
    start(effect, std::get<AgentAction>(effect.body));
  }
}

void Agent::start(const agent::Effect& effect, const AgentAction& action) {
  const auto id = effect.id;
  ServerResult done;
  done.ok = true;
  if (const auto* ask = std::get_if<AskPeers>(&action)) {
    return ask_peers(id, *ask, effect.until - around_.clock.now());
  }
  if (const auto* ask = std::get_if<AskFailsafe>(&action)) {
    return ask_failsafe(id, *ask, effect.until - around_.clock.now());
  }
  if (std::holds_alternative<ProbeNamesake>(action)) {
    done.ok = false;  // our own API is not open yet, and names are not given twice here
    return process_.after(milliseconds(1), [this, id, done] { finish(id, done); });
  }
  if (const auto* tell = std::get_if<TellPoolers>(&action)) {
    return tell_pooler(id, *tell, effect.until - around_.clock.now());
  }
  if (const auto* adopt = std::get_if<AdoptConfig>(&action)) config_ = adopt->config;
  const bool adopts = std::holds_alternative<AdoptConfig>(action);
  const bool opens = std::holds_alternative<StartApi>(action);
  process_.after(chance_.between(microseconds(200), milliseconds(5)), [=, this] {
    if (opens) {
      api_open_ = true;
    } else {
      deliver(agent::SettingsChanged{std::make_shared<const NodeSettings>(settings_.node),
                                     adopts ? Reload::if_changed : Reload::always});
    }
    finish(id, done);
  });
}

// What is on its way arrives also when the agent dies meanwhile.
void Agent::tell_pooler(EffectId id, const TellPoolers& tell, Duration limit) {
  auto told = std::make_shared<bool>(false);
  const auto end = [this, id, told](bool ok) {
    if (std::exchange(*told, true)) return;
    ServerResult result;
    result.ok = ok;
    finish(id, std::move(result));
  };
  process_.after(limit, [end] { end(false); });
  around_.pooler.tell(tell.what, chance_, [this, end, life = process_.life()] {
    if (life == process_.life()) process_.after(Duration(0), [end] { end(true); });
  });
}

void Agent::finish(EffectId id, ServerResult result) {
  deliver(EffectFinished{id, std::move(result)});
}

// ---- Others ----------------------------------------------------------------------------------

void Agent::request(ApiEndpoint endpoint, Tree body, Reply reply) {
  if (!process_.alive() || !api_open_) return;
  const RequestId id(++last_request_);
  replies_[id] = std::move(reply);
  process_.after(milliseconds(1), [this, id, endpoint, body = std::move(body)] {
    deliver(agent::ApiRequested{ApiRequest{id, endpoint, body}});
  });
}

const Status& Agent::status() const {
  if (!status_) status_ = loop_->status();
  return *status_;
}

bool Agent::says_primary() const {
  if (!answers()) return false;
  const auto& obs = loop_->observation();
  const auto& query = obs.local.server.query;
  if (!obs.holds_lock() || (query && query->in_recovery)) return false;  // without a document
  const auto& status = this->status();
  const auto now = around_.clock.now();
  return status.role == Role::primary && status.state == ServerState::running &&
         status.holds_lock && !status.demoting && now < lock_until_ && now < status.good_until;
}

void Agent::tell_story(const agent::Effects& effects) {
  auto& world = around_.server.world;
  if (!world.with_story()) return;
  for (const auto& line : effects.log) {
    const bool owner = line.text.starts_with("Lock owner:");
    if (owner || (line.level == LineLevel::info && line.text == last_line_)) continue;
    last_line_ = line.text;
    world.tell(name(), "{}", line.text);
  }
  for (const auto& effect : effects.start) {
    const bool routine = effect.task == Task::observe || effect.task == Task::keep_lock ||
                         effect.task == Task::keep_lease || effect.task == Task::put_member ||
                         effect.task == Task::compare_goal || effect.task == Task::change_slots ||
                         effect.task == Task::ask_peers;
    if (routine) continue;
    const auto* server = std::get_if<ServerAction>(&effect.body);
    const auto body = server == nullptr ? std::string_view{}
                                        : std::visit([](const auto& a) { return a.name; }, *server);
    world.tell(name(), "-> {} {}", name_of(effect.task), body);
  }
  for (const auto& order : effects.guard) {
    if (order.what != GuardOrder::What::arm) world.tell(name(), "-> guard {}", name_of(order.what));
  }
}

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// Carrying out effects, in the order of their members: guard orders before anything is started.
#include "agent/driver.h"
#include "base/log.h"
#include "core/local_server.h"
#include "os/clock.h"
#include "postgres/server.h"
#include "rest/health.h"
#include "rest/server.h"
#include "store/store.h"

namespace tanist::agent {

namespace {

// Contract config 1.1.
constexpr Duration namesake_limit = seconds(3);
constexpr Duration routing_head_start = milliseconds(400);
// Callbacks are nobody's effects: their numbers lie beyond those of the loop.
constexpr std::uint64_t first_callback = std::uint64_t{1} << 62;

LogLevel level_of(LineLevel level) {
  switch (level) {
    case LineLevel::debug: return LogLevel::debug;
    case LineLevel::info: return LogLevel::info;
    case LineLevel::warning: return LogLevel::warning;
    case LineLevel::error: return LogLevel::error;
    case LineLevel::critical: return LogLevel::critical;
  }
  return LogLevel::critical;
}

// After these another directory may stand in the place of the data directory.
bool replaces_data(const ServerAction& action) {
  return std::holds_alternative<SetDataAside>(action) ||
         std::holds_alternative<EmptyData>(action) || std::holds_alternative<CloneData>(action) ||
         std::holds_alternative<InitializeData>(action);
}

}  // namespace

void Driver::perform(Effects effects) {
  const auto& lock = loop_->observation().lock;
  if (lock_until_ == 0 && lock.reign) awaits_routing_ = true;
  if (!lock.reign) awaits_routing_ = false;
  // From D - F on the guard stops the server: it is not writable for the rest of the lease.
  const auto writable_until = server_until(loop_->observation()) - guard_->margin();
  lock_until_ = lock.reign ? writable_until.time_since_epoch().count() : 0;
  if (effects.news) journal_->decided(std::move(effects.news));
  for (const auto& order : effects.guard) obey(order);
  // A guard that fires tells nobody: it has something better to do.
  const bool fired = loop_->observation().local.guard == GuardState::armed &&
                     guard_->state(os::now()) == GuardState::latched;
  if (fired || !effects.guard.empty()) tell_guard_state();
  for (const auto id : effects.cancel) server_->cancel(id);
  // Checks answer by this step before anything of it begins: a stop, for one.
  status_ = std::make_shared<const Status>(loop_->status());
  api_->publish(status_);
  routing_->consider();
  for (const auto& effect : effects.start) start(effect);
  for (auto& callback : effects.callbacks) {
    const EffectId id(first_callback + ++last_callback_);
    server_->start(id, std::move(callback), [](const ServerResult& result) {
      if (!result.ok) log_warning("callback: {}", result.error);
    });
  }
  for (auto& line : effects.log) log(level_of(line.level), std::move(line.text));
  for (auto& reply : effects.replies) api_->reply(std::move(reply));
  if (effects.exit) return leave(*effects.exit);
  set_timer(effects.wake_at);
}

// What GET /primary answers at this moment (safety 4), and who else there is.
routing::Moment Driver::routing_moment() const {
  routing::Moment moment;
  if (!status_) return moment;
  rest::Moment asked{.now = os::now(), .lease_deadline = std::nullopt};
  if (const auto until = lock_until_.load(); until != 0) {
    asked.lease_deadline = Instant(Duration(until));
  }
  moment.takes_writes = rest::health_code("/primary", rest::Query(), *status_, asked) == 200;
  const auto& obs = loop_->observation();
  if (!obs.store.view) return moment;
  for (const auto& [name, member] : obs.view().members) {
    if (name != obs.node->name) moment.others.push_back(name.value());
  }
  return moment;
}

// ---- The guard -------------------------------------------------------------------------------

void Driver::obey(const GuardOrder& order) {
  const auto now = os::now();
  switch (order.what) {
    case GuardOrder::What::arm:
      guard_->raise_margin(loop_->observation().timing.ttl);
      guard_->arm(order.reign, order.deadline);
      if (order.reign.create_revision != Revision(0)) tell_watchdog();
      return;
    case GuardOrder::What::announce_standby:
      guard_->announce_standby_start();
      watchdog_->stop();
      return;
    case GuardOrder::What::disarm:
      watchdog_->stop();
      if (loop_->memory().was_paused) return guard_->suspend_for_pause();
      if (!guard_->disarm(now)) log_warning("the guard's deadline passed before it was disarmed");
      return;
  }
}

// Of a bootstrap's claim and of a standby cluster's leader it is told nothing: neither can lose
// the lock to a primary.
void Driver::tell_watchdog() {
  const auto& obs = loop_->observation();
  if (!obs.lock.reign || in_standby_cluster(obs) || paused(obs)) return;
  // Stopped at the safe point of a stop, it is not started again for the rest of the reign.
  if (loop_->memory().demoting && !obs.local.watchdog.resets_at) return;
  watchdog_->renewed(obs.timing, obs.lock.until);
}

void Driver::tell_guard_state() {
  const auto state = guard_->state(os::now());
  if (state != loop_->observation().local.guard) deliver(GuardChanged{state});
}

// Asked at the moment of acting; the decision may be old by then (safety 4).
std::string Driver::primary_allowed() const {
  if (loop_->memory().was_paused) return {};  // nothing is fenced (safety 1.8)
  const auto now = os::now();
  const auto until = guard_->deadline();
  if (!until) return "the guard is not armed";
  if (now >= *until - guard_->margin()) return "the leader lease is about to end";
  const bool watched = loop_->observation().local.watchdog.state == WatchdogState::active;
  const bool claims = loop_->memory().bootstrapping;  // the device starts with the first lock
  if (settings_->node.watchdog == WatchdogMode::required && !watched && !claims) {
    return "the watchdog is required and does not run";
  }
  const bool does_without =
      guard_->state(now) == GuardState::absent && settings_->node.guard != GuardMode::required;
  if (!does_without && !guard_->armed(now)) return "the guard has not confirmed its deadline yet";
  return {};
}

// ---- Starting --------------------------------------------------------------------------------

void Driver::start(const Effect& effect) {
  measurements_.began(effect, os::now());
  journal_->started(effect);
  std::visit([&](const auto& action) { start(effect, action); }, effect.body);
}

void Driver::start(const Effect& effect, const StoreAction& action) {
  store_->start(effect.id, action, effect.until);
}

void Driver::start(const Effect& effect, const ServerAction& action) {
  const bool renews = replaces_data(action);
  server_->start(effect.id, action, [this, id = effect.id, renews](ServerResult result) {
    if (!renews) return finish(id, std::move(result));
    os::start(io_.get_executor(), renew_hold(id, std::move(result)));
  });
}

void Driver::start(const Effect& effect, const AgentAction& action) {
  const auto id = effect.id;
  if (const auto* ask = std::get_if<AskPeers>(&action)) {
    peers_->ask(*ask, effect.until - os::now(),
                [this, id](PeerRound round) { deliver(EffectFinished{id, std::move(round)}); });
  } else if (const auto* consent = std::get_if<AskFailsafe>(&action)) {
    peers_->ask_failsafe(*consent, effect.until - os::now(), [this, id](bool all) {
      ServerResult result;
      result.ok = all;
      finish(id, std::move(result));
    });
  } else if (const auto* probe = std::get_if<ProbeNamesake>(&action)) {
    peers_->probe_namesake(probe->api_url, namesake_limit, [this, id](bool answered) {
      ServerResult result;
      result.ok = answered;
      finish(id, std::move(result));
    });
  } else if (const auto* tell = std::get_if<TellPoolers>(&action)) {
    os::start(io_.get_executor(), tell_poolers(id, *tell, effect.until));
  } else if (const auto* adopt = std::get_if<AdoptConfig>(&action)) {
    os::start(io_.get_executor(), adopt_config(id, adopt->config));
  } else if (std::holds_alternative<ReloadSettings>(action)) {
    os::start(io_.get_executor(), reload_settings(id));
  } else {
    os::start(io_.get_executor(), start_api(id));
  }
}

// Clients that are let go run to the load balancer: it knows of the new primary first, if it does
// within a moment.
os::Awaitable<void> Driver::tell_poolers(EffectId id, TellPoolers told, Instant until) {
  const auto head_start_ends = std::min(os::now() + routing_head_start, until);
  const bool resumes = told.what == TellPoolers::What::resume;
  while (resumes && awaits_routing_ && os::now() < head_start_ends) {
    const auto moment = os::Limit{}.within(milliseconds(5));
    co_await os::pause(moment);
  }
  routing_->tell_poolers(told, until - os::now(), [this, id](bool all) {
    ServerResult result;
    result.ok = all;
    finish(id, std::move(result));
  });
}

void Driver::finish(EffectId id, ServerResult result) {
  deliver(EffectFinished{id, std::move(result)});
}

}  // namespace tanist::agent

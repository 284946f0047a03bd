// SPDX-License-Identifier: Apache-2.0
// The driver's beginning, its events and its end.
#include "agent/driver.h"

#include <boost/asio/post.hpp>
#include <csignal>
#include <filesystem>

#include "base/log.h"
#include "os/clock.h"
#include "postgres/server.h"
#include "rest/client.h"
#include "rest/server.h"
#include "store/etcd3.h"

namespace tanist::agent {

Driver::Driver(Startup startup, os::ServiceNotifier notifier)
    : source_(std::move(startup.source)),
      settings_(std::move(startup.settings)),
      routing_settings_(std::move(startup.routing)),
      first_config_(std::move(startup.dynamic)),
      hold_(std::make_shared<DataHold>(std::move(startup.hold))),
      notifier_(std::move(notifier)),
      timer_(io_),
      signals_(io_, SIGTERM, SIGINT, SIGHUP) {}

Driver::~Driver() = default;

// ---- The beginning ---------------------------------------------------------------------------

namespace {

// The guard stands beside the agent's own program.
std::string guard_program() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "/usr/bin/tanist-guard" : (own.parent_path() / "tanist-guard").string();
}

std::string server_program(const ServerSettings& settings) {
  const auto renamed = settings.bin_name.find("postgres");
  const auto name = renamed == settings.bin_name.end() ? "postgres" : renamed->second;
  return settings.bin_dir.empty() ? name : settings.bin_dir + "/" + name;
}

// Only a reign is adopted: a bootstrap's claim has no revision (safety 2.7).
std::optional<Adoption> adoption_of(const std::optional<GuardRecord>& record) {
  const bool was_primary = record && record->mode == ServerMode::primary && record->deadline;
  if (!was_primary || record->reign.create_revision == Revision(0)) return std::nullopt;
  return Adoption{.reign = record->reign, .until = *record->deadline, .was_primary = true};
}

}  // namespace

Result<void> Driver::open_guard() {
  const auto& node = settings_->node;
  GuardOptions options{.with_process = node.guard != GuardMode::off,
                       .program = guard_program(),
                       .data_directory = settings_->server.data_dir,
                       .server_program = server_program(settings_->server),
                       .folder = {}};
  auto guard = GuardLink::open(io_.get_executor(), std::move(options));
  if (!guard) return pass_on(guard.error());
  guard_ = std::move(*guard);
  if (node.guard == GuardMode::required && guard_->guard_pid() == 0) {
    return fail(Errc::unavailable, "guard is `required`, but {} could not be started",
                guard_program());
  }
  guard_->on_change([this] { tell_guard_state(); });
  return {};
}

Result<void> Driver::make_loop() {
  LoopStart start{.node = settings_->node,
                  .config = first_config_,
                  .adoption = adoption_of(guard_->adopted()),
                  .guard = guard_->state(os::now())};
  auto loop = Loop::make(std::move(start), os::now());
  if (!loop) return pass_on(loop.error());
  loop_.emplace(std::move(*loop));
  return {};
}

void Driver::make_server() {
  postgres::ServerHooks hooks;
  hooks.postmaster_started = [this](ProcessIdentity process) {
    guard_->set_postmaster(process);
    deliver(PostmasterStarted{process});
  };
  hooks.postmaster_exited = [this](ProcessIdentity process, int) {
    guard_->set_postmaster(std::nullopt);
    deliver(PostmasterExited{process});
  };
  hooks.progress = [this](EffectId, const StopProgress& progress) {
    deliver(StopProgressed{progress});
  };
  hooks.launch_prefix = [this] {
    const auto prefix = guard_->launch_prefix();
    return postgres::LaunchPrefix{prefix.arguments, {prefix.page}};
  };
  hooks.primary_allowed = [this] { return primary_allowed(); };
  hooks.sweep_command = guard_->sweep_command();
  if (settings_->storage.canary) {
    const auto interval = std::max<std::int64_t>(settings_->storage.silent_after.count() / 3, 1);
    hooks.canary_command = {guard_program(), "canary", settings_->server.data_dir,
                            std::to_string(interval)};
  }
  hooks.storage_silent_after = settings_->storage.silent_after;
  hooks.storage_observed = [this](const StorageFacts& facts) { deliver(StorageObserved{facts}); };
  hooks.copy_progress = [this](std::string progress) {
    deliver(CopyProgressed{std::move(progress)});
  };
  server_ = std::make_unique<postgres::Server>(
      io_.get_executor(), disk_, std::make_shared<const ServerSettings>(settings_->server),
      std::move(hooks));
}

void Driver::make_watchdog() {
  // What an earlier agent lent the guard is in the way of opening the device anew.
  guard_->lend_watchdog(-1);
  watchdog_ = std::make_shared<WatchdogKeeper>(
      io_.get_executor(), disk_,
      WatchdogKeeper::Hooks{
          .lend = [this](int device) { guard_->lend_watchdog(device); },
          .changed = [this](WatchdogFacts facts) { deliver(WatchdogChanged{facts}); }});
  watchdog_->use(settings_->watchdog, loop_->observation().timing);
}

void Driver::make_store() {
  store::StoreEvents events;
  events.view = [this](ClusterViewPtr view) { deliver(ViewArrived{std::move(view)}); };
  events.health = [this](const StoreHealth& health) { deliver(HealthChanged{health}); };
  events.finished = [this](EffectId id, StoreResult result) {
    if (digests_->finished(id, result)) return;
    const auto& lock = loop_->observation().lock;
    measurements_.ended(id, result, lock.reign ? std::optional(lock.until) : std::nullopt,
                        os::now());
    deliver(EffectFinished{id, std::move(result)});
  };
  events.unanswered = [this](EffectId) { deliver(RenewalUnanswered{}); };
  store_ = store::make_etcd3_store(settings_->store, io_.get_executor(), std::move(events));
}

void Driver::begin_api() {
  rest::ServerHooks hooks;
  hooks.now = os::now;
  hooks.lease_deadline = [this]() -> std::optional<Instant> {
    const auto until = lock_until_.load();
    if (until == 0) return std::nullopt;
    return Instant(Duration(until));
  };
  hooks.submit = [this](ApiRequest request) {
    boost::asio::post(io_, [this, request = std::move(request)] {
      if (request.endpoint == ApiEndpoint::get_journal) return answer_journal(request);
      deliver(ApiRequested{request});
    });
  };
  hooks.told_writable = [this] { note_routed(); };
  api_ = std::make_unique<rest::Server>(settings_->rest, std::move(hooks));
  peers_ = std::make_unique<PeerAsking>(
      std::make_shared<rest::Client>(io_.get_executor(), settings_->peer_client));
}

void Driver::note_routed() {
  if (!awaits_routing_.load() || !awaits_routing_.exchange(false)) return;
  boost::asio::post(io_, [this] { journal_->routed(); });
}

void Driver::make_routing() {
  routing::Hooks hooks{.moment = [this] { return routing_moment(); },
                       .told_up = [this] { note_routed(); }};
  routing_ = std::make_unique<routing::Routing>(io_.get_executor(), disk_, std::move(hooks));
  routing_->configure(routing_settings_);
}

Result<int> Driver::run() {
  if (auto opened = open_guard(); !opened) return pass_on(opened.error());
  if (auto made = make_loop(); !made) return pass_on(made.error());
  make_server();
  make_watchdog();
  make_journal();
  begin_api();
  make_routing();
  await_signal();
  os::start(io_.get_executor(), watch_expiry());
  // What runs already is known before the first decision (safety 2.7).
  server_->look_for_postmaster([this](const std::optional<ProcessIdentity>&) {
    begun_ = true;
    server_->watch_storage();
    make_store();
    deliver(TimerFired{});
  });
  io_.run();
  watchdog_->leave(!loop_->observation().local.server.postmaster);
  api_->stop();
  finish_journal();
  return static_cast<int>(exit_code_);
}

// ---- Events ----------------------------------------------------------------------------------

void Driver::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error || leaving_) return;
    if (signal == SIGHUP) {
      notifier_.reloading();
      deliver(ReloadRequested{});
    } else {
      notifier_.stopping();
      deliver(ShutdownRequested{});
    }
    await_signal();
  });
}

// Never steps at once: whoever tells may be in the middle of something.
void Driver::deliver(Event event) {
  if (leaving_) return;
  events_.push_back(std::move(event));
  if (!std::exchange(draining_, true)) boost::asio::post(io_, [this] { drain(); });
}

void Driver::drain() {
  draining_ = false;
  if (!begun_) return;
  while (!events_.empty() && !leaving_) {
    const auto event = std::move(events_.front());
    events_.pop_front();
    if (const auto* finished = std::get_if<EffectFinished>(&event)) journal_->ended(*finished);
    const auto began = os::now();
    perform(loop_->step(event, began, os::wall_now()));
    report(began);
  }
}

void Driver::report(Instant step_began) {
  measurements_.step_ended(loop_->observation(), loop_->why(), step_began, os::now());
  if (const auto firing = guard_->last_firing()) measurements_.set_guard_firings(firing->count);
  measurements_.set_disk_threads_stuck(disk_.counts().left_behind);
  api_->report(measurements_.figures());
}

void Driver::set_timer(Instant at) {
  timer_.expires_at(os::Timer::time_point(at));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) deliver(TimerFired{});
  });
}

// ---- The end ---------------------------------------------------------------------------------

void Driver::leave(std::int64_t exit_code) {
  leaving_ = true;
  exit_code_ = exit_code;
  timer_.cancel();
  signals_.cancel();
  if (!loop_->observation().local.server.postmaster) guard_->dismiss();
  server_->shut_down();
  if (store_) store_->shut_down();
  io_.stop();
}

}  // namespace tanist::agent

// SPDX-License-Identifier: Apache-2.0
// Carries out what the loop orders, on real servers, and tells it what happens. It decides nothing.
// One thread: all work that may wait is asynchronous or on the disk pool (engineering rules 3).
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <deque>
#include <memory>
#include <optional>

#include "agent/digest_writer.h"
#include "agent/guard_link.h"
#include "agent/journal_keeper.h"
#include "agent/loop/loop.h"
#include "agent/measurements.h"
#include "agent/peer_asking.h"
#include "agent/startup.h"
#include "agent/watchdog_keeper.h"
#include "os/disk.h"
#include "os/notify.h"
#include "routing/routing.h"

namespace tanist::postgres {
class Server;
struct ServerHooks;
}  // namespace tanist::postgres
namespace tanist::rest {
class Server;
}
namespace tanist::store {
class Store;
}

namespace tanist::agent {

class Driver {
 public:
  Driver(Startup startup, os::ServiceNotifier notifier);
  ~Driver();
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Runs until the loop orders to leave; returns the exit code of the process. Errors: no guard
  // although it is required, unusable dynamic settings.
  Result<int> run();

 private:
  // driver.cpp: the beginning, events, the end
  Result<void> open_guard();
  Result<void> make_loop();
  void make_server();
  void make_watchdog();
  void make_store();
  void begin_api();
  void make_routing();
  // A load balancer knows that this server takes writes: it was told, or has asked. Any thread.
  void note_routed();
  void await_signal();
  void deliver(Event event);
  void drain();
  void report(Instant step_began);
  void set_timer(Instant at);
  void leave(std::int64_t exit_code);

  // perform.cpp: effects
  void perform(Effects effects);
  void obey(const GuardOrder& order);
  void start(const Effect& effect);
  void start(const Effect& effect, const StoreAction& action);
  void start(const Effect& effect, const ServerAction& action);
  void start(const Effect& effect, const AgentAction& action);
  void finish(EffectId id, ServerResult result);
  os::Awaitable<void> tell_poolers(EffectId id, TellPoolers told, Instant until);
  void tell_guard_state();
  void tell_watchdog();
  std::string primary_allowed() const;
  routing::Moment routing_moment() const;

  // journal.cpp
  void make_journal();
  void answer_journal(ApiRequest request);
  os::Awaitable<void> read_journal(ApiRequest request);
  void finish_journal();

  // reload.cpp
  os::Awaitable<void> adopt_config(EffectId id, Tree config);
  os::Awaitable<void> reload_settings(EffectId id);
  os::Awaitable<void> take_settings(NewSettings made, Reload reload);
  os::Awaitable<void> reconfigure_api(RestSettings settings, bool changed);
  os::Awaitable<void> watch_certificate();
  os::Awaitable<void> watch_expiry();
  os::Awaitable<void> renew_peer_client(PeerClientSettings settings);
  os::Awaitable<void> start_api(EffectId id);
  os::Awaitable<void> renew_hold(EffectId id, ServerResult result);

  boost::asio::io_context io_;
  std::unique_ptr<SettingsSource> source_;
  SettingsPtr settings_;
  RoutingSettings routing_settings_;
  Tree first_config_;
  std::shared_ptr<DataHold> hold_;
  os::ServiceNotifier notifier_;
  os::DiskPool disk_;
  os::Timer timer_;
  boost::asio::signal_set signals_;

  std::unique_ptr<GuardLink> guard_;
  std::shared_ptr<WatchdogKeeper> watchdog_;
  std::unique_ptr<postgres::Server> server_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<rest::Server> api_;
  std::unique_ptr<PeerAsking> peers_;
  std::unique_ptr<routing::Routing> routing_;
  std::unique_ptr<JournalKeeper> journal_;
  std::unique_ptr<DigestWriter> digests_;
  std::optional<Loop> loop_;
  Measurements measurements_;
  StatusPtr status_;  // published last

  std::deque<Event> events_;
  bool draining_ = false;
  bool begun_ = false;  // the loop may step: the local server was looked for
  bool leaving_ = false;
  bool reading_journal_ = false;  // for a request; one at a time
  std::int64_t exit_code_ = 0;
  std::uint64_t last_callback_ = 0;
  // D - F of the own lock, for the API's thread (safety 3.6); 0 = no lock is held.
  std::atomic<std::int64_t> lock_until_{0};
  // Leader, and no load balancer has been told so yet.
  std::atomic<bool> awaits_routing_{false};
};

}  // namespace tanist::agent

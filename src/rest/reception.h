// SPDX-License-Identifier: Apache-2.0
// What all sessions share: listeners, the settings in force, the published status, deadlines, and
// the requests that wait for the loop. Owns the server's thread; behind class Server.
#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "rest/connections.h"
#include "rest/listener.h"
#include "rest/metrics.h"
#include "rest/names.h"
#include "rest/published.h"
#include "rest/server.h"
#include "rest/serving.h"

namespace tanist::rest {

class Session;

class Reception {
 public:
  Reception(RestSettings settings, ServerHooks hooks, ServerLimits limits);

  // ---- any thread but the server's; see class Server ----
  Result<void> start();
  void publish(StatusPtr status);
  void report(const Figures& figures);
  void reply(ApiReply reply);
  Result<void> reconfigure(RestSettings settings);
  Result<bool> reload_certificate();
  std::uint16_t port() const { return port_; }
  void stop();

  // ---- the server's thread only ----
  const ServerHooks& hooks() const { return hooks_; }
  const ServerLimits& limits() const { return limits_; }
  const ServingPtr& serving() const { return serving_; }
  boost::asio::io_context& io() { return io_; }

  // The latest status; its documents are rendered once.
  Published& published();
  Figures figures();
  // Value of the header `Date`, made once a second.
  std::string_view date();
  ServerCounters counters() const;
  void count_request() { ++counters_.requests; }
  void note_writable() const {
    if (hooks_.told_writable) hooks_.told_writable();
  }

  // Gives the connection `limit` from now until Session::on_deadline().
  void touch(ConnectionId id, Duration limit);
  // False when so many requests wait for the loop that another one is not taken.
  bool may_wait() const { return connections_.waiting() < limits_.waiting; }
  // Hands the request to the loop; the reply comes by Session::take().
  RequestId submit(ConnectionId id, ApiRequest request, Duration limit);
  void wait_on(ConnectionId id, Duration limit);
  void end_wait(RequestId request, bool answered);
  // The loop's last publication is not too old.
  bool loop_lives() { return hooks_.now() < published().status().good_until; }

  // Addresses behind the names of allowlist and members, as known now.
  KnownSources known_sources();
  // Looks those names up again and calls back when that is done.
  void refresh_sources(std::function<void()> done);

 private:
  using Listeners = std::vector<std::shared_ptr<Acceptor>>;

  void run();
  Result<Listeners> listen_anew(const RestSettings& settings);
  void on_thread(const std::function<void()>& work);
  void install(ServingPtr serving);
  void close_idle();
  void accept_on(Listeners listeners);
  void close_listeners();
  boost::asio::awaitable<void> accept_from(std::shared_ptr<Acceptor> acceptor);
  void admit(Acceptor::protocol_type::socket socket, Address peer);
  void begin(ConnectionId id, std::shared_ptr<Session> session);
  void forget(ConnectionId id);
  bool evict_longest_idle();
  void warn_of_crowd();
  std::vector<std::string> named_sources();
  void arm(Instant deadline);
  void sweep();
  void close_all();

  const ServerHooks hooks_;
  const ServerLimits limits_;

  std::mutex control_;  // one start, reconfigure, reload or stop at a time; guards the next four
  RestSettings first_settings_;
  ServingPtr in_force_;
  std::thread thread_;
  bool stopped_ = false;
  std::atomic<std::uint16_t> port_ = 0;

  std::mutex status_mutex_;
  StatusPtr status_;
  Figures figures_;  // under the same mutex

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  NameBook names_;
  ServingPtr serving_;
  Listeners listeners_;
  std::optional<Published> published_;
  WallTime date_of_{};
  std::string date_;
  Connections connections_;
  std::unordered_map<ConnectionId, std::shared_ptr<Session>> sessions_;
  std::unordered_map<std::uint64_t, ConnectionId> waiting_;
  std::uint64_t last_id_ = 0;  // of connections and requests alike
  ServerCounters counters_;
  std::optional<Instant> crowd_warned_at_;
  boost::asio::steady_timer sweep_timer_;
  std::optional<Instant> sweep_at_;
  bool stopping_ = false;
};

}  // namespace tanist::rest

// SPDX-License-Identifier: Apache-2.0
// The server's thread and what sessions share on it.
#include "rest/reception.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <system_error>
#include <utility>

#include "base/assert.h"
#include "base/log.h"
#include "os/clock.h"
#include "rest/session.h"
#include "rest/thread.h"

namespace tanist::rest {

namespace asio = boost::asio;

namespace {

constexpr auto token = asio::as_tuple(asio::use_awaitable);
constexpr Duration names_age_max = seconds(30);
constexpr Duration names_age_min = seconds(1);
constexpr Duration stop_limit = milliseconds(1500);
constexpr Duration sweep_pause_min = milliseconds(20);
constexpr Duration crowd_warning_pause = seconds(60);
constexpr Duration accept_pause = milliseconds(50);

}  // namespace

Reception::Reception(RestSettings settings, ServerHooks hooks, ServerLimits limits)
    : hooks_(std::move(hooks)),
      limits_(limits),
      first_settings_(std::move(settings)),
      work_(io_.get_executor()),
      names_(io_.get_executor()),
      connections_(limits.connections),
      sweep_timer_(io_) {}

// ---- any thread --------------------------------------------------------------------------------

Result<void> Reception::start() {
  const std::lock_guard lock(control_);
  TANIST_REQUIRE(!thread_.joinable() && !stopped_);
  auto serving = make_serving(first_settings_, nullptr);
  if (!serving) return pass_on(std::move(serving.error()));
  auto listeners = open_listeners(io_.get_executor(), first_settings_.listen,
                                  first_settings_.request_queue_size);
  if (!listeners) return pass_on(std::move(listeners.error()), "REST API");
  in_force_ = *serving;
  install(*serving);
  accept_on(std::move(*listeners));
  try {
    thread_ = start_thread("rest", [this] { run(); });
  } catch (const std::system_error& error) {
    return fail(Errc::failed, "REST API: cannot start its thread: {}", error.what());
  }
  return {};
}

void Reception::publish(StatusPtr status) {
  TANIST_REQUIRE(status != nullptr);
  bool members_changed = false;
  {
    const std::lock_guard lock(status_mutex_);
    members_changed = status_ == nullptr || status_->members_hosts != status->members_hosts;
    status_.swap(status);
  }
  if (members_changed) asio::post(io_, [this] { known_sources(); });
}

void Reception::report(const Figures& figures) {
  const std::lock_guard lock(status_mutex_);
  figures_ = figures;
}

void Reception::reply(ApiReply reply) {
  asio::post(io_, [this, reply = std::move(reply)]() mutable {
    const auto waiting = waiting_.find(reply.id.value());
    if (waiting == waiting_.end()) return;
    const auto session = sessions_.find(waiting->second);
    if (session != sessions_.end()) session->second->take(std::move(reply));
  });
}

Result<void> Reception::reconfigure(RestSettings settings) {
  const std::lock_guard lock(control_);
  if (!thread_.joinable()) return fail(Errc::refused, "the REST API is not running");
  auto serving = make_serving(std::move(settings), in_force_.get());
  if (!serving) return pass_on(std::move(serving.error()));
  const bool moves = (*serving)->settings.listen != in_force_->settings.listen;
  std::optional<Listeners> listeners;
  if (moves) {
    auto opened = listen_anew((*serving)->settings);
    if (!opened) return pass_on(std::move(opened.error()), "REST API");
    listeners = std::move(*opened);
  }
  in_force_ = *serving;
  on_thread([&] {
    install(*serving);
    if (!listeners) return;
    close_listeners();
    accept_on(std::move(*listeners));
  });
  return {};
}

// Another address with the same port may not be free before the old socket is closed.
Result<Reception::Listeners> Reception::listen_anew(const RestSettings& settings) {
  const auto executor = io_.get_executor();
  auto opened = open_listeners(executor, settings.listen, settings.request_queue_size);
  if (opened || settings.listen.port != port_) return opened;
  const HostPort old{in_force_->settings.listen.host, port_};
  on_thread([&] { close_listeners(); });
  opened = open_listeners(executor, settings.listen, settings.request_queue_size);
  if (opened) return opened;
  auto restored = open_listeners(executor, old, in_force_->settings.request_queue_size);
  if (!restored) {
    log_critical("REST API: {}", restored.error().message);
  } else {
    on_thread([&] { accept_on(std::move(*restored)); });
  }
  return opened;
}

Result<bool> Reception::reload_certificate() {
  const std::lock_guard lock(control_);
  if (!thread_.joinable()) return fail(Errc::refused, "the REST API is not running");
  if (in_force_->tls == nullptr) return false;
  const auto print = fingerprint_of(in_force_->settings);
  if (!print) return pass_on(print.error(), "REST API");
  if (*print == in_force_->fingerprint) return false;
  auto serving = make_serving(in_force_->settings, in_force_.get());
  if (!serving) return pass_on(std::move(serving.error()));
  in_force_ = *serving;
  on_thread([&] { install(*serving); });
  return true;
}

void Reception::stop() {
  const std::lock_guard lock(control_);
  stopped_ = true;
  if (!thread_.joinable()) return;
  asio::post(io_, [this] { close_all(); });
  thread_.join();
}

// Runs `work` on the server's thread and waits for its end; that thread must be running.
void Reception::on_thread(const std::function<void()>& work) {
  std::promise<void> done;
  auto ended = done.get_future();
  asio::post(io_, [&] {
    work();
    done.set_value();
  });
  ended.wait();
}

// ---- the server's thread -----------------------------------------------------------------------

void Reception::run() {
  for (;;) {
    try {
      io_.run();
      return;
    } catch (const std::exception& error) {
      log_error("REST API: {}", error.what());
    }
  }
}

void Reception::install(ServingPtr serving) {
  const bool other_transport = serving_ && serving_->transport != serving->transport;
  serving_ = std::move(serving);
  if (other_transport) close_idle();
  for (const auto& name : serving_->access.names()) names_.refresh(name, Duration{});
}

// Connections made under other TLS settings have to come again.
void Reception::close_idle() {
  for (const auto& [id, session] : sessions_) {
    if (session->is_idle()) session->close();
  }
}

void Reception::accept_on(Listeners listeners) {
  boost::system::error_code error;
  port_ = listeners.front()->local_endpoint(error).port();
  listeners_ = std::move(listeners);
  for (const auto& listener : listeners_) {
    asio::co_spawn(io_, accept_from(listener), [](std::exception_ptr failure) {
      if (failure) std::rethrow_exception(failure);
    });
  }
}

void Reception::close_listeners() {
  boost::system::error_code ignored;
  for (const auto& listener : listeners_) listener->close(ignored);
  listeners_.clear();
}

asio::awaitable<void> Reception::accept_from(std::shared_ptr<Acceptor> acceptor) {
  while (acceptor->is_open()) {
    asio::ip::tcp::endpoint peer;
    auto [error, socket] = co_await acceptor->async_accept(peer, token);
    if (!error) {
      try {
        admit(std::move(socket), peer.address());
      } catch (const std::exception& failure) {
        log_error("REST API: cannot serve {}: {}", peer.address().to_string(), failure.what());
      }
    } else if (acceptor->is_open()) {
      // Out of descriptors, most likely: make room and do not spin.
      evict_longest_idle();
      asio::steady_timer pause(io_, accept_pause);
      co_await pause.async_wait(token);
    }
  }
}

void Reception::admit(Acceptor::protocol_type::socket socket, Address peer) {
  if (stopping_) return;
  if (connections_.is_full()) {
    warn_of_crowd();
    if (!evict_longest_idle()) return;  // the socket closes itself
  }
  const ConnectionId id = ++last_id_;
  connections_.open(id, os::now() + limits_.request);
  auto session = std::make_shared<Session>(*this, id, std::move(socket), std::move(peer));
  sessions_.emplace(id, session);
  begin(id, std::move(session));
}

void Reception::begin(ConnectionId id, std::shared_ptr<Session> session) {
  arm(os::now() + limits_.request);
  auto life = session->run();
  asio::co_spawn(io_, std::move(life),
                 [this, id, session = std::move(session)](std::exception_ptr failure) {
                   forget(id);
                   if (failure) std::rethrow_exception(failure);
                 });
}

void Reception::forget(ConnectionId id) {
  connections_.close(id);
  sessions_.erase(id);
  if (stopping_ && sessions_.empty()) io_.stop();
}

bool Reception::evict_longest_idle() {
  const auto id = connections_.longest_idle();
  if (!id) return false;
  ++counters_.evicted;
  connections_.close(*id);
  const auto session = sessions_.find(*id);
  if (session != sessions_.end()) session->second->close();
  return true;
}

void Reception::warn_of_crowd() {
  const auto now = os::now();
  if (crowd_warned_at_ && now - *crowd_warned_at_ < crowd_warning_pause) return;
  crowd_warned_at_ = now;
  log_warning("REST API: {} connections are open, the longest idle ones are closed for new ones",
              limits_.connections);
}

Published& Reception::published() {
  StatusPtr latest;
  {
    const std::lock_guard lock(status_mutex_);
    latest = status_;
  }
  if (!published_ || published_->source() != latest) published_.emplace(std::move(latest));
  return *published_;
}

Figures Reception::figures() {
  const std::lock_guard lock(status_mutex_);
  return figures_;
}

std::string_view Reception::date() {
  const auto now = std::chrono::floor<seconds>(os::wall_now());
  if (date_.empty() || now != date_of_) {
    date_of_ = now;
    date_ = http_date(now);
  }
  return date_;
}

ServerCounters Reception::counters() const {
  auto counters = counters_;
  counters.connections = static_cast<std::int64_t>(connections_.size());
  return counters;
}

void Reception::touch(ConnectionId id, Duration limit) {
  const auto deadline = os::now() + limit;
  connections_.touch(id, deadline);
  arm(deadline);
}

RequestId Reception::submit(ConnectionId id, ApiRequest request, Duration limit) {
  wait_on(id, limit);
  request.id = RequestId(++last_id_);
  waiting_.emplace(request.id.value(), id);
  const auto number = request.id;
  hooks_.submit(std::move(request));
  return number;
}

void Reception::wait_on(ConnectionId id, Duration limit) {
  const auto deadline = os::now() + limit;
  connections_.wait_for_loop(id, deadline);
  arm(deadline);
}

void Reception::end_wait(RequestId request, bool answered) {
  waiting_.erase(request.value());
  if (!answered) ++counters_.unanswered;
}

std::vector<std::string> Reception::named_sources() {
  auto names = serving_->access.names();
  if (serving_->access.includes_members()) {
    for (auto& host : hosts_of(published().status().members_hosts))
      names.push_back(std::move(host));
  }
  return names;
}

KnownSources Reception::known_sources() {
  KnownSources sources;
  const auto collect = [this](const std::vector<std::string>& names, Addresses& out) {
    for (const auto& name : names) {
      names_.refresh(name, names_age_max);
      for (auto& address : names_.known(name)) out.push_back(std::move(address));
    }
  };
  collect(serving_->access.names(), sources.named);
  auto& latest = published();
  if (serving_->access.includes_members() && latest.view_valid(hooks_.now())) {
    collect(hosts_of(latest.status().members_hosts), sources.members);
  }
  return sources;
}

void Reception::refresh_sources(std::function<void()> done) {
  auto names = named_sources();
  for (const auto& name : names) names_.refresh(name, names_age_min);
  names_.when_settled(std::move(names), std::move(done));
}

// One timer for all deadlines. It is set anew only for an earlier one, so that a busy connection
// costs no timer operation per request; when it rings, the next deadline is looked for.
void Reception::arm(Instant deadline) {
  if (sweep_at_ && *sweep_at_ <= deadline) return;
  sweep_at_ = deadline;
  sweep_timer_.expires_after(std::max(deadline - os::now(), sweep_pause_min));
  sweep_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) sweep();
  });
}

void Reception::sweep() {
  sweep_at_.reset();
  for (const auto id : connections_.expired(os::now())) {
    const auto session = sessions_.find(id);
    if (session != sessions_.end()) {
      session->second->on_deadline();
    } else {
      connections_.close(id);  // it never began
    }
  }
  if (const auto next = connections_.next_deadline()) arm(*next);
}

void Reception::close_all() {
  stopping_ = true;
  close_listeners();
  if (sessions_.empty()) return io_.stop();
  // What has not ended by then is left where it waits.
  sweep_timer_.expires_after(stop_limit);
  sweep_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) io_.stop();
  });
  sweep_at_ = Instant::min();
  for (const auto& [id, session] : sessions_) session->close();
}

}  // namespace tanist::rest

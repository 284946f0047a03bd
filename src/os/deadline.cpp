// SPDX-License-Identifier: Apache-2.0
// A wait is a timer: it is cancelled when the thing happens. Loop thread only.
#include "os/deadline.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>

#include "base/assert.h"
#include "os/clock.h"

namespace tanist::os {

namespace asio = boost::asio;

TimerClock::time_point TimerClock::now() { return os::now(); }

Limit Limit::within(Duration duration) const { return no_later_than(now() + duration); }

bool Limit::over() const { return (stop && stop->requested()) || at <= now(); }

void Occurrence::end(Ended how) {
  if (ended_) return;
  ended_ = true;
  how_ = how;
  timer_.cancel();
}

void Occurrence::happen_from_outside() {
  asio::post(timer_.get_executor(), [self = shared_from_this()] { self->happen(); });
}

void Stop::request() {
  requested_ = true;
  const auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& each : waiting) {
    if (const auto occurrence = each.lock()) occurrence->end(Ended::stopped);
  }
}

void Stop::watch(const OccurrencePtr& waiting) {
  std::erase_if(waiting_, [](const auto& each) { return each.expired(); });
  waiting_.push_back(waiting);
}

Awaitable<Ended> until(OccurrencePtr what, Limit limit) {
  if (limit.stop && limit.stop->requested()) what->end(Ended::stopped);
  if (limit.stop) limit.stop->watch(what);
  if (!what->ended_) {
    what->timer_.expires_at(limit.at);
    co_await what->timer_.async_wait(asio::as_tuple(asio::use_awaitable));
    what->end(Ended::deadline);
  }
  co_return what->how_;
}

Awaitable<Ended> pause(Limit limit) {
  auto nothing = std::make_shared<Occurrence>(co_await asio::this_coro::executor);
  co_return co_await until(std::move(nothing), std::move(limit));
}

namespace {

using Watched = asio::posix::stream_descriptor;

Awaitable<Ended> ready(int fd, Watched::wait_type direction, Limit limit) {
  auto loop = co_await asio::this_coro::executor;
  Descriptor own(fcntl(fd, F_DUPFD_CLOEXEC, 0));
  Watched watched(loop);
  boost::system::error_code error;
  if (own.open()) watched.assign(own.get(), error);
  if (!own.open() || error) co_return Ended::done;
  own.release();
  auto occurrence = std::make_shared<Occurrence>(loop);
  watched.async_wait(direction, [occurrence](boost::system::error_code) { occurrence->happen(); });
  co_return co_await until(std::move(occurrence), std::move(limit));
}

}  // namespace

Awaitable<Ended> readable(int fd, Limit limit) {
  return ready(fd, Watched::wait_read, std::move(limit));
}

Awaitable<Ended> writable(int fd, Limit limit) {
  return ready(fd, Watched::wait_write, std::move(limit));
}

void start(const Executor& loop, Awaitable<void> task) {
  asio::co_spawn(loop, std::move(task), [](const std::exception_ptr& thrown) {
    if (thrown) std::rethrow_exception(thrown);
  });
}

Error not_done(Ended how, std::string_view waiting_for) {
  TANIST_REQUIRE(how != Ended::done);
  if (how == Ended::stopped) return {Errc::cancelled, fmt::format("{}: cancelled", waiting_for)};
  return {Errc::timeout, fmt::format("{}: time ran out", waiting_for)};
}

}  // namespace tanist::os

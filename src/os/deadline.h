// SPDX-License-Identifier: Apache-2.0
// The one way to wait: every awaited wait of the program is until() with a Limit. It ends when the
// thing happens, when its deadline passes, or when somebody asks to stop. Deadlines are Instants
// (CLOCK_BOOTTIME). Loop thread only.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <memory>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/descriptor.h"

namespace tanist::os {

using Executor = boost::asio::any_io_executor;
template <class T>
using Awaitable = boost::asio::awaitable<T>;

// BootClock as Asio's timers want it.
struct TimerClock : BootClock {
  static time_point now();
};
using Timer = boost::asio::basic_waitable_timer<TimerClock>;

enum class Ended { done, deadline, stopped };

class Occurrence;
struct Limit;

// A request to give up, made once and seen by every wait that carries it.
class Stop {
 public:
  void request();
  bool requested() const { return requested_; }

 private:
  friend Awaitable<Ended> until(std::shared_ptr<Occurrence> what, Limit limit);
  void watch(const std::shared_ptr<Occurrence>& waiting);

  bool requested_ = false;
  std::vector<std::weak_ptr<Occurrence>> waiting_;
};
using StopPtr = std::shared_ptr<Stop>;

// How long something may be waited for. Without values: for ever.
struct Limit {
  Instant at = Instant::max();
  StopPtr stop;

  // The same stop, ending at `other` if that is earlier.
  Limit no_later_than(Instant other) const { return {std::min(at, other), stop}; }
  Limit within(Duration duration) const;
  bool over() const;
};

// Something that one coroutine awaits and others report. happen() may come before the wait.
class Occurrence : public std::enable_shared_from_this<Occurrence> {
 public:
  explicit Occurrence(const Executor& loop) : timer_(loop) {}
  void happen() { end(Ended::done); }
  // The same from another thread: the loop's thread is told. Requires: the loop exists.
  void happen_from_outside();

 private:
  friend class Stop;
  friend Awaitable<Ended> until(std::shared_ptr<Occurrence> what, Limit limit);
  void end(Ended how);

  Timer timer_;
  bool ended_ = false;
  Ended how_ = Ended::done;
};
using OccurrencePtr = std::shared_ptr<Occurrence>;

// Waits for `what`. Something that already happened wins over a deadline that already passed.
Awaitable<Ended> until(OccurrencePtr what, Limit limit);

// Waits for nothing but the limit.
Awaitable<Ended> pause(Limit limit);

// Wait until reading (writing) the descriptor would not block. They take their own duplicate, so
// that the owner may close or replace it in the meantime; a descriptor that cannot be watched
// counts as ready, and the read or write that follows reports the error.
Awaitable<Ended> readable(int fd, Limit limit);
Awaitable<Ended> writable(int fd, Limit limit);

// Begins a coroutine of its own; the calling code goes on. Whoever needs its end awaits an
// Occurrence that it reports. An exception that leaves it ends the process.
void start(const Executor& loop, Awaitable<void> task);

// The error of a wait that ended without its thing. Requires: how is not `done`.
Error not_done(Ended how, std::string_view waiting_for);

}  // namespace tanist::os

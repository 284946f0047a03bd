// SPDX-License-Identifier: Apache-2.0
// One connection at a time; a handler of an earlier one finds that and does nothing.
#include "agent/guard_keeper.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <csignal>
#include <mutex>
#include <thread>

#include "base/log.h"
#include "os/clock.h"

namespace tanist::agent {

namespace asio = boost::asio;

namespace {

constexpr Duration silence_max = seconds(1);
// A guard that ends within its first second is not replaced at once, but ever more slowly.
constexpr Duration short_life = seconds(1);
constexpr Duration delay_min = milliseconds(50);
constexpr Duration delay_max = seconds(5);

Descriptor duplicate(int fd) { return Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, 10)); }

}  // namespace

struct GuardKeeper::Connection {
  Connection(const asio::any_io_executor& executor, GuardProcess guard)
      : pid(guard.pid),
        exit(executor, guard.pidfd.release()),
        socket(executor, guard.socket.release()) {}

  // Its handlers hold it; without this they would keep the descriptors open.
  void close() {
    boost::system::error_code ignored;
    exit.close(ignored);
    socket.close(ignored);
  }

  std::int64_t pid;
  asio::posix::stream_descriptor exit;  // its pidfd
  asio::posix::stream_descriptor socket;
};

// Outlives the keeper in the starting thread; closed before the executor's context goes.
struct GuardKeeper::Mailbox {
  explicit Mailbox(asio::any_io_executor given) : executor(std::move(given)) {}

  std::mutex mutex;
  bool closed = false;
  asio::any_io_executor executor;
};

GuardKeeper::GuardKeeper(asio::any_io_executor executor, std::string program, Descriptor folder,
                         int page)
    : executor_(std::move(executor)),
      program_(std::move(program)),
      folder_(std::move(folder)),
      page_(page),
      mailbox_(std::make_shared<Mailbox>(executor_)),
      retry_(executor_),
      delay_(delay_min) {}

GuardKeeper::~GuardKeeper() { close(); }

void GuardKeeper::close() {
  const std::lock_guard lock(mailbox_->mutex);
  mailbox_->closed = true;
  retry_.cancel();
  changed_ = nullptr;
  forget();
}

void GuardKeeper::forget() {
  if (connection_) connection_->close();
  connection_.reset();
  welcomed_ = false;
}

std::int64_t GuardKeeper::pid() const { return connection_ ? connection_->pid : 0; }

Result<void> GuardKeeper::start_and_wait(Duration limit) {
  auto guard = start_guard(program_, page_, folder_);
  if (!guard) return pass_on(guard.error());
  const auto welcome = await_welcome(*guard, limit);
  if (!welcome) {
    signal_guard(guard->pidfd.get(), SIGKILL);
    return pass_on(welcome.error(), "the guard {} does not work", program_);
  }
  take(std::move(*guard));
  return {};
}

void GuardKeeper::take(GuardProcess guard) {
  connect(std::move(guard));
  welcomed_ = true;
  asked_at_.reset();
}

void GuardKeeper::connect(GuardProcess guard) {
  connection_ = std::make_shared<Connection>(executor_, std::move(guard));
  connected_at_ = os::now();
  welcomed_ = false;
  asked_at_ = connected_at_;
  woken_at_.reset();
  wait_for_exit();
  wait_for_answer();
  if (watchdog_ >= 0) tell(GUARD_WATCHDOG, watchdog_);
}

void GuardKeeper::wait_for_exit() {
  const auto wait = asio::posix::stream_descriptor::wait_read;
  connection_->exit.async_wait(
      wait, [weak = weak_from_this(), connection = connection_](boost::system::error_code code) {
        const auto self = weak.lock();
        if (!code && self && self->connection_ == connection) self->ended();
      });
}

void GuardKeeper::wait_for_answer() {
  const auto wait = asio::posix::stream_descriptor::wait_read;
  connection_->socket.async_wait(
      wait, [weak = weak_from_this(), connection = connection_](boost::system::error_code code) {
        const auto self = weak.lock();
        if (!code && self && self->connection_ == connection) self->receive();
      });
}

// False when the guard has to end: it lives and does not talk. Its end is reported by the pidfd.
bool GuardKeeper::read_answers() {
  for (;;) {
    const auto answer = receive_from_guard(connection_->socket.native_handle());
    if (!answer) {
      signal_guard(connection_->exit.native_handle(), SIGKILL);
      return false;
    }
    if (!*answer) return true;
    welcomed_ = welcomed_ || (*answer)->message.kind == GUARD_WELCOME;
    asked_at_.reset();
  }
}

void GuardKeeper::receive() {
  if (read_answers()) wait_for_answer();
  if (changed_) changed_();
}

void GuardKeeper::ended() {
  siginfo_t information{};
  waitid(P_PIDFD, static_cast<id_t>(connection_->exit.native_handle()), &information,
         WEXITED | WNOHANG);  // ours to reap only when this agent started it
  const auto pid = connection_->pid;
  forget();
  if (!dismissed_) {
    log_warning("the guard (pid {}) ended; another one is started", pid);
    start_soon(next_delay());
  }
  if (changed_) changed_();
}

// How long to wait before another start: not at all after a guard that had worked.
Duration GuardKeeper::next_delay() {
  if (os::now() - connected_at_ >= short_life) {
    delay_ = delay_min;
    return Duration::zero();
  }
  return std::exchange(delay_, std::min(2 * delay_, delay_max));
}

void GuardKeeper::start_soon(Duration after) {
  if (after == Duration::zero()) {
    start_on_thread();
    return;
  }
  retry_.expires_after(after);
  retry_.async_wait([weak = weak_from_this()](boost::system::error_code code) {
    const auto self = weak.lock();
    if (!code && self && !self->dismissed_) self->start_on_thread();
  });
}

void GuardKeeper::start_on_thread() {
  auto work = [weak = weak_from_this(), mailbox = mailbox_, program = program_,
               page = duplicate(page_), folder = duplicate(folder_.get())]() mutable {
    auto result = std::make_shared<Result<GuardProcess>>(start_guard(program, page.get(), folder));
    const std::lock_guard lock(mailbox->mutex);
    if (mailbox->closed) return;  // the guard that was started stays
    asio::post(mailbox->executor, [weak, result] {
      if (const auto self = weak.lock()) self->started(std::move(*result));
    });
  };
  std::thread(std::move(work)).detach();
}

void GuardKeeper::started(Result<GuardProcess> result) {
  if (!result) {
    log_error("{}", result.error().message);
    start_soon(std::exchange(delay_, std::min(2 * delay_, delay_max)));
    return;
  }
  connect(std::move(*result));
  if (dismissed_) tell(GUARD_LEAVE);
}

void GuardKeeper::tell(guard_message_kind kind, int attached) {
  if (!connection_) return;
  send_to_guard(connection_->socket.native_handle(), kind, attached);
  if (!asked_at_) asked_at_ = os::now();
}

void GuardKeeper::look() { tell(GUARD_LOOK); }

void GuardKeeper::lend_watchdog(int device) {
  watchdog_ = device;
  tell(GUARD_WATCHDOG, device);
}

void GuardKeeper::check(Instant now, std::optional<Instant> wakes_at) {
  if (!connection_ || (asked_at_ && !read_answers())) return;
  const bool unanswered = asked_at_ && now - *asked_at_ > silence_max;
  const bool late = wakes_at && now - *wakes_at > silence_max;
  if (!unanswered && !late) {
    woken_at_.reset();
    return;
  }
  if (!woken_at_) {
    log_warning("the guard (pid {}) is silent; it is woken", connection_->pid);
    woken_at_ = now;
    signal_guard(connection_->exit.native_handle(), SIGCONT);
  } else if (now - *woken_at_ > silence_max) {
    log_error("the guard (pid {}) stays silent; it is killed and replaced", connection_->pid);
    signal_guard(connection_->exit.native_handle(), SIGKILL);
  }
}

void GuardKeeper::dismiss() {
  dismissed_ = true;
  retry_.cancel();
  tell(GUARD_LEAVE);
}

}  // namespace tanist::agent

// SPDX-License-Identifier: Apache-2.0
// Keeps one guard process running for a page: notices its end by pidfd and replaces it at once,
// wakes and then kills one that is silent. Thread: the loop's. Waits only where it says so; a
// replacement is started on a thread of its own, because exec may wait for a disk.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "agent/guard_process.h"
#include "base/result.h"
#include "base/time.h"

namespace tanist::agent {

class GuardKeeper : public std::enable_shared_from_this<GuardKeeper> {
 public:
  // `page` stays open as long as the keeper lives.
  GuardKeeper(boost::asio::any_io_executor executor, std::string program, Descriptor folder,
              int page);
  ~GuardKeeper();
  GuardKeeper(const GuardKeeper&) = delete;
  GuardKeeper& operator=(const GuardKeeper&) = delete;

  // Called when the guard confirmed something, ended or was replaced.
  void on_change(std::function<void()> call) { changed_ = std::move(call); }

  // Starts a guard and waits until it watches, at most `limit`. At the agent's start only.
  Result<void> start_and_wait(Duration limit);
  // Takes a guard that answered.
  void take(GuardProcess guard);
  // Starts one in the background and goes on trying.
  void start_soon(Duration after);

  // A guard lives and has said that it watches the page.
  bool watches() const { return connection_ != nullptr && welcomed_; }
  // 0 = none.
  std::int64_t pid() const;

  // Has the guard read the page now.
  void look();
  // Lends it a descriptor of the caller; -1 takes it back. A replacement gets it too.
  void lend_watchdog(int device);
  // Wakes it when it is late by more than a second, kills it (hence replaces it) when that does not
  // help. `wakes_at`: when it is to wake by its own word; absent = it sleeps until told.
  void check(Instant now, std::optional<Instant> wakes_at);
  // Tells it to end and replaces it no more.
  void dismiss();
  // Ends all waiting; the guard stays. No callback after this.
  void close();

 private:
  struct Connection;
  struct Mailbox;

  void connect(GuardProcess guard);
  void wait_for_exit();
  void wait_for_answer();
  void receive();
  bool read_answers();
  void ended();
  void forget();
  void start_on_thread();
  void started(Result<GuardProcess> result);
  void tell(guard_message_kind kind, int attached = -1);
  Duration next_delay();

  boost::asio::any_io_executor executor_;
  std::string program_;
  Descriptor folder_;
  int page_;
  std::function<void()> changed_;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<Mailbox> mailbox_;  // through which the starting thread reports
  boost::asio::steady_timer retry_;
  bool welcomed_ = false;
  bool dismissed_ = false;
  int watchdog_ = -1;
  Instant connected_at_;
  std::optional<Instant> asked_at_;  // a message that it has not answered yet
  std::optional<Instant> woken_at_;  // it was silent and got SIGCONT
  Duration delay_;
};

}  // namespace tanist::agent

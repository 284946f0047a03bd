// SPDX-License-Identifier: Apache-2.0
// Drives the etcd machine with gRPC, a timer and the clock; the agent's store and the control
// tool's client stand on it. Owned and called by the loop's thread.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "store/etcd3_machine.h"
#include "store/etcd3_transport.h"
#include "store/store.h"

namespace tanist::store {

class Etcd3Driver {
 public:
  Etcd3Driver(MachineOptions options, boost::asio::any_io_executor loop, StoreEvents events);
  ~Etcd3Driver();

  void start(StartAction action);
  void cancel(EffectId id);
  void set_credentials(std::string user, Secret password);
  // Every effect ends as `unknown`; nothing else is told any more.
  void shut_down();

 private:
  void step(Input input);
  void perform(Outputs outputs);
  void perform(const Output& output);
  void tell_later(Output output);
  void tell_all();
  void wake_at(Instant time);

  boost::asio::any_io_executor loop_;
  std::shared_ptr<const StoreEvents> events_;  // outlives a handler that destroys the driver
  Etcd3Machine machine_;
  std::unique_ptr<Etcd3Transport> transport_;  // null after shut_down()
  boost::asio::steady_timer timer_;
  Instant timer_set_to_ = Instant::max();
  std::set<EffectId> running_;
  std::deque<Output> untold_;
  bool telling_ = false;  // a handler that empties untold_ is posted
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// Performs the machine's outputs. Events are told from a handler of their own, so that whoever
// hears them may start actions, shut the store down or destroy it.
#include "store/etcd3_driver.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <variant>

#include "os/clock.h"

namespace tanist::store {

namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

void tell(const StoreEvents& events, Output output) {
  std::visit(Overloaded{
                 [&](Finished& event) {
                   if (events.finished) events.finished(event.id, std::move(event.result));
                 },
                 [&](Unanswered& event) {
                   if (events.unanswered) events.unanswered(event.id);
                 },
                 [&](ViewChanged& event) {
                   if (events.view) events.view(std::move(event.view));
                 },
                 [&](HealthChanged& event) {
                   if (events.health) events.health(event.health);
                 },
                 [](auto&) {},
             },
             output);
}

}  // namespace

Etcd3Driver::Etcd3Driver(MachineOptions options, boost::asio::any_io_executor loop,
                         StoreEvents events)
    : loop_(std::move(loop)),
      events_(std::make_shared<const StoreEvents>(std::move(events))),
      machine_(options),
      transport_(std::make_unique<Etcd3Transport>(options.settings, loop_,
                                                  [this](Input input) { step(std::move(input)); })),
      timer_(loop_) {
  perform(machine_.start(os::now()));
}

Etcd3Driver::~Etcd3Driver() = default;

void Etcd3Driver::start(StartAction action) {
  running_.insert(action.id);
  if (!transport_) {
    return tell_later(Finished{action.id, {.detail = "the store has been shut down"}});
  }
  step(std::move(action));
}

void Etcd3Driver::cancel(EffectId id) {
  if (transport_) step(CancelAction{id});
}

void Etcd3Driver::set_credentials(std::string user, Secret password) {
  if (transport_) step(NewCredentials{std::move(user), std::move(password)});
}

void Etcd3Driver::shut_down() {
  if (!transport_) return;
  transport_.reset();
  timer_.cancel();
  std::erase_if(untold_,
                [](const Output& output) { return !std::holds_alternative<Finished>(output); });
  auto left = running_;
  for (const auto& output : untold_) left.erase(std::get<Finished>(output).id);
  for (const auto id : left) tell_later(Finished{id, {.detail = "the store was shut down"}});
}

void Etcd3Driver::step(Input input) { perform(machine_.step(std::move(input), os::now())); }

void Etcd3Driver::perform(Outputs outputs) {
  for (const auto& output : outputs.list) perform(output);
  wake_at(outputs.wake_at);
}

void Etcd3Driver::perform(const Output& output) {
  const auto now = os::now();
  std::visit(Overloaded{
                 [&](const SendRpc& rpc) { transport_->send(rpc, now); },
                 [&](const CancelRpc& rpc) { transport_->cancel(rpc.id); },
                 [&](const OpenWatch& watch) { transport_->open(watch, now); },
                 [&](const AskProgress& ask) { transport_->ask_progress(ask.stream); },
                 [&](const CloseWatch& close) { transport_->close(close.stream); },
                 [&](const UseEndpoints& use) { transport_->use(use.endpoints); },
                 [&](const auto& event) { tell_later(event); },
             },
             output);
}

void Etcd3Driver::wake_at(Instant time) {
  if (time == timer_set_to_) return;
  timer_set_to_ = time;
  timer_.cancel();
  if (time == Instant::max()) return;
  timer_.expires_after(std::max<Duration>(time - os::now(), Duration(0)));
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](const boost::system::error_code& error) {
    if (error || !alive.lock() || !transport_) return;
    timer_set_to_ = Instant::max();
    step(TimerRang{});
  });
}

void Etcd3Driver::tell_later(Output output) {
  untold_.push_back(std::move(output));
  if (std::exchange(telling_, true)) return;
  boost::asio::post(loop_, [this, alive = std::weak_ptr(alive_)] {
    if (alive.lock()) tell_all();
  });
}

void Etcd3Driver::tell_all() {
  const auto alive = std::weak_ptr(alive_);
  const auto events = events_;
  telling_ = false;
  while (!alive.expired() && !untold_.empty()) {
    auto output = std::move(untold_.front());
    untold_.pop_front();
    if (const auto* end = std::get_if<Finished>(&output)) running_.erase(end->id);
    tell(*events, std::move(output));
  }
}

}  // namespace tanist::store

// SPDX-License-Identifier: Apache-2.0
// Work for the watchdog, one piece at a time on the disk pool.
#include "agent/watchdog_keeper.h"

#include "base/log.h"
#include "os/clock.h"

namespace tanist::agent {

namespace {

// A device that takes longer is taken for broken.
constexpr Duration device_time_max = seconds(5);

}  // namespace

WatchdogKeeper::WatchdogKeeper(os::Executor executor, os::DiskPool& disk, Hooks hooks)
    : executor_(std::move(executor)), disk_(disk), hooks_(std::move(hooks)) {
  settings_.mode = WatchdogMode::off;
}

watchdog::Timing WatchdogKeeper::timing_of(const Timing& timing) const {
  return {
      .ttl = timing.ttl, .loop_wait = timing.loop_wait, .safety_margin = settings_.safety_margin};
}

void WatchdogKeeper::use(WatchdogSettings settings, const Timing& timing) {
  if (stuck_) return;
  WatchdogPtr old;
  if (settings != settings_ || watchdog_ == nullptr) {
    old = std::exchange(watchdog_, std::make_shared<watchdog::Watchdog>(settings, os::now));
    settings_ = std::move(settings);
    checked_.reset();
    told_.reset();
  }
  const auto now = timing_of(timing);
  if (checked_ == now) return;
  checked_ = now;
  const auto kind = old ? Kind::stop : Kind::check;  // the old one's stop must not be replaced
  order(kind, [old, now](watchdog::Watchdog& device) {
    if (old) old->stop();
    return device.check(now);
  });
}

void WatchdogKeeper::renewed(const Timing& timing, Instant lease_end) {
  if (settings_.mode == WatchdogMode::off || stuck_ || told_ == lease_end) return;
  told_ = lease_end;
  const auto now = timing_of(timing);
  order(Kind::renewal,
        [now, lease_end](watchdog::Watchdog& device) { return device.renewed(now, lease_end); });
}

void WatchdogKeeper::stop() {
  const bool rests = !facts_.resets_at && !at_work_ && orders_.empty();
  if (settings_.mode == WatchdogMode::off || stuck_ || rests) return;
  if (!orders_.empty() && orders_.back().kind == Kind::stop) return;
  told_.reset();
  order(Kind::stop, [](watchdog::Watchdog& device) { return device.stop(); });
}

void WatchdogKeeper::order(Kind kind, Work work) {
  if (!orders_.empty() && orders_.back().kind == kind && kind != Kind::stop) orders_.pop_back();
  orders_.push_back({kind, std::move(work)});
  if (!std::exchange(at_work_, true)) os::start(executor_, work_off(shared_from_this()));
}

os::Awaitable<void> WatchdogKeeper::work_off(std::shared_ptr<WatchdogKeeper> self) {
  while (!self->orders_.empty() && !self->stuck_) {
    auto work = std::move(self->orders_.front().work);
    self->orders_.pop_front();
    auto job = [work = std::move(work), device = self->watchdog_] { return work(*device); };
    const auto limit = os::Limit{}.within(device_time_max);
    const auto facts = co_await os::on_disk(self->disk_, limit, std::move(job));
    if (facts) {
      self->heed(*facts);
      continue;
    }
    self->stuck_ = true;
    log_critical("watchdog {}: it does not answer: {}", self->settings_.device,
                 facts.error().message);
    // When it fires is not known exactly; it is told nothing any more.
    auto broken = self->facts_;
    broken.state = WatchdogState::failed;
    self->heed(broken);
  }
  self->at_work_ = false;
}

void WatchdogKeeper::heed(const WatchdogFacts& facts) {
  const int device = stuck_ ? lent_ : watchdog_->descriptor();
  if (device != lent_) {
    lent_ = device;
    hooks_.lend(device);
  }
  if (facts == facts_) return;
  facts_ = facts;
  hooks_.changed(facts);
}

void WatchdogKeeper::leave(bool server_is_gone) {
  if (watchdog_ == nullptr || stuck_) return;
  for (auto& order : orders_) order.work(*watchdog_);
  orders_.clear();
  if (watchdog_->descriptor() < 0) return;
  if (server_is_gone) {
    hooks_.lend(-1);
    watchdog_->stop();
  } else {
    log_error("PostgreSQL still runs. Leaving watchdog running.");
  }
}

}  // namespace tanist::agent

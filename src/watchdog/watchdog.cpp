// SPDX-License-Identifier: Apache-2.0
// When the device is started, told and stopped. Blocking.
#include "watchdog/watchdog.h"

#include "base/format.h"
#include "base/log.h"

namespace tanist::watchdog {

namespace {

// Renewals that find the device busy before it counts as unusable.
constexpr int busy_max = 4;

}  // namespace

Watchdog::Watchdog(WatchdogSettings settings, Clock now, SystemCalls calls)
    : settings_(std::move(settings)),
      now_(now),
      device_(settings_.device, settings_.plain_text, std::move(calls)) {}

int Watchdog::descriptor() const {
  const std::lock_guard lock(mutex_);
  return device_.descriptor();
}

WatchdogFacts Watchdog::check(const Timing& timing) {
  const std::lock_guard lock(mutex_);
  if (settings_.mode == WatchdogMode::off || device_.is_open()) return facts_;
  auto fits = check_timing(settings_.mode, timing);
  if (fits) fits = device_.check();
  if (fits) {
    facts_.state = WatchdogState::ready;
    return facts_;
  }
  give_up(fits.error());
  return facts_;
}

WatchdogFacts Watchdog::renewed(const Timing& timing, Instant lease_end) {
  const std::lock_guard lock(mutex_);
  if (settings_.mode == WatchdogMode::off) return facts_;
  const bool anew = !device_.is_open();
  // A device that could not be used is not tried again until something changes.
  if (anew && facts_.state == WatchdogState::failed) return facts_;
  const bool fits = anew ? activate(timing) : timing_ == timing || takes_timeout(timing);
  if (!fits) return facts_;
  if (now_() <= last_moment(lease_end, timing)) {
    tell_device();
  } else if (anew) {
    facts_.resets_at = now_() + timeout_;  // opening it started it
  }
  return facts_;
}

bool Watchdog::activate(const Timing& timing) {
  if (const auto fits = check_timing(settings_.mode, timing); !fits) {
    give_up(fits.error());
    return false;
  }
  if (const auto opened = device_.open(); !opened) {
    // The guard of an earlier agent lets go of it in a moment.
    if (opened.error().code == Errc::unavailable && ++busy_ < busy_max) return false;
    give_up(opened.error());
    return false;
  }
  if (!takes_timeout(timing)) return false;
  log_info("{} activated with {} second timeout, timing slack {} seconds", device_.path(),
           timeout_.count(), (timeout_ - timing.loop_wait).count());
  return true;
}

// Sets the open device to what the timing needs. False: it cannot be used, and is closed.
bool Watchdog::takes_timeout(const Timing& timing) {
  const auto wanted = timeout_for(timing);
  auto fits = check_timing(settings_.mode, timing);
  const auto actual = fits ? device_.set_timeout(wanted) : pass_on(fits.error());
  if (!actual) {
    give_up(actual.error());
    return false;
  }
  timeout_ = *actual;
  timing_ = timing;
  if (timeout_ < timing.loop_wait && device_.can_be_stopped()) {
    give_up({Errc::refused, format_text("watchdog {}: its timeout of {} s is below loop_wait",
                                        device_.path(), timeout_.count())});
    return false;
  }
  if (timeout_ <= wanted) return true;
  const auto sentence =
      format_text("Watchdog timeout {} seconds does not ensure safe termination within {} seconds",
                  timeout_.count(), wanted.count());
  if (settings_.mode == WatchdogMode::required) {
    give_up({Errc::refused, sentence});
    return false;
  }
  log_warning("{}", sentence);
  return true;
}

void Watchdog::tell_device() {
  const auto before = now_();
  if (const auto told = device_.keep_alive(); !told) {
    give_up(told.error());
    return;
  }
  facts_.state = WatchdogState::active;
  facts_.resets_at = before + timeout_;
}

// Not usable: closed if it was open; whoever requires it does not lead here.
void Watchdog::give_up(const Error& why) {
  const auto level = settings_.mode == WatchdogMode::required ? LogLevel::error : LogLevel::debug;
  log(level, why.message);
  if (settings_.mode == WatchdogMode::required) {
    log_error("Configuration requires watchdog, but watchdog could not be configured.");
  }
  close_device();
  facts_.state = WatchdogState::failed;
}

WatchdogFacts Watchdog::stop() {
  const std::lock_guard lock(mutex_);
  close_device();
  if (facts_.state == WatchdogState::active) facts_.state = WatchdogState::ready;
  return facts_;
}

void Watchdog::close_device() {
  if (!device_.is_open()) return;
  const auto stopped = device_.stop();
  timing_.reset();
  if (stopped) {
    facts_.resets_at.reset();
    log_info("{} is stopped", device_.path());
    return;
  }
  // The attempt was a last word to it; more cannot be done.
  facts_.resets_at = now_() + timeout_;
  log_warning("{}; the system will reboot after {} seconds", stopped.error().message,
              timeout_.count());
}

}  // namespace tanist::watchdog

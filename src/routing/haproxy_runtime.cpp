// SPDX-License-Identifier: Apache-2.0
// One exchange after the other with one HAProxy.
#include "routing/haproxy_runtime.h"

#include "base/format.h"
#include "base/log.h"
#include "os/clock.h"
#include "routing/stream.h"

namespace tanist::routing {

namespace {

// A socket of the machine answers within a millisecond. What does not answer is left to polling.
constexpr Duration exchange_limit = milliseconds{500};
constexpr Duration between_attempts = milliseconds{100};
constexpr int attempts_max = 3;

std::string one_line(std::string text) {
  std::string line;
  for (const char c : text) {
    const bool ends = c == '\n';
    if (!ends) line += c;
    if (ends && !line.empty() && !line.ends_with("; ")) line += "; ";
  }
  if (line.ends_with("; ")) line.resize(line.size() - 2);
  return line;
}

}  // namespace

std::string haproxy_line(const HaproxyTarget& target, const Moment& moment) {
  const auto down = [&](const std::string& server) {
    return format_text("set server {0}/{1} health down;shutdown sessions server {0}/{1}",
                       target.backend, server);
  };
  if (!moment.takes_writes) return down(target.server) + "\n";
  std::string line = format_text("set server {}/{} health up", target.backend, target.server);
  for (const auto& other : moment.others) {
    if (other != target.server) line += ";" + down(other);
  }
  return line + "\n";
}

struct HaproxyRuntime::State {
  os::Executor loop;
  HaproxyTarget target;
  Hooks hooks;
  os::StopPtr stop = std::make_shared<os::Stop>();
  bool busy = false;
  bool again = false;
};

HaproxyRuntime::HaproxyRuntime(os::Executor loop, HaproxyTarget target, Hooks hooks)
    : state_(std::make_shared<State>(State{std::move(loop), std::move(target), std::move(hooks)})) {
}

HaproxyRuntime::~HaproxyRuntime() { state_->stop->request(); }

void HaproxyRuntime::tell() {
  state_->again = true;
  if (std::exchange(state_->busy, true)) return;
  os::start(state_->loop, run(state_));
}

os::Awaitable<void> HaproxyRuntime::run(std::shared_ptr<State> state) {
  int failures = 0;
  while (state->again && !state->stop->requested()) {
    state->again = false;
    bool up = false;
    const auto began = os::now();
    std::function<std::string()> line = [state, &up] {
      const auto moment = state->hooks.moment();
      up = moment.takes_writes;
      return haproxy_line(state->target, moment);
    };
    const os::Limit limit = os::Limit{Instant::max(), state->stop}.within(exchange_limit);
    const auto answer = co_await exchange(state->target.socket, line, limit);
    if (state->stop->requested()) break;
    if (answer) {
      const auto said = one_line(*answer);
      const auto took = in_milliseconds(os::now() - began);
      log_info("routing: HAProxy at {} was told that {} is {} ({} ms){}{}", state->target.socket,
               state->target.server, up ? "up" : "down", took,
               said.empty() ? "" : "; it says: ", said);
      if (up && said.empty()) state->hooks.told_up();
      continue;
    }
    if (++failures >= attempts_max) {
      log_warning("routing: HAProxy was not told, its health checks will tell it: {}",
                  answer.error().message);
      break;
    }
    state->again = true;
    const os::Limit pause = os::Limit{Instant::max(), state->stop}.within(between_attempts);
    co_await os::pause(pause);
  }
  state->busy = false;
}

}  // namespace tanist::routing

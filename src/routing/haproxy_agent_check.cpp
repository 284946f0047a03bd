// SPDX-License-Identifier: Apache-2.0
// One short answer a connection.
#include "routing/haproxy_agent_check.h"

#include <sys/socket.h>

#include <cerrno>
#include <string_view>

#include "base/log.h"
#include "routing/stream.h"

namespace tanist::routing {

namespace {

// So that a flood of callers does not keep the loop from its work.
constexpr int answers_in_a_row_max = 16;
constexpr Duration pause_without_descriptors = milliseconds{100};

void answer(int client, bool up) {
  const std::string_view word = up ? "up\n" : "down\n";
  char ignored[256];
  // What was sent (agent-send) is read, or the answer would be lost in a reset.
  while (::recv(client, ignored, sizeof ignored, MSG_DONTWAIT) > 0) {
  }
  ::send(client, word.data(), word.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

os::Awaitable<void> serve(os::Executor loop, os::Descriptor listener,
                          std::function<bool()> takes_writes, os::StopPtr stop) {
  while (!stop->requested()) {
    const os::Limit limit{Instant::max(), stop};
    const auto how = co_await os::readable(listener.get(), limit);
    if (how != os::Ended::done) break;
    for (int count = 0; count < answers_in_a_row_max; ++count) {
      const os::Descriptor client(
          ::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (client.get() >= 0) {
        answer(client.get(), takes_writes());
        continue;
      }
      if (errno == EMFILE || errno == ENFILE) {
        const os::Limit later = os::Limit{Instant::max(), stop}.within(pause_without_descriptors);
        co_await os::pause(later);
      }
      break;
    }
  }
}

}  // namespace

Result<std::unique_ptr<HaproxyAgentCheck>> HaproxyAgentCheck::open(
    const os::Executor& loop, const HostPort& address, std::function<bool()> takes_writes) {
  auto listener = listen_at(address.host, address.port);
  if (!listener) return pass_on(listener.error(), "routing.agent_check");
  auto stop = std::make_shared<os::Stop>();
  os::start(loop, serve(loop, std::move(*listener), std::move(takes_writes), stop));
  return std::unique_ptr<HaproxyAgentCheck>(new HaproxyAgentCheck(std::move(stop)));
}

HaproxyAgentCheck::~HaproxyAgentCheck() { stop_->request(); }

}  // namespace tanist::routing

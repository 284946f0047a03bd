// SPDX-License-Identifier: Apache-2.0
// Renumbering, and the two clocks.
#include "real_etcd.h"

#include <type_traits>
#include <variant>

#include "os/clock.h"

namespace tanist::bench {

RealEtcd::RealEtcd(boost::asio::any_io_executor loop, std::vector<HostPort> endpoints,
                   int connections, Instant world_begin, Instant real_begin)
    : endpoints_(std::move(endpoints)), world_begin_(world_begin), real_begin_(real_begin) {
  for (int i = 0; i < connections; ++i) {
    StoreSettings settings;
    settings.endpoints = endpoints_;
    lines_.push_back(std::make_unique<store::Etcd3Transport>(
        std::move(settings), loop, [this](store::Input input) { take(std::move(input)); }));
  }
}

store::Etcd3Transport& RealEtcd::next_line() { return *lines_[turn_++ % lines_.size()]; }

Instant RealEtcd::real(Instant world) const {
  return world == Instant::max() ? world : real_begin_ + (world - world_begin_);
}

void RealEtcd::send(sim::Host, const store::SendRpc& rpc, Instant deadline, Tell tell) {
  auto renumbered = rpc;
  renumbered.id = store::RpcId(++last_);
  renumbered.deadline = real(deadline);
  waiting_.emplace(renumbered.id, Waiting{rpc.id, std::move(tell)});
  next_line().send(renumbered, os::now());
}

sim::EtcdPort::Watch RealEtcd::open(sim::Host, const store::OpenWatch& watch, Tell tell) {
  auto renumbered = watch;
  renumbered.stream = store::RpcId(++last_);
  waiting_.emplace(renumbered.stream, Waiting{watch.stream, std::move(tell)});
  auto& line = next_line();
  line.open(renumbered, os::now());
  return std::make_shared<Handle>(Handle{renumbered.stream, &line});
}

void RealEtcd::ask_progress(const Watch& watch) {
  const auto handle = std::static_pointer_cast<Handle>(watch);
  handle->line->ask_progress(handle->id);
}

void RealEtcd::close(const Watch& watch) {
  const auto handle = std::static_pointer_cast<Handle>(watch);
  waiting_.erase(handle->id);
  handle->line->close(handle->id);
}

void RealEtcd::take(store::Input input) {
  const auto tell = [&](auto& said, store::RpcId& id, bool last) {
    const auto at = waiting_.find(id);
    if (at == waiting_.end()) return;
    id = at->second.number;
    const auto hear = at->second.tell;
    if (last) waiting_.erase(at);
    hear(std::move(said));
  };
  if (auto* answered = std::get_if<store::RpcAnswered>(&input)) {
    tell(*answered, answered->id, true);
  } else if (auto* said = std::get_if<store::WatchSaid>(&input)) {
    tell(*said, said->stream, false);
  } else if (auto* ended = std::get_if<store::WatchEnded>(&input)) {
    tell(*ended, ended->stream, true);
  }
}

}  // namespace tanist::bench

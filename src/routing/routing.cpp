// SPDX-License-Identifier: Apache-2.0
// Who is told, and when.
#include "routing/routing.h"

#include "base/log.h"

namespace tanist::routing {

Routing::Routing(os::Executor loop, os::DiskPool& disk, Hooks hooks)
    : loop_(std::move(loop)), disk_(disk), hooks_(std::move(hooks)) {}

void Routing::configure(const RoutingSettings& settings) {
  agent_check_.reset();
  haproxies_.clear();
  poolers_.clear();
  const auto takes_writes = [moment = hooks_.moment] { return moment().takes_writes; };
  if (settings.agent_check.port != 0) {
    auto opened = HaproxyAgentCheck::open(loop_, settings.agent_check, takes_writes);
    if (!opened) log_error("{}", opened.error().message);
    if (opened) agent_check_ = std::move(*opened);
  }
  for (const auto& socket : settings.haproxy_sockets) {
    HaproxyTarget target{socket, settings.haproxy_backend, settings.haproxy_server};
    haproxies_.push_back(std::make_unique<HaproxyRuntime>(loop_, std::move(target), hooks_));
  }
  username_ = settings.pgbouncer_username;
  password_ = settings.pgbouncer_password;
  for (const auto& host : settings.pgbouncer_hosts) {
    auto target = target_of(host, username_, password_, settings.pgbouncer_databases);
    poolers_.push_back(std::make_unique<Pgbouncer>(loop_, disk_, std::move(target), takes_writes));
  }
}

void Routing::tell_poolers(const TellPoolers& told, Duration limit,
                           std::function<void(bool all)> done) {
  PoolerOrder order{.what = told.what, .targets = {}, .limit = limit};
  for (const auto& host : told.hosts) {
    order.targets.push_back(target_of(host, username_, password_, told.databases));
  }
  routing::tell_poolers(loop_, disk_, std::move(order), std::move(done));
}

void Routing::consider() {
  const bool takes_writes = hooks_.moment().takes_writes;
  if (takes_writes == took_writes_) return;
  took_writes_ = takes_writes;
  for (const auto& haproxy : haproxies_) haproxy->tell();
  if (!takes_writes) return;
  for (const auto& pooler : poolers_) pooler->tell();
}

}  // namespace tanist::routing

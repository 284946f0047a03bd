// SPDX-License-Identifier: Apache-2.0
// Takes the requests of many modelled agents to a real etcd, over connections that they share.
// Called by one thread, which runs `loop` and the worlds in turn.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>
#include <vector>

#include "sim/etcd_port.h"
#include "store/etcd3_transport.h"

namespace tanist::bench {

class RealEtcd : public sim::EtcdPort {
 public:
  // The worlds began at `world_begin`, which was `real_begin` by the machine's clock.
  RealEtcd(boost::asio::any_io_executor loop, std::vector<HostPort> endpoints, int connections,
           Instant world_begin, Instant real_begin);

  std::vector<HostPort> endpoints() const override { return endpoints_; }
  void send(sim::Host from, const store::SendRpc& rpc, Instant deadline, Tell tell) override;
  Watch open(sim::Host from, const store::OpenWatch& watch, Tell tell) override;
  void ask_progress(const Watch& watch) override;
  void close(const Watch& watch) override;

 private:
  using Line = std::unique_ptr<store::Etcd3Transport>;
  // Numbers of one agent's machine are given anew, because others count alike.
  struct Waiting {
    store::RpcId number;
    Tell tell;
  };
  struct Handle {
    store::RpcId id;
    store::Etcd3Transport* line;
  };

  store::Etcd3Transport& next_line();
  Instant real(Instant world) const;
  void take(store::Input input);

  std::vector<HostPort> endpoints_;
  Instant world_begin_;
  Instant real_begin_;
  std::map<store::RpcId, Waiting> waiting_;
  std::uint64_t last_ = 0;
  std::vector<Line> lines_;
  std::size_t turn_ = 0;
};

}  // namespace tanist::bench

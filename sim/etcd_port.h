// SPDX-License-Identifier: Apache-2.0
// Where the requests of an agent's etcd machine go: to the modelled members, or, to measure real
// ones (bench/scale), to theirs.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/settings.h"
#include "sim/etcd_members.h"
#include "store/etcd3_io.h"

namespace tanist::sim {

class EtcdPort {
 public:
  using Tell = std::function<void(store::Input)>;
  using Watch = std::shared_ptr<void>;

  virtual ~EtcdPort() = default;
  virtual std::vector<HostPort> endpoints() const = 0;
  // `deadline` is the world's time. `tell` is called once, for a watch until it has ended.
  virtual void send(Host from, const store::SendRpc& rpc, Instant deadline, Tell tell) = 0;
  virtual Watch open(Host from, const store::OpenWatch& watch, Tell tell) = 0;
  virtual void ask_progress(const Watch& watch) = 0;
  virtual void close(const Watch& watch) = 0;
};

class ModelledEtcd : public EtcdPort {
 public:
  explicit ModelledEtcd(EtcdMembers& members) : members_(members) {}

  std::vector<HostPort> endpoints() const override {
    std::vector<HostPort> found;
    for (const auto& name : members_.names()) found.push_back({name, 2379});
    return found;
  }
  void send(Host from, const store::SendRpc& rpc, Instant deadline, Tell tell) override {
    members_.send(from, rpc, deadline, std::move(tell));
  }
  Watch open(Host from, const store::OpenWatch& watch, Tell tell) override {
    return members_.open(from, watch, std::move(tell));
  }
  void ask_progress(const Watch& watch) override { members_.ask_progress(stream_of(watch)); }
  void close(const Watch& watch) override { members_.close(stream_of(watch)); }

 private:
  static EtcdMembers::StreamPtr stream_of(const Watch& watch) {
    return std::static_pointer_cast<EtcdMembers::Stream>(watch);
  }

  EtcdMembers& members_;
};

}  // namespace tanist::sim

// SPDX-License-Identifier: Apache-2.0
// All logic of speaking with etcd: leases, lock, retries, endpoints, tokens, discovery, the watch
// and its resumption (safety 1; contract dcs 6-8; traps 150-163). A pure state machine: no clock,
// no I/O, no thread, no chance but the seed. Around it stands gRPC, or a model of etcd. One owner.
#pragma once

#include <cstdint>
#include <memory>

#include "core/settings.h"
#include "store/codec.h"
#include "store/etcd3_io.h"

namespace tanist::store {

struct MachineOptions {
  StoreSettings settings;
  std::uint64_t seed = 0;
  // Keep a view and learn of etcd's members. Off for single questions of the control tool.
  bool follow = true;
  KeyReaders readers = {};
};

class Etcd3Machine {
 public:
  explicit Etcd3Machine(MachineOptions options);
  Etcd3Machine(Etcd3Machine&&) noexcept;
  Etcd3Machine& operator=(Etcd3Machine&&) noexcept;
  ~Etcd3Machine();

  // First of all, once.
  Outputs start(Instant now);
  // `now` never goes back. Each StartAction has its own id.
  Outputs step(Input input, Instant now);

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tanist::store

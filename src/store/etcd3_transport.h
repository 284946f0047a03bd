// SPDX-License-Identifier: Apache-2.0
// gRPC below the etcd machine (engineering rules 6): one channel an endpoint, one thread that only
// moves completions to the loop. Everything else happens on the loop's thread, the callbacks
// included; none comes from inside a call.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/settings.h"
#include "store/etcd3_io.h"

namespace tanist::store {

class Etcd3Transport {
 public:
  // Of an RPC exactly one RpcAnswered, of a stream exactly one WatchEnded as the last; nothing
  // after it was cancelled or closed. The transport must not be destroyed from inside.
  using OnInput = std::function<void(Input)>;

  // Reads the TLS files. When they cannot be read, every RPC fails with the reason; they are read
  // again (on a thread of their own) while connections fail, so that renewed ones are found.
  Etcd3Transport(StoreSettings settings, boost::asio::any_io_executor loop, OnInput on_input);
  // Cancels what is under way and waits for gRPC to let go of it: milliseconds.
  ~Etcd3Transport();
  Etcd3Transport(const Etcd3Transport&) = delete;
  Etcd3Transport& operator=(const Etcd3Transport&) = delete;

  void send(const SendRpc& rpc, Instant now);
  void cancel(RpcId id);
  void open(const OpenWatch& watch, Instant now);
  void ask_progress(RpcId stream);
  void close(RpcId stream);
  // Connections to others are closed once nothing uses them.
  void use(const std::vector<std::string>& endpoints);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tanist::store

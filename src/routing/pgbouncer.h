// SPDX-License-Identifier: Apache-2.0
// Tells one PgBouncer that the primary moved: RECONNECT on its admin console, so that it closes
// connections to the old one (safety 5.1). Nothing is paused. Loop thread only; never waits.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/secret.h"
#include "os/deadline.h"
#include "os/disk.h"

namespace tanist::routing {

struct PgbouncerTarget {
  std::string host;  // an address, or a folder with the socket
  std::string port;
  std::string username;
  Secret password;
  std::vector<std::string> databases;  // empty = all
};

class Pgbouncer {
 public:
  Pgbouncer(os::Executor loop, os::DiskPool& disk, PgbouncerTarget target,
            std::function<bool()> takes_writes);
  ~Pgbouncer();
  Pgbouncer(const Pgbouncer&) = delete;
  Pgbouncer& operator=(const Pgbouncer&) = delete;

  // This server began to take writes. Nothing is said if that is over when the console answers.
  void tell();

 private:
  struct State;
  static os::Awaitable<void> run(std::shared_ptr<State> state);
  static os::Awaitable<Result<void>> reconnect(std::shared_ptr<State> state, os::Limit limit);

  std::shared_ptr<State> state_;
};

}  // namespace tanist::routing

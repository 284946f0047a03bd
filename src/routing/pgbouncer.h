// SPDX-License-Identifier: Apache-2.0
// Tells one PgBouncer that the primary moved: RECONNECT on its admin console, so that it closes
// connections to the old one (safety 5.1). Nothing is paused. Loop thread only; never waits.
#pragma once

#include <functional>
#include <memory>

#include "os/deadline.h"
#include "routing/pgbouncer_console.h"

namespace tanist::routing {

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

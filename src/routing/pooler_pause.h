// SPDX-License-Identifier: Apache-2.0
// Holds the clients of poolers back over a switchover, and lets them go (safety 5.1). Loop thread
// only.
#pragma once

#include <functional>
#include <vector>

#include "core/action.h"
#include "routing/pgbouncer_console.h"

namespace tanist::routing {

struct PoolerOrder {
  TellPoolers::What what = TellPoolers::What::resume;
  std::vector<PgbouncerTarget> targets;
  Duration limit{};
};

// All of them at once. Ends within the limit (and half a second for who did not pause in time and
// has to be told to go on); `done` is then told whether every one of them confirmed. What went
// wrong is logged.
void tell_poolers(os::Executor loop, os::DiskPool& disk, PoolerOrder order,
                  std::function<void(bool all)> done);

}  // namespace tanist::routing

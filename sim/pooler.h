// SPDX-License-Identifier: Apache-2.0
// A PgBouncer between clients and the primary, as far as agents tell it to hold clients back
// (safety 5.1): it answers soon, late or never, and may have done what it did not answer. Nobody
// but an agent resumes it. Its clients are not modelled. Owned by the cluster.
#pragma once

#include <functional>

#include "core/action.h"
#include "sim/world.h"

namespace tanist::sim {

class Pooler {
 public:
  explicit Pooler(World& world) : world_(world) {}

  bool paused() const { return paused_; }
  // Told of each pause, when it begins.
  std::function<void()> on_pause;

  // `answer` comes at once, or never.
  void tell(TellPoolers::What what, Random& chance, std::function<void()> answer) {
    const bool heard = !chance.one_in(8);
    const bool answers = heard && !chance.one_in(8);
    const auto way = chance.between(std::chrono::microseconds(100), milliseconds(5));
    const auto late = chance.one_in(8) ? chance.between(milliseconds(5), milliseconds(3000)) : way;
    if (heard) world_.after(late, [this, what] { take(what); });
    if (answers) world_.after(late + way, std::move(answer));
  }

 private:
  void take(TellPoolers::What what) {
    const bool pauses = what == TellPoolers::What::pause;
    world_.tell("pooler", "{}", pauses ? "holds clients back" : "lets clients go");
    if (pauses && !paused_ && on_pause) on_pause();
    paused_ = pauses;
  }

  World& world_;
  bool paused_ = false;
};

}  // namespace tanist::sim

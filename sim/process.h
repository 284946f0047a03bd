// SPDX-License-Identifier: Apache-2.0
// A process of the modelled world: what it plans happens only while it lives, and waits while it is
// stopped. Stopping counts, because a machine and an operator may both have stopped it. Used by its
// owner only.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/world.h"

namespace tanist::sim {

class Process {
 public:
  explicit Process(World& world) : world_(world) {}

  bool alive() const { return alive_; }
  bool stopped() const { return stops_ > 0; }
  bool runs() const { return alive_ && stops_ == 0; }
  // Tells one life of this process from another.
  std::uint64_t life() const { return life_; }

  void start() {
    alive_ = true;
    ++life_;
    waiting_.clear();
  }
  void end() {
    alive_ = false;
    ++life_;
    waiting_.clear();
  }

  // In this life of the process, `delay` from now, or when it goes on.
  template <class What>
  void after(Duration delay, What&& what) {
    world_.after(delay, [this, life = life_, what = std::forward<What>(what)]() mutable {
      if (life != life_) return;
      if (stops_ > 0) {
        waiting_.emplace_back(std::move(what));
      } else {
        what();
      }
    });
  }

  void stop() { ++stops_; }
  // What waited happens in its order; `latency` until the process is scheduled again.
  void go_on(Duration latency) {
    if (stops_ == 0 || --stops_ > 0) return;
    auto waiting = std::move(waiting_);
    waiting_.clear();
    for (auto& what : waiting) after(latency, std::move(what));
  }

 private:
  World& world_;
  bool alive_ = false;
  int stops_ = 0;
  std::uint64_t life_ = 0;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace tanist::sim

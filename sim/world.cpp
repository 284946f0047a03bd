// SPDX-License-Identifier: Apache-2.0
// The queue of events.
#include "sim/world.h"

#include <algorithm>

namespace tanist::sim {

World::World(std::uint64_t seed, bool with_story) : chance_(seed), with_story_(with_story) {}

bool World::later(const Planned& a, const Planned& b) {
  return a.at != b.at ? a.at > b.at : a.sequence > b.sequence;
}

void World::at(Instant when, std::function<void()> what) {
  queue_.push_back({std::max(when, now_), ++sequence_, std::move(what)});
  std::ranges::push_heap(queue_, later);
}

void World::run_until(Instant end) {
  while (!stopped_ && !queue_.empty() && queue_.front().at <= end) {
    std::ranges::pop_heap(queue_, later);
    auto event = std::move(queue_.back());
    queue_.pop_back();
    now_ = event.at;
    ++events_;
    note(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    note(event.sequence);
    event.what();
    if (check_) check_();
  }
  if (!stopped_) now_ = std::max(now_, end);
}

void World::note(std::uint64_t value) {
  hash_ = (hash_ ^ value) * 1099511628211U;
  hash_ ^= hash_ >> 29U;
}

WallTime World::wall() const {
  constexpr WallTime first{seconds(1'767'225'600)};  // 2026-01-01
  return first + std::chrono::duration_cast<std::chrono::microseconds>(elapsed());
}

void World::write(std::string_view who, std::string text) {
  const auto ms = in_milliseconds(elapsed());
  story_.push_back(format_text("{:>6}.{:03} {:<7} {}", ms / 1000, ms % 1000, who, text));
}

}  // namespace tanist::sim

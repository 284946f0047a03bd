// SPDX-License-Identifier: Apache-2.0
// The queue of events.
#include "sim/world.h"

#include <algorithm>

namespace tanist::sim {

World::World(std::uint64_t seed, bool with_story) : chance_(seed), with_story_(with_story) {}

World::~World() {
  for (const auto& planned : queue_) happenings_.drop(planned.what);
}

void World::plan(Instant when, Happenings::Number what) {
  const Planned planned{std::max(when, now_), ++sequence_, what};
  auto at = queue_.end();
  while (at != queue_.begin() && std::prev(at)->at <= planned.at) --at;
  queue_.insert(at, planned);
}

void World::run_until(Instant end) {
  while (!stopped_ && !queue_.empty() && queue_.back().at <= end) {
    const auto event = queue_.back();
    queue_.pop_back();
    now_ = event.at;
    ++events_;
    note(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
    note(event.sequence);
    happenings_.happen(event.what);
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

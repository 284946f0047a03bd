// SPDX-License-Identifier: Apache-2.0
// Chance from one 64-bit seed: SplitMix64. The only source of chance in the simulator, so that a
// run can be repeated. Not thread safe; a value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace tanist::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    auto mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }

  // 0 to `end` - 1. Requires end > 0.
  std::uint64_t below(std::uint64_t end) { return next() % end; }
  std::size_t index(std::size_t size) { return static_cast<std::size_t>(below(size)); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  bool permille(int chance) { return static_cast<int>(below(1000)) < chance; }
  Duration between(Duration least, Duration most) {
    const auto width = static_cast<std::uint64_t>((most - least).count()) + 1;
    return least + Duration(static_cast<std::int64_t>(below(width)));
  }
  template <class T>
  const T& of(const std::vector<T>& choices) {
    return choices[index(choices.size())];
  }
  // A generator of its own, so that adding a question in one place does not shift all others.
  Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace tanist::sim

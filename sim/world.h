// SPDX-License-Identifier: Apache-2.0
// Virtual time: a queue of what will happen, ordered by time and then by order of planning. A hash
// of everything that happened, and the story of it for people. One thread; no clock.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/format.h"
#include "base/time.h"
#include "sim/happening.h"
#include "sim/random.h"

namespace tanist::sim {

class World {
 public:
  World(std::uint64_t seed, bool with_story);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Instant now() const { return now_; }
  Random& chance() { return chance_; }

  // Runs `what` at `when`, or now if that has passed.
  template <class What>
  void at(Instant when, What&& what) {
    plan(when, happenings_.keep(std::forward<What>(what)));
  }
  template <class What>
  void after(Duration delay, What&& what) {
    at(now_ + delay, std::forward<What>(what));
  }

  // Runs events until `end`, or until stop() was called.
  void run_until(Instant end);
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

  // Called after every event.
  void after_each(std::function<void()> check) { check_ = std::move(check); }

  // Makes the hash depend on `value`.
  void note(std::uint64_t value);
  std::uint64_t hash() const { return hash_; }
  std::uint64_t events() const { return events_; }

  template <class... Args>
  void tell(std::string_view who, fmt::format_string<Args...> text, Args&&... args) {
    if (with_story_) write(who, format_text(text, std::forward<Args>(args)...));
  }
  bool with_story() const { return with_story_; }
  const std::vector<std::string>& story() const { return story_; }

  // Since the beginning of the run.
  Duration elapsed() const { return now_ - begin_; }
  WallTime wall() const;

 private:
  struct Planned {
    Instant at;
    std::uint32_t sequence;
    Happenings::Number what;
  };
  void plan(Instant when, Happenings::Number what);
  void write(std::string_view who, std::string text);

  static constexpr Instant begin_{seconds(1'000'000)};
  Instant now_ = begin_;
  Random chance_;
  bool with_story_;
  bool stopped_ = false;
  Happenings happenings_;
  // The next one last. Some dozens, and most are planned for the nearest future, so that few have
  // to move for a new one.
  std::vector<Planned> queue_;
  std::uint32_t sequence_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t hash_ = 14695981039346656037U;
  std::function<void()> check_;
  std::vector<std::string> story_;
};

}  // namespace tanist::sim

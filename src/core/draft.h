// SPDX-License-Identifier: Apache-2.0
// A decision while it is being made: what is observed, the memory to come, the actions so far.
// Lives within one decide(); never kept. One thread.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/format.h"
#include "core/observation.h"

namespace tanist {

class Draft {
 public:
  explicit Draft(const Observation& observation)
      : obs(observation), next(*observation.memory), wake_at_(observation.next_cycle) {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const Observation& obs;
  Memory next;
  std::optional<Why> ended;  // what the end of a long action has to say

  // Orders one action. Does nothing when its task is under way or ordered already.
  void start(Task task, decltype(StartTask::body) body, Instant until) {
    if (obs.running(task) || ordered(task)) return;
    actions_.emplace_back(StartTask{task, std::move(body), until});
  }
  void start(Task task, decltype(StartTask::body) body, Duration limit) {
    start(task, std::move(body), obs.now + limit);
  }
  bool ordered(Task task) const {
    return std::ranges::any_of(actions_, [&](const Action& action) {
      const auto* started = std::get_if<StartTask>(&action);
      return started != nullptr && started->task == task;
    });
  }
  bool busy(Task task) const { return obs.running(task) || ordered(task); }

  void order(Action action) { actions_.push_back(std::move(action)); }

  template <class... Args>
  void log(LineLevel level, fmt::format_string<Args...> text, Args&&... args) {
    actions_.emplace_back(LogLine{level, format_text(text, std::forward<Args>(args)...)});
  }

  // Decide again at `instant` at the latest.
  void wake(Instant instant) { wake_at_ = std::min(wake_at_, instant); }
  void wake(Duration delay) { wake(obs.now + delay); }

  Decision finish(Why why) {
    return Decision{std::move(why), std::move(actions_), std::move(next), wake_at_};
  }

 private:
  std::vector<Action> actions_;
  Instant wake_at_;
};

inline Why because(Reason reason, std::string subject = {}, std::string detail = {}) {
  return Why{reason, std::move(subject), std::move(detail)};
}

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Callbacks (contract postgres 12.1, trap 143): one at a time; a new one ends a running one, with
// its children, and starts after that; of several that wait only the newest runs. on_reload has a
// lane of its own. Nobody waits for a callback. Loop thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/disk.h"
#include "os/process.h"

namespace tanist::postgres {

struct CallbackRun {
  std::vector<std::string> command;  // program, its arguments, ACTION ROLE SCOPE
  std::vector<std::string> environment;
};

class CallbackLane {
 public:
  // on_reload's lane asks its predecessor to end before it kills it.
  CallbackLane(os::Executor loop, os::DiskPool& disk, bool asks_first);

  void run(CallbackRun next);

 private:
  struct State;
  static os::Awaitable<void> work(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

class Callbacks {
 public:
  Callbacks(const os::Executor& loop, os::DiskPool& disk)
      : usual_(loop, disk, false), reload_(loop, disk, true) {}

  void run(const std::string& event, CallbackRun next) {
    (event == "on_reload" ? reload_ : usual_).run(std::move(next));
  }

 private:
  CallbackLane usual_;
  CallbackLane reload_;
};

}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// For tests and small programs: runs one coroutine on a loop of its own until it has ended.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

#include "os/deadline.h"

namespace tanist::os {

// Runs `task` (an Awaitable<T>) on `loop` and returns its value; other work of the loop goes on
// meanwhile. Exceptions of the task are thrown here.
template <class T>
T run_until_done(boost::asio::io_context& loop, Awaitable<T> task) {
  std::optional<T> value;
  std::exception_ptr thrown;
  bool ended = false;
  boost::asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, T result) {
    thrown = error;
    if (!error) value.emplace(std::move(result));
    ended = true;
  });
  loop.restart();
  while (!ended && loop.run_one() > 0) {
  }
  if (thrown) std::rethrow_exception(thrown);
  return std::move(*value);
}

}  // namespace tanist::os

// SPDX-License-Identifier: Apache-2.0
// Threads for everything that may wait for a disk, a name or a slow system call. Each job has a
// deadline; a thread past it is left behind, replaced and counted, and its caller goes on
// (engineering rules, 3). submit() from the loop thread; counts() from any thread.
#pragma once

#include <boost/asio/this_coro.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "os/deadline.h"

namespace tanist::os {

class DiskPool {
 public:
  // Threads at work at once: `threads` are kept, up to `threads_max` while jobs queue up.
  explicit DiskPool(int threads = 2, int threads_max = 4);
  DiskPool(const DiskPool&) = delete;
  DiskPool& operator=(const DiskPool&) = delete;
  // Waits for running jobs that are within their deadline; threads left behind end by themselves.
  ~DiskPool();

  struct Counts {
    int threads = 0;        // at work or idle, without those left behind
    int left_behind = 0;    // still stuck past their deadline
    int left_in_total = 0;  // since the start
    int waiting = 0;        // jobs without a thread
  };
  Counts counts() const;

  class Threads;  // outlives the pool while a thread is stuck
  struct Job;
  using JobPtr = std::shared_ptr<Job>;

  const std::shared_ptr<Threads>& threads() const { return threads_; }

 private:
  std::shared_ptr<Threads> threads_;
};

namespace detail {

DiskPool::JobPtr submit(const std::shared_ptr<DiskPool::Threads>& threads,
                        std::function<void()> work);
// The caller waits no longer: takes the job out of the queue, or gives its thread up.
void leave(const std::shared_ptr<DiskPool::Threads>& threads, const DiskPool::JobPtr& job);
// Runs `function`, turning exceptions of the standard library into an Error.
std::optional<Error> caught(const std::function<void()>& function);

template <class T>
struct AsResult {
  using type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
  using type = Result<T>;
};

// Where a job leaves its answer. All that belongs to the loop is dropped by the loop's thread, so
// that a thread left behind touches nothing of a loop that is gone.
template <class Answer>
struct DiskAnswer {
  std::mutex mutex;
  OccurrencePtr done;  // empty = nobody waits any more
  std::optional<Answer> value;
};

template <class Answer>
class WaitingForDisk {
 public:
  explicit WaitingForDisk(const OccurrencePtr& done) { answer->done = done; }
  WaitingForDisk(const WaitingForDisk&) = delete;
  WaitingForDisk& operator=(const WaitingForDisk&) = delete;
  ~WaitingForDisk() {
    const std::scoped_lock lock(answer->mutex);
    answer->done = nullptr;
  }

  const std::shared_ptr<DiskAnswer<Answer>> answer = std::make_shared<DiskAnswer<Answer>>();
};

template <class Answer, class F>
std::function<void()> disk_work(std::shared_ptr<DiskAnswer<Answer>> answer, F function) {
  auto shared = std::make_shared<F>(std::move(function));
  return [answer = std::move(answer), shared] {
    std::optional<Answer> value;
    const auto error = caught([&] {
      if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
        (*shared)();
        value.emplace();
      } else {
        value.emplace((*shared)());
      }
    });
    if (error) value.emplace(tl::unexpected<Error>(*error));
    const std::scoped_lock lock(answer->mutex);
    answer->value.emplace(std::move(*value));
    if (answer->done) answer->done->happen_from_outside();
  };
}

template <class Answer, class F>
Awaitable<Answer> run_on_disk(std::shared_ptr<DiskPool::Threads> threads, Limit limit, F function) {
  auto done = std::make_shared<Occurrence>(co_await boost::asio::this_coro::executor);
  const WaitingForDisk<Answer> waiting(done);
  const auto job = submit(threads, disk_work(waiting.answer, std::move(function)));
  const auto how = co_await until(done, limit);
  if (how != Ended::done) {
    leave(threads, job);
    co_return tl::unexpected<Error>(not_done(how, "waiting for the disk"));
  }
  const std::scoped_lock lock(waiting.answer->mutex);
  co_return std::move(*waiting.answer->value);
}

}  // namespace detail

// Runs `function` (returning T, void or Result<T>) on a thread of the pool and awaits its answer as
// a Result. Errc::timeout when `limit` passed first: the function may still run and even succeed,
// so it owns all that it touches. Loop thread only.
template <class F>
auto on_disk(DiskPool& pool, Limit limit, F function) {
  using Answer = typename detail::AsResult<std::invoke_result_t<F>>::type;
  return detail::run_on_disk<Answer>(pool.threads(), std::move(limit), std::move(function));
}

}  // namespace tanist::os

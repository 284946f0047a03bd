// SPDX-License-Identifier: Apache-2.0
// The queue of jobs and the threads that take from it.
#include "os/disk.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <thread>

#include "base/log.h"

namespace tanist::os {

struct DiskPool::Job {
  enum class State { waiting, running, finished, left };
  std::function<void()> work;
  State state = State::waiting;
};

class DiskPool::Threads : public std::enable_shared_from_this<DiskPool::Threads> {
 public:
  Threads(int kept, int most) : kept_(kept), most_(most) {}

  JobPtr submit(std::function<void()> work) {
    auto job = std::make_shared<Job>();
    job->work = std::move(work);
    const std::scoped_lock lock(mutex_);
    queue_.push_back(job);
    start_thread_if_needed();
    wake_.notify_one();
    return job;
  }

  void leave(const JobPtr& job) {
    const std::scoped_lock lock(mutex_);
    if (job->state == Job::State::waiting) {
      std::erase(queue_, job);
      job->state = Job::State::left;
    } else if (job->state == Job::State::running) {
      job->state = Job::State::left;
      --threads_;
      --busy_;
      ++left_behind_;
      ++left_in_total_;
      start_thread_if_needed();
    }
  }

  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    wake_.notify_all();
    ended_.wait(lock, [this] { return threads_ == 0; });
  }

  Counts counts() {
    const std::scoped_lock lock(mutex_);
    return {threads_, left_behind_, left_in_total_, static_cast<int>(queue_.size())};
  }

 private:
  // Threads that never come back are a fault of the machine; past this number jobs just wait.
  static constexpr int left_behind_max = 64;

  // Requires: locked.
  void start_thread_if_needed() {
    const bool too_few = static_cast<int>(queue_.size()) > threads_ - busy_;
    if (closed_ || left_behind_ > left_behind_max) return;
    if (threads_ < (too_few ? most_ : kept_)) {
      ++threads_;
      std::thread([self = shared_from_this()] { self->run(); }).detach();
    }
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return closed_ || !queue_.empty() || threads_ > kept_; });
      if (queue_.empty()) break;
      const auto job = queue_.front();
      queue_.pop_front();
      if (!perform(job, lock)) return;
    }
    --threads_;
    ended_.notify_all();
  }

  // False when this thread was left behind meanwhile: it is no longer one of the pool.
  bool perform(const JobPtr& job, std::unique_lock<std::mutex>& lock) {
    job->state = Job::State::running;
    ++busy_;
    lock.unlock();
    job->work();
    job->work = nullptr;
    lock.lock();
    if (job->state == Job::State::left) {
      --left_behind_;
      return false;
    }
    job->state = Job::State::finished;
    --busy_;
    return true;
  }

  const int kept_;
  const int most_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;
  std::deque<JobPtr> queue_;
  int threads_ = 0;
  int busy_ = 0;
  int left_behind_ = 0;
  int left_in_total_ = 0;
  bool closed_ = false;
};

DiskPool::DiskPool(int threads, int threads_max)
    : threads_(std::make_shared<Threads>(threads, threads_max)) {}

DiskPool::~DiskPool() { threads_->close(); }

DiskPool::Counts DiskPool::counts() const { return threads_->counts(); }

namespace detail {

DiskPool::JobPtr submit(const std::shared_ptr<DiskPool::Threads>& threads,
                        std::function<void()> work) {
  return threads->submit(std::move(work));
}

void leave(const std::shared_ptr<DiskPool::Threads>& threads, const DiskPool::JobPtr& job) {
  threads->leave(job);
}

std::optional<Error> caught(const std::function<void()>& function) {
  try {
    function();
    return std::nullopt;
  } catch (const std::exception& thrown) {
    return Error{Errc::failed, thrown.what()};
  }
}

}  // namespace detail

}  // namespace tanist::os

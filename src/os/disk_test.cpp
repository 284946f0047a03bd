// SPDX-License-Identifier: Apache-2.0
// Jobs run on other threads; a stuck one costs its caller the deadline and nobody else anything.
#include "os/disk.h"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <thread>

#include "os/clock.h"
#include "os/run_loop.h"

namespace tanist::os {
namespace {

class Disk : public testing::Test {
 protected:
  template <class F>
  auto run(F function, Limit limit = {}) {
    return run_until_done(loop, on_disk(pool, limit, std::move(function)));
  }
  // A job that hangs until `release` is set.
  auto stuck() {
    return [gate = gate] { gate.wait(); };
  }
  void TearDown() override { release.set_value(); }

  std::promise<void> release;
  std::shared_future<void> gate = release.get_future().share();
  boost::asio::io_context loop;
  DiskPool pool;
};

TEST_F(Disk, AnswersWithWhatTheFunctionReturns) {
  EXPECT_EQ(run([] { return 7; }), 7);
  EXPECT_EQ(run([]() -> Result<int> { return fail(Errc::refused, "no"); }).error().message, "no");
  EXPECT_TRUE(run([] {}));
}

TEST_F(Disk, RunsOnAnotherThread) {
  EXPECT_NE(*run([] { return std::this_thread::get_id(); }), std::this_thread::get_id());
}

TEST_F(Disk, TurnsExceptionsIntoErrors) {
  EXPECT_EQ(run([]() -> int { throw std::runtime_error("torn"); }).error().message, "torn");
}

TEST_F(Disk, AThreadPastItsDeadlineIsLeftBehindReplacedAndCounted) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(run(stuck(), Limit{}.within(milliseconds{20})).error().code, Errc::timeout);
  }
  EXPECT_EQ(pool.counts().left_behind, 6);
  EXPECT_EQ(pool.counts().left_in_total, 6);
  EXPECT_EQ(run([] { return 1; }, Limit{}.within(seconds{10})), 1);
}

TEST_F(Disk, AJobThatWaitsForAThreadIsTakenBackAtItsDeadline) {
  DiskPool narrow(1, 1);
  auto first = on_disk(narrow, Limit{}.within(milliseconds{100}), stuck());
  bool ran = false;
  auto second = on_disk(narrow, Limit{}.within(milliseconds{20}), [&ran] { ran = true; });
  const auto both = [](auto one, auto two) -> Awaitable<Errc> {
    start(co_await boost::asio::this_coro::executor,
          [](auto task) -> Awaitable<void> { co_await std::move(task); }(std::move(one)));
    auto result = co_await std::move(two);
    co_return result.error().code;
  };
  EXPECT_EQ(run_until_done(loop, both(std::move(first), std::move(second))), Errc::timeout);
  EXPECT_FALSE(ran);
  EXPECT_EQ(narrow.counts().waiting, 0);
  release.set_value();
  release = {};
}

TEST_F(Disk, MoreThreadsHelpWhileJobsQueueUp) {
  std::vector<Result<void>> answers;
  const auto keep = [](std::vector<Result<void>>* out, auto task) -> Awaitable<void> {
    auto answer = co_await std::move(task);
    out->push_back(std::move(answer));
  };
  for (int i = 0; i < 3; ++i)
    start(loop.get_executor(), keep(&answers, on_disk(pool, {}, stuck())));
  EXPECT_EQ(run([] { return 1; }, Limit{}.within(seconds{10})), 1);
  EXPECT_EQ(pool.counts().left_behind, 0);
}

TEST_F(Disk, AStopEndsTheWaitForAJob) {
  const auto stop = std::make_shared<Stop>();
  stop->request();
  EXPECT_EQ(run(stuck(), Limit{.stop = stop}).error().code, Errc::cancelled);
}

TEST_F(Disk, AnAnswerThatComesAfterTheLoopIsGoneHarmsNobody) {
  std::promise<void> late;
  auto shared = late.get_future().share();
  {
    boost::asio::io_context short_lived;
    const auto waiting = [](auto task) -> Awaitable<void> { co_await std::move(task); };
    start(short_lived.get_executor(), waiting(on_disk(pool, {}, [shared] { shared.wait(); })));
    short_lived.poll();
  }
  late.set_value();
  EXPECT_EQ(run([] { return 1; }), 1);
}

}  // namespace
}  // namespace tanist::os

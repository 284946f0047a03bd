// SPDX-License-Identifier: Apache-2.0
// Waits end when the thing happens, at the deadline, or on request.
#include "os/deadline.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <thread>

#include "os/clock.h"
#include "os/run_loop.h"

namespace tanist::os {
namespace {

class Deadline : public testing::Test {
 protected:
  Ended wait(const OccurrencePtr& what, Limit limit) {
    return run_until_done(loop, until(what, std::move(limit)));
  }
  OccurrencePtr occurrence() { return std::make_shared<Occurrence>(loop.get_executor()); }

  boost::asio::io_context loop;
};

TEST_F(Deadline, PassesWhenNothingHappens) {
  const auto begin = now();
  EXPECT_EQ(wait(occurrence(), Limit{}.within(milliseconds{30})), Ended::deadline);
  EXPECT_GE(now() - begin, milliseconds{30});
}

TEST_F(Deadline, AnOccurrenceBeforeTheWaitCounts) {
  const auto what = occurrence();
  what->happen();
  EXPECT_EQ(wait(what, Limit{.at = now() - seconds{1}}), Ended::done);
}

TEST_F(Deadline, OneThatPassedAlreadyEndsTheWaitAtOnce) {
  const auto begin = now();
  EXPECT_EQ(wait(occurrence(), Limit{.at = Instant{}}), Ended::deadline);
  EXPECT_LT(now() - begin, seconds{1});
}

TEST_F(Deadline, AReportFromAnotherThreadEndsAnEndlessWait) {
  const auto what = occurrence();
  std::thread other([what] { what->happen_from_outside(); });
  EXPECT_EQ(wait(what, Limit{}), Ended::done);
  other.join();
}

TEST_F(Deadline, AStopEndsEveryWaitThatCarriesIt) {
  const auto stop = std::make_shared<Stop>();
  std::vector<Ended> ends;
  const auto waiter = [](std::vector<Ended>* out, Limit limit) -> Awaitable<void> {
    const auto how = co_await pause(limit);
    out->push_back(how);
  };
  start(loop.get_executor(), waiter(&ends, Limit{.stop = stop}));
  start(loop.get_executor(), waiter(&ends, Limit{.stop = stop}));
  loop.poll();
  EXPECT_TRUE(ends.empty());
  stop->request();
  loop.restart();
  loop.run();
  EXPECT_EQ(ends, (std::vector{Ended::stopped, Ended::stopped}));
}

TEST_F(Deadline, AStopThatWasRequestedBeforeEndsTheWaitAtOnce) {
  const auto stop = std::make_shared<Stop>();
  stop->request();
  EXPECT_EQ(wait(occurrence(), Limit{.stop = stop}), Ended::stopped);
}

TEST_F(Deadline, ReadableWaitsForData) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Descriptor ours(ends[0]);
  const Descriptor theirs(ends[1]);
  const auto brief = Limit{}.within(milliseconds{20});
  EXPECT_EQ(run_until_done(loop, readable(ours.get(), brief)), Ended::deadline);
  ASSERT_EQ(write(theirs.get(), "x", 1), 1);
  EXPECT_EQ(run_until_done(loop, readable(ours.get(), Limit{})), Ended::done);
  EXPECT_EQ(run_until_done(loop, writable(ours.get(), Limit{})), Ended::done);
}

TEST_F(Deadline, ADescriptorThatCannotBeWatchedCountsAsReady) {
  EXPECT_EQ(run_until_done(loop, readable(-1, Limit{})), Ended::done);
}

TEST(LimitOf, CombinesByTheEarlierEnd) {
  const Limit limit{.at = Instant{seconds{10}}};
  EXPECT_EQ(limit.no_later_than(Instant{seconds{5}}).at, Instant{seconds{5}});
  EXPECT_EQ(limit.no_later_than(Instant{seconds{15}}).at, Instant{seconds{10}});
  EXPECT_FALSE(Limit{}.over());
  EXPECT_TRUE(limit.over());
}

TEST_F(Deadline, ALoopMayEndWhileSomethingWaits) {
  auto short_lived = std::make_unique<boost::asio::io_context>();
  const auto waiter = [](Limit limit) -> Awaitable<void> { co_await pause(limit); };
  start(short_lived->get_executor(), waiter(Limit{}));
  short_lived->poll();
  short_lived.reset();
}

}  // namespace
}  // namespace tanist::os

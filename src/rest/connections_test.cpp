// SPDX-License-Identifier: Apache-2.0
// Deadlines and the choice of the connection that has to go.
#include "rest/connections.h"

#include <gtest/gtest.h>

namespace tanist::rest {
namespace {

constexpr Instant at(int second) { return Instant(seconds(second)); }

TEST(Connections, TheLongestIdleOneGoesFirst) {
  Connections connections(2);
  connections.open(1, at(10));
  connections.open(2, at(10));
  EXPECT_TRUE(connections.is_full());
  EXPECT_EQ(connections.longest_idle(), 1U);
  connections.touch(1, at(20));
  EXPECT_EQ(connections.longest_idle(), 2U);
  connections.close(2);
  EXPECT_FALSE(connections.is_full());
  EXPECT_EQ(connections.longest_idle(), 1U);
}

TEST(Connections, OnesThatWaitForTheLoopStay) {
  Connections connections(2);
  connections.open(1, at(10));
  connections.open(2, at(10));
  connections.wait_for_loop(1, at(60));
  EXPECT_EQ(connections.longest_idle(), 2U);
  connections.wait_for_loop(2, at(60));
  EXPECT_EQ(connections.longest_idle(), std::nullopt);
  EXPECT_EQ(connections.waiting(), 2U);
  connections.touch(1, at(70));
  EXPECT_EQ(connections.waiting(), 1U);
  EXPECT_EQ(connections.longest_idle(), 1U);
  connections.close(2);
  EXPECT_EQ(connections.waiting(), 0U);
}

TEST(Connections, DeadlinesArePerConnection) {
  Connections connections(9);
  EXPECT_EQ(connections.next_deadline(), std::nullopt);
  connections.open(1, at(30));
  connections.open(2, at(10));
  EXPECT_EQ(connections.next_deadline(), at(10));
  connections.touch(2, at(40));
  EXPECT_EQ(connections.next_deadline(), at(30));
  EXPECT_EQ(connections.expired(at(29)), std::vector<ConnectionId>{});
  EXPECT_EQ(connections.expired(at(30)), std::vector<ConnectionId>{1});
  EXPECT_EQ(connections.expired(at(40)).size(), 2U);
}

TEST(Connections, ClosedIdsChangeNothing) {
  Connections connections(1);
  connections.open(1, at(10));
  connections.close(1);
  connections.close(1);
  connections.touch(1, at(20));
  connections.wait_for_loop(1, at(20));
  EXPECT_EQ(connections.size(), 0U);
  EXPECT_EQ(connections.waiting(), 0U);
  EXPECT_EQ(connections.next_deadline(), std::nullopt);
}

}  // namespace
}  // namespace tanist::rest

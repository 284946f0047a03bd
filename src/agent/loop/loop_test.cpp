// SPDX-License-Identifier: Apache-2.0
// What the loop says to the operator.
#include "agent/loop/loop.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist::agent {
namespace {

using testing::at_ms;
using testing::Given;

// The loop comes by many times in a cycle; alerting wants one line (contract ha 26).
TEST(LoopLines, AStoreOutageIsSaidOnceACycle) {
  LoopStart start;
  start.node.name = MemberName("new");  // nobody else has it: no namesake is looked for
  start.config = Tree::map({{"ttl", 30}, {"loop_wait", 10}, {"retry_timeout", 10}});
  auto loop = Loop::make(start, at_ms(0));
  ASSERT_TRUE(loop);
  Given world("b");
  loop->step(ViewArrived{std::make_shared<const ClusterView>(world.view())}, at_ms(0), WallTime());
  StoreHealth gone;
  gone.view_current = false;
  std::vector<std::string> errors;
  for (std::int64_t ms = 0; ms < 35'000; ms += 100) {
    for (const auto& line : loop->step(HealthChanged{gone}, at_ms(ms), WallTime()).log) {
      if (line.level == LineLevel::error) errors.push_back(line.text);
    }
  }
  EXPECT_GE(errors.size(), 2U);
  EXPECT_LE(errors.size(), 4U);
  for (const auto& text : errors) EXPECT_EQ(text, "Error communicating with DCS");
}

}  // namespace
}  // namespace tanist::agent

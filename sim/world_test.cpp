// SPDX-License-Identifier: Apache-2.0
// Virtual time: the order of events, and what becomes of those that never happen.
#include "sim/world.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>

namespace tanist::sim {
namespace {

TEST(World, ThingsHappenInTheOrderOfTimeAndThenOfPlanning) {
  World world(1, false);
  std::string order;
  const auto plan = [&](int ms, char name) {
    world.after(milliseconds(ms), [&order, name] { order += name; });
  };
  plan(30, 'd');
  plan(10, 'a');
  plan(20, 'b');
  plan(20, 'c');
  world.at(world.now() - seconds(1), [&order] { order += 'n'; });  // now, if that has passed
  world.run_until(world.now() + milliseconds(20));
  EXPECT_EQ(order, "nabc");
  EXPECT_EQ(world.elapsed(), milliseconds(20));
  world.run_until(world.now() + seconds(1));
  EXPECT_EQ(order, "nabcd");
}

TEST(World, AnyOrderOfPlanningGivesTheSameOrderOfEvents) {
  World world(1, false);
  Random chance(7);
  Instant last = world.now();
  int happened = 0;
  for (int i = 0; i < 2000; ++i) {
    world.after(chance.between(Duration(0), seconds(5)), [&] {
      EXPECT_GE(world.now(), last);
      last = world.now();
      ++happened;
    });
  }
  world.run_until(world.now() + seconds(5));
  EXPECT_EQ(happened, 2000);
}

// Places of what is planned must not move while something in one of them happens.
TEST(World, WhatHappensMayPlanMuchMore) {
  World world(1, false);
  const std::array<std::uint64_t, 4> own{1, 2, 3, 4};
  std::uint64_t sum = 0;
  world.after(Duration(0), [&world, &sum, own] {
    for (int i = 0; i < 1000; ++i) world.after(seconds(1), [&sum] { ++sum; });
    sum += own[0] + own[3];
  });
  world.run_until(world.now() + seconds(2));
  EXPECT_EQ(sum, 1005U);
}

TEST(World, LargeThingsAreKeptAsWell) {
  World world(1, false);
  std::array<std::uint64_t, 100> many{};
  many[99] = 5;
  std::uint64_t found = 0;
  world.after(seconds(1), [&found, many] { found = many[99]; });
  world.run_until(world.now() + seconds(1));
  EXPECT_EQ(found, 5U);
}

TEST(World, WhatNeverHappensIsLetGo) {
  const auto held = std::make_shared<int>(1);
  {
    World world(1, false);
    world.after(seconds(1), [held] { FAIL(); });
    world.after(Duration(0), [held] {});
    world.run_until(world.now());
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace tanist::sim

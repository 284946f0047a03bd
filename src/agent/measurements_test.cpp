// SPDX-License-Identifier: Apache-2.0
// What is measured for /metrics.
#include "agent/measurements.h"

#include <gtest/gtest.h>

namespace tanist::agent {
namespace {

constexpr Instant start{seconds(1000)};

Observation in_cycle(Instant began) {
  Observation obs;
  obs.cycle_began = began;
  return obs;
}

TEST(Measurements, CycleLastsFromItsBeginningToItsDecision) {
  Measurements measured;
  const auto obs = in_cycle(start);
  measured.step_ended(obs, {.reason = Reason::observing}, start, start + milliseconds(1));
  EXPECT_EQ(measured.figures().cycle.count, 0);
  measured.step_ended(obs, {.reason = Reason::leader_steady}, start, start + milliseconds(40));
  measured.step_ended(obs, {.reason = Reason::leader_steady}, start, start + milliseconds(90));
  EXPECT_EQ(measured.figures().cycle.count, 1);
  EXPECT_EQ(measured.figures().cycle.last, milliseconds(40));
  EXPECT_EQ(measured.figures().step.count, 3);
  EXPECT_EQ(measured.figures().step.longest, milliseconds(90));
  EXPECT_EQ(measured.figures().decisions.at(static_cast<std::size_t>(Reason::leader_steady)), 2);
}

Effect effect(std::uint64_t id, StoreAction action) {
  return {EffectId(id), Task::keep_lock, std::move(action), start};
}

TEST(Measurements, OnlyAnsweredRenewalsCountAndTheLeastMarginIsKept) {
  Measurements measured;
  const auto renew = [&](std::uint64_t id, StoreVerdict verdict, Duration took, Duration left) {
    measured.began(effect(id, KeepLock{}), start);
    StoreResult result;
    result.verdict = verdict;
    measured.ended(EffectId(id), result, start + took + left, start + took);
  };
  renew(1, StoreVerdict::done, milliseconds(5), seconds(20));
  renew(2, StoreVerdict::done, milliseconds(7), seconds(12));
  renew(3, StoreVerdict::done, milliseconds(2), seconds(15));
  renew(4, StoreVerdict::unknown, seconds(9), seconds(1));
  const auto& figures = measured.figures();
  EXPECT_EQ(figures.renewal.count, 3);
  EXPECT_EQ(figures.renewal.longest, milliseconds(7));
  EXPECT_EQ(figures.renewal.last, milliseconds(2));
  EXPECT_EQ(figures.lease_margin_least, seconds(12));
}

TEST(Measurements, OtherStoreActionsAreNotMeasured) {
  Measurements measured;
  measured.began(effect(1, ReadCluster{}), start);
  measured.ended(EffectId(1), {}, std::nullopt, start + seconds(1));
  EXPECT_EQ(measured.figures().renewal.count, 0);
}

}  // namespace
}  // namespace tanist::agent

// SPDX-License-Identifier: Apache-2.0
// The page: packing, and every change cut after each of its stores.
#include "guard/page.h"

#include <gtest/gtest.h>

#include <string>

namespace {

guard_page page_with(std::uint64_t order, std::uint64_t lease, std::uint64_t revision) {
  guard_page page{};
  page.order = order;
  page.reign_lease = lease;
  page.reign_revision = revision;
  return page;
}

// Performs the first `count` stores only: what a writer leaves that was killed there.
void apply_first(guard_change change, unsigned count) {
  change.count = count;
  guard_apply(&change);
}

constexpr std::uint64_t second = 1'000'000'000;
constexpr auto primary = GUARD_MODE_PRIMARY;

TEST(GuardPage, OrderHoldsDeadlineAndMode) {
  const auto order = guard_order_of(7 * second, GUARD_MODE_PRIMARY);
  EXPECT_EQ(guard_deadline_of(order), 7 * second);
  EXPECT_EQ(guard_mode_of(order), GUARD_MODE_PRIMARY);
}

TEST(GuardPage, DeadlineIsRoundedDownNeverUp) {
  for (std::uint64_t odd = 0; odd < 8; ++odd) {
    const auto deadline = guard_deadline_of(guard_order_of(second + odd, GUARD_MODE_STANDBY));
    EXPECT_LE(deadline, second + odd);
    EXPECT_LT(second + odd - deadline, 4U);
  }
}

TEST(GuardPage, ProcessHoldsPidAndStart) {
  const auto process = guard_process_of(4'194'303, 123'456'789'012);
  EXPECT_EQ(guard_pid_of(process), 4'194'303U);
  EXPECT_EQ(guard_start_ticks_of(process), 123'456'789'012U);
}

TEST(GuardPage, RenewalMovesTheDeadlineForwardInOneStore) {
  auto page = page_with(guard_order_of(10 * second, primary), 1, 2);
  const auto change = guard_arm(&page, 1, 2, 12 * second);
  EXPECT_EQ(change.count, 1U);
  guard_apply(&change);
  EXPECT_EQ(page.order, guard_order_of(12 * second, primary));
}

TEST(GuardPage, RenewalOfTheSameReignNeverMovesTheDeadlineBack) {
  auto page = page_with(guard_order_of(10 * second, primary), 1, 2);
  EXPECT_EQ(guard_arm(&page, 1, 2, 9 * second).count, 0U);
  EXPECT_EQ(guard_arm(&page, 1, 2, 10 * second).count, 0U);
}

TEST(GuardPage, AnotherReignMaySetAnEarlierDeadline) {
  auto page = page_with(guard_order_of(30 * second, primary), 1, 2);
  const auto change = guard_arm(&page, 9, 2, 5 * second);
  guard_apply(&change);
  EXPECT_EQ(page.order, guard_order_of(5 * second, primary));
  EXPECT_EQ(page.reign_lease, 9U);
}

TEST(GuardPage, ArmingCutAnywhereNeverLeavesADeadlineBeyondTheNewOrTheOldOne) {
  for (const std::uint64_t next : {5 * second, 30 * second, 60 * second}) {
    auto whole = page_with(guard_order_of(30 * second, primary), 1, 2);
    const unsigned stores = guard_arm(&whole, 9, 8, next).count;
    for (unsigned cut = 0; cut <= stores; ++cut) {
      auto page = page_with(guard_order_of(30 * second, primary), 1, 2);
      apply_first(guard_arm(&page, 9, 8, next), cut);
      const bool reign_began = page.reign_lease == 9 || page.reign_revision == 8;
      const auto deadline = guard_deadline_of(page.order);
      EXPECT_EQ(guard_mode_of(page.order), primary);
      // Once a word of the new reign is there, the deadline is no later than the new reign allows.
      if (reign_began) EXPECT_LE(deadline, next);
      EXPECT_TRUE(deadline == 30 * second || deadline == next);
    }
  }
}

TEST(GuardPage, ArmingCutAnywhereFromUnarmedIsUnarmedUntilTheReignIsComplete) {
  for (const auto mode : {GUARD_MODE_NONE, GUARD_MODE_STANDBY}) {
    for (unsigned cut = 0; cut <= 3; ++cut) {
      auto page = page_with(guard_order_of(30 * second, mode), 1, 2);
      const auto change = guard_arm(&page, 9, 8, 5 * second);
      ASSERT_EQ(change.count, 3U);
      apply_first(change, cut);
      const bool complete = page.reign_lease == 9 && page.reign_revision == 8;
      if (guard_mode_of(page.order) == primary) EXPECT_TRUE(complete);
    }
  }
}

TEST(GuardPage, EveryModeChangeMakesAnotherOrder) {
  auto page = page_with(guard_order_of(10 * second, primary), 1, 2);
  const auto expired = page.order;
  guard_set_mode(&page, GUARD_MODE_STANDBY);
  EXPECT_NE(page.order, expired);
  EXPECT_EQ(guard_mode_of(page.order), GUARD_MODE_STANDBY);
  guard_set_mode(&page, GUARD_MODE_NONE);
  EXPECT_NE(page.order, expired);
}

TEST(GuardPage, MarginIsOnlyRaised) {
  guard_page page{};
  guard_raise_margin(&page, 530);
  guard_raise_margin(&page, 503);
  EXPECT_EQ(page.margin, 530U);
  guard_raise_margin(&page, 560);
  EXPECT_EQ(page.margin, 560U);
}

TEST(GuardPage, DirectoryCutAnywhereIsTheOldOneTheNewOneOrUnknown) {
  for (unsigned cut = 0; cut <= 3; ++cut) {
    guard_page page{};
    page.directory_device = 1;
    page.directory_inode = 100;
    const auto change = guard_name_directory(&page, 2, 200);
    ASSERT_EQ(change.count, 3U);
    apply_first(change, cut);
    const bool old_one = page.directory_device == 1 && page.directory_inode == 100;
    const bool new_one = page.directory_device == 2 && page.directory_inode == 200;
    EXPECT_TRUE(old_one || new_one || page.directory_inode == 0);
  }
}

TEST(GuardPage, TheSameDirectoryIsNoChange) {
  guard_page page{};
  page.directory_device = 1;
  page.directory_inode = 100;
  EXPECT_EQ(guard_name_directory(&page, 1, 100).count, 0U);
}

TEST(GuardPage, FiringIsCountedLast) {
  guard_page page{};
  const auto change = guard_record_firing(&page, 1, 2, 3, 4);
  ASSERT_GT(change.count, 1U);
  apply_first(change, change.count - 1);
  EXPECT_EQ(page.firings, 0U);
  guard_apply(&change);
  EXPECT_EQ(page.fired_at, 1U);
  EXPECT_EQ(page.fired_kill, 2U);
  EXPECT_EQ(page.fired_hit, 3U);
  EXPECT_EQ(page.fired_took, 4U);
  EXPECT_EQ(page.firings, 1U);
}

TEST(GuardPage, WordsKeepTheirPlaces) {  // do not change: guards of other versions read them
  EXPECT_EQ(offsetof(guard_page, order), 32U);
  EXPECT_EQ(offsetof(guard_page, postmaster), 64U);
  EXPECT_EQ(offsetof(guard_page, directory_device), 80U);
  EXPECT_EQ(offsetof(guard_page, guard), 88U);
  EXPECT_EQ(offsetof(guard_page, firings), 160U);
  EXPECT_EQ(offsetof(guard_page, server_name), 168U);
  EXPECT_EQ(offsetof(guard_page, directory), 232U);
}

TEST(GuardPage, SocketNameIsTheHashOfThePath) {
  // FNV-1a of "a" is a published value.
  EXPECT_STREQ(guard_socket_name_of("a").text, "guard-af63dc4c8601ec8c");
  EXPECT_STRNE(guard_socket_name_of("/a/b").text, guard_socket_name_of("/a/c").text);
}

}  // namespace

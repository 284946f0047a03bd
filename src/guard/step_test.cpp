// SPDX-License-Identifier: Apache-2.0
// Every row of the guard's rule. D = 100 s, F = 2 s: SIGQUIT from 98 s, SIGKILL from 99 s.
#include "guard/step.h"

#include <gtest/gtest.h>

#include <vector>

namespace {

constexpr std::uint64_t millisecond = 1'000'000;
constexpr std::uint64_t second = 1'000 * millisecond;
constexpr std::uint64_t deadline = 100 * second;
constexpr std::uint64_t margin = 2 * second;
constexpr std::uint64_t quit_at = 98 * second;
constexpr std::uint64_t kill_at = 99 * second;

const auto armed = guard_order_of(deadline, GUARD_MODE_PRIMARY);

guard_view view_of(std::uint64_t order) { return {order, margin}; }

struct Row {
  const char* what;
  std::uint64_t order;
  std::uint64_t now;
  std::uint32_t living;
  guard_memory memory;
  // expected
  guard_act act;
  bool fire;
  std::uint64_t wake_at;
  bool sweeping;
};

const guard_memory fresh{0, false};
const guard_memory fired{armed, false};
const guard_memory sweeping{armed, true};
const auto renewed = guard_order_of(deadline + 10 * second, GUARD_MODE_PRIMARY);
const auto standby = guard_order_of(deadline, GUARD_MODE_STANDBY);
const auto none = guard_order_of(deadline, GUARD_MODE_NONE);
const auto lost = guard_order_of(3 * second, GUARD_MODE_PRIMARY);

const std::vector<Row> rows{
    {"nothing armed: sleeps until told", none, 5 * second, 3, fresh, GUARD_ACT_REST, false,
     GUARD_NEVER, false},
    {"a standby is not fenced, however late", standby, 200 * second, 3, fresh, GUARD_ACT_REST,
     false, GUARD_NEVER, false},
    {"armed: sleeps until D - F", armed, 5 * second, 3, fresh, GUARD_ACT_REST, false, quit_at,
     false},
    {"one nanosecond early is early", armed, quit_at - 1, 3, fresh, GUARD_ACT_REST, false, quit_at,
     false},
    {"at D - F the server is asked to quit", armed, quit_at, 3, fresh, GUARD_ACT_QUIT, true,
     kill_at, false},
    {"at D - F without a server it only latches", armed, quit_at, 0, fresh, GUARD_ACT_REST, true,
     kill_at, false},
    {"it is asked once", armed, quit_at + millisecond, 3, fired, GUARD_ACT_REST, false, kill_at,
     false},
    {"from D - F/2 everything is killed", armed, kill_at, 3, fired, GUARD_ACT_SWEEP, false,
     kill_at + 2 * millisecond, true},
    {"a guard that comes late kills at once", armed, deadline + second, 3, fresh, GUARD_ACT_SWEEP,
     true, deadline + second + 2 * millisecond, true},
    {"the sweep goes on while one is left", armed, kill_at + second, 1, sweeping, GUARD_ACT_SWEEP,
     false, kill_at + second + 2 * millisecond, true},
    {"nothing left: latched, looks ten times a second", armed, kill_at + second, 0, sweeping,
     GUARD_ACT_REST, false, kill_at + second + 100 * millisecond, false},
    {"latched: a server that appears an hour later is killed", armed, 3700 * second, 1, fired,
     GUARD_ACT_SWEEP, false, 3700 * second + 2 * millisecond, true},
    {"armed anew: rests", renewed, kill_at + second, 1, fired, GUARD_ACT_REST, false,
     quit_at + 10 * second, false},
    {"armed anew amid a sweep: what it holds stopped dies", renewed, kill_at + second, 0, sweeping,
     GUARD_ACT_FINISH, false, quit_at + 10 * second, false},
    {"a standby announced while latched: rests", standby, kill_at + second, 0, fired,
     GUARD_ACT_REST, false, GUARD_NEVER, false},
    {"a standby announced amid a sweep: what it holds stopped dies", standby, kill_at + second, 0,
     sweeping, GUARD_ACT_FINISH, false, GUARD_NEVER, false},
    {"pause announced while latched: rests", none, kill_at + second, 0, fired, GUARD_ACT_REST,
     false, GUARD_NEVER, false},
    {"armed with a deadline that has passed: kills at once", lost, kill_at, 2, fired,
     GUARD_ACT_SWEEP, true, kill_at + 2 * millisecond, true},
};

TEST(GuardStep, EveryRow) {
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    const guard_processes processes{row.living};
    const auto verdict = guard_step(view_of(row.order), row.now, processes, row.memory);
    EXPECT_EQ(verdict.act, row.act);
    EXPECT_EQ(verdict.fire, row.fire);
    EXPECT_EQ(verdict.wake_at, row.wake_at);
    EXPECT_EQ(verdict.memory.sweeping, row.sweeping);
    EXPECT_GT(verdict.wake_at, row.now);
  }
}

TEST(GuardStep, FiresOncePerOrder) {
  guard_memory memory = fresh;
  int firings = 0;
  for (std::uint64_t now = 0; now < 110 * second; now += 37 * millisecond) {
    const auto verdict = guard_step(view_of(armed), now, {1}, memory);
    memory = verdict.memory;
    firings += verdict.fire ? 1 : 0;
  }
  EXPECT_EQ(firings, 1);
}

TEST(GuardStep, NothingLivesUntouchedPastTheDeadlineWhateverWasBefore) {
  for (const auto order : {armed, renewed, standby, none, lost}) {
    for (const auto memory : {fresh, fired, sweeping}) {
      for (std::uint64_t now = 90 * second; now < 130 * second; now += 250 * millisecond) {
        const auto verdict = guard_step(view_of(order), now, {1}, memory);
        const bool past = guard_mode_of(order) == GUARD_MODE_PRIMARY &&
                          now >= guard_deadline_of(order) - margin / 2;
        EXPECT_EQ(verdict.act == GUARD_ACT_SWEEP, past);
      }
    }
  }
}

TEST(GuardStep, MarginLargerThanTheDeadlineMeansNow) {
  const guard_view view{guard_order_of(second, GUARD_MODE_PRIMARY), margin};
  EXPECT_EQ(guard_quit_at(view), 0U);
  EXPECT_TRUE(guard_expired(view, 0));
}

TEST(GuardStart, PrimaryMayStartWhileTheLockIsHeld) {
  EXPECT_EQ(guard_start_refused(view_of(armed), quit_at - 1, false, false), 0);
}

TEST(GuardStart, NothingStartsPastTheDeadline) {
  for (const bool is_standby : {false, true}) {
    for (const bool single : {false, true}) {
      EXPECT_EQ(guard_start_refused(view_of(armed), quit_at, is_standby, single),
                GUARD_EXIT_EXPIRED);
    }
  }
}

TEST(GuardStart, AnnouncedStandbyNeedsItsSignalFile) {
  EXPECT_EQ(guard_start_refused(view_of(standby), second, false, false), GUARD_EXIT_NO_STANDBY);
  EXPECT_EQ(guard_start_refused(view_of(standby), second, true, false), 0);
}

TEST(GuardStart, SingleUserRecoveryOnTheWayToAStandbyIsAllowed) {
  EXPECT_EQ(guard_start_refused(view_of(standby), second, false, true), 0);
}

TEST(GuardStart, BootstrapAndPauseStartAnything) {
  EXPECT_EQ(guard_start_refused(view_of(none), 200 * second, false, false), 0);
  EXPECT_EQ(guard_start_refused(view_of(none), 200 * second, true, false), 0);
}

}  // namespace

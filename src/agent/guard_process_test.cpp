// SPDX-License-Identifier: Apache-2.0
// A restarted agent finds the guard that an earlier one left.
#include "agent/guard_process.h"

#include "tests/support/guarded.h"

namespace tanist::agent {
namespace {

class GuardAdoption : public GuardTest {
 protected:
  // An agent arms until `deadline` and dies.
  void leave_a_guard(Instant deadline, const GuardOptions& with) {
    const pid_t agent = in_another_process([&] {
      Agent first(with);
      first->set_postmaster(ProcessIdentity{4711, 123456});
      first->arm(reign_one, deadline);
      EXPECT_TRUE(first.pump_until(GuardState::armed));
    });
    kill(agent, SIGKILL);
    waitpid(agent, nullptr, 0);
    children_.clear();
    const auto left = guards();
    ASSERT_EQ(left.size(), 1U);
    guard_ = left.front();
  }

  void expect_record(Agent& agent, Instant deadline) {
    ASSERT_TRUE(agent->adopted());
    EXPECT_EQ(agent->adopted()->mode, ServerMode::primary);
    EXPECT_EQ(agent->adopted()->reign, reign_one);
    EXPECT_EQ(agent->adopted()->postmaster, (ProcessIdentity{4711, 123456}));
    EXPECT_NEAR(in_milliseconds(*agent->adopted()->deadline - deadline), 0, 1);
    EXPECT_NEAR(in_milliseconds(*agent->deadline() - deadline), 0, 1);
  }

  pid_t guard_ = 0;
};

TEST_F(GuardAdoption, RestartedAgentGetsPageAndGuardBack) {
  const auto deadline = os::now() + seconds(20);
  leave_a_guard(deadline, options());
  const auto began = os::now();
  Agent agent(options());
  EXPECT_LT(os::now() - began, milliseconds(500));
  expect_record(agent, deadline);
  EXPECT_EQ(agent->guard_pid(), guard_);
  EXPECT_EQ(agent->state(os::now()), GuardState::armed);
  agent->arm(reign_one, deadline + seconds(5));
  EXPECT_GT(*agent->deadline(), deadline + seconds(4));
}

TEST_F(GuardAdoption, GuardWhoseSocketWasRemovedIsFoundAndReplaced) {
  const auto deadline = os::now() + seconds(20);
  leave_a_guard(deadline, options());
  fs::remove_all(root_ / "run");
  fs::create_directory(root_ / "run");
  Agent agent(options());
  expect_record(agent, deadline);
  EXPECT_NE(agent->guard_pid(), guard_);
  EXPECT_EQ(agent->state(os::now()), GuardState::armed);
  EXPECT_TRUE(wait_for(seconds(5), [&] { return guards().size() == 1; }));
}

TEST_F(GuardAdoption, StoppedGuardIsWokenAndKept) {
  const auto deadline = os::now() + seconds(20);
  leave_a_guard(deadline, options());
  kill(guard_, SIGSTOP);
  Agent agent(options());
  expect_record(agent, deadline);
  EXPECT_EQ(agent->guard_pid(), guard_);
}

TEST_F(GuardAdoption, GuardOfAnotherVersionIsReleasedWhenTheNewOneWatches) {
  const auto deadline = os::now() + seconds(20);
  auto old = options();
  old.program = guard_program("guard/another_version");
  leave_a_guard(deadline, old);
  Agent agent(options());
  expect_record(agent, deadline);
  EXPECT_NE(agent->guard_pid(), guard_);
  EXPECT_EQ(agent->state(os::now()), GuardState::armed);
  EXPECT_TRUE(wait_for(seconds(5), [&] { return guards().size() == 1; }));
}

TEST_F(GuardAdoption, GuardOfAnotherVersionIsKeptWhenNoNewOneStarts) {
  const auto deadline = os::now() + seconds(20);
  auto old = options();
  old.program = guard_program("guard/another_version");
  leave_a_guard(deadline, old);
  auto broken = options();
  broken.program = root_ / "none";
  Agent agent(broken);
  expect_record(agent, deadline);
  EXPECT_EQ(agent->guard_pid(), guard_);
  EXPECT_EQ(agent->state(os::now()), GuardState::armed);
}

TEST_F(GuardAdoption, SettingTurnedOffReleasesTheGuard) {
  leave_a_guard(os::now() + seconds(20), options());
  auto off = options();
  off.with_process = false;
  Agent agent(off);
  EXPECT_TRUE(agent->adopted());
  EXPECT_TRUE(wait_for(seconds(5), [&] { return guards().empty(); }));
}

TEST_F(GuardAdoption, SpellingOfTheDirectoryDoesNotMatter) {
  const auto deadline = os::now() + seconds(20);
  leave_a_guard(deadline, options());
  fs::create_directory_symlink(data(), root_ / "link");
  auto other = options();
  other.data_directory = (root_ / "link").string() + "/";
  Agent agent(other);
  expect_record(agent, deadline);
}

TEST_F(GuardAdoption, AnotherDirectoryHasAnotherGuard) {
  leave_a_guard(os::now() + seconds(20), options());
  auto other = options();
  other.data_directory = root_ / "other";
  Agent agent(other);
  EXPECT_FALSE(agent->adopted());
  EXPECT_EQ(guards().size(), 1U);
  agent->dismiss();
  EXPECT_TRUE(agent.pump(seconds(5), [&] { return agent->guard_pid() == 0; }));
}

}  // namespace
}  // namespace tanist::agent

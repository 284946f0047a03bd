// SPDX-License-Identifier: Apache-2.0
// The guard's own life: it is started, armed, disarmed, replaced, dismissed.
#include "agent/guard_keeper.h"

#include "tests/support/guarded.h"

namespace tanist::agent {
namespace {

TEST_F(GuardTest, StartsAGuardThatRestsUntilArmed) {
  Agent agent(options());
  EXPECT_FALSE(agent->adopted());
  EXPECT_EQ(agent->state(os::now()), GuardState::disarmed);
  EXPECT_EQ(guards(), std::vector<pid_t>{static_cast<pid_t>(agent->guard_pid())});
  EXPECT_EQ(agent->deadline(), std::nullopt);
}

TEST_F(GuardTest, ArmingIsConfirmed) {
  Agent agent(options());
  const auto deadline = os::now() + seconds(20);
  agent->arm(reign_one, deadline);
  EXPECT_EQ(agent->mode(), ServerMode::primary);
  EXPECT_TRUE(agent.pump_until(GuardState::armed));
  EXPECT_NEAR(in_milliseconds(*agent->deadline() - deadline), 0, 1);
  EXPECT_EQ(*agent->deadline() - *agent->stop_at(), milliseconds(1030));
}

TEST_F(GuardTest, MarginFollowsTheTtlUpwardsOnly) {
  Agent agent(options());
  EXPECT_EQ(agent->margin(), milliseconds(530));
  agent->raise_margin(seconds(4));
  EXPECT_EQ(agent->margin(), milliseconds(530));
  agent->raise_margin(seconds(60));
  EXPECT_EQ(agent->margin(), milliseconds(560));
}

TEST_F(GuardTest, DisarmingIsRefusedOnceTheTimeHasCome) {
  Agent agent(options());
  agent.arm_for(seconds(20));
  EXPECT_TRUE(agent->disarm(os::now()));
  EXPECT_EQ(agent->mode(), ServerMode::none);
  agent->arm(reign_two, os::now());
  EXPECT_FALSE(agent->disarm(os::now()));
  EXPECT_EQ(agent->mode(), ServerMode::primary);
  EXPECT_TRUE(agent->latched(os::now()));
}

TEST_F(GuardTest, LatchIsReleasedByAStandbyByPauseAndByARenewal) {
  Agent agent(options());
  const auto latch = [&](const Reign& reign) {
    agent->arm(reign, os::now() - seconds(1));
    EXPECT_TRUE(agent.pump_until(GuardState::latched));
  };
  latch(reign_one);
  agent->announce_standby_start();
  EXPECT_TRUE(agent.pump_until(GuardState::disarmed));
  latch(reign_two);
  agent->suspend_for_pause();
  EXPECT_TRUE(agent.pump_until(GuardState::disarmed));
  latch(reign_one);
  agent->arm(reign_one, os::now() + seconds(20));
  EXPECT_TRUE(agent.pump_until(GuardState::armed));
}

TEST_F(GuardTest, IdleGuardIsNotWokenByAnything) {
  Agent agent(options());
  agent->announce_standby_start();
  const auto status = [&] { return text_of(format_text("/proc/{}/status", agent->guard_pid())); };
  const auto switches = [&] {
    const auto text = status();
    return text.substr(text.find("voluntary_ctxt_switches"));
  };
  EXPECT_TRUE(
      wait_for(seconds(5), [&] { return status().find("S (sleeping)") != std::string::npos; }));
  const auto before = switches();
  std::this_thread::sleep_for(seconds(2));  // a time in which nothing happens is the subject
  EXPECT_EQ(switches(), before);
}

TEST_F(GuardTest, KilledGuardIsReplacedAtOnceWithTheOldDeadline) {
  Agent agent(options());
  const auto deadline = agent.arm_for(seconds(20));
  const auto first = agent->guard_pid();
  kill(static_cast<pid_t>(first), SIGKILL);
  const auto killed_at = os::now();
  EXPECT_TRUE(agent.pump_until(GuardState::absent));
  EXPECT_TRUE(agent.pump_until(GuardState::armed));
  RecordProperty("milliseconds", static_cast<int>(in_milliseconds(os::now() - killed_at)));
  EXPECT_NE(agent->guard_pid(), first);
  EXPECT_NEAR(in_milliseconds(*agent->deadline() - deadline), 0, 1);
  EXPECT_EQ(guards().size(), 1U);
}

TEST_F(GuardTest, StoppedGuardIsWoken) {
  Agent agent(options());
  agent.arm_for(seconds(20));
  const auto first = agent->guard_pid();
  kill(static_cast<pid_t>(first), SIGSTOP);
  agent->disarm(os::now());
  // An earlier deadline must be confirmed, and is not.
  const auto deadline = os::now() + seconds(10);
  EXPECT_TRUE(agent.pump(seconds(10), [&] {
    agent->arm(reign_two, deadline);
    return agent->state(os::now()) == GuardState::armed;
  }));
  EXPECT_EQ(agent->guard_pid(), first);
}

TEST_F(GuardTest, DismissedGuardEndsAndIsNotReplaced) {
  Agent agent(options());
  agent.arm_for(seconds(20));
  agent->dismiss();
  EXPECT_TRUE(agent.pump(seconds(5), [&] { return agent->guard_pid() == 0; }));
  EXPECT_TRUE(guards().empty());
  EXPECT_TRUE(fs::is_empty(root_ / "run"));
}

TEST_F(GuardTest, TerminationEndsAnIdleGuardOnly) {
  pid_t guard = 0;
  {
    Agent agent(options());
    agent.arm_for(seconds(20));
    guard = static_cast<pid_t>(agent->guard_pid());
    kill(guard, SIGTERM);
    EXPECT_FALSE(agent.pump(milliseconds(300), [&] { return agent->guard_pid() != guard; }));
    agent->announce_standby_start();
    agent->raise_margin(seconds(60));  // any message has it look
  }
  kill(guard, SIGTERM);
  // It reads the mode when it wakes; the signal wakes it.
  EXPECT_TRUE(wait_for(seconds(5), [&] {
    kill(guard, SIGTERM);
    return waitpid(guard, nullptr, WNOHANG) == guard;
  }));
}

TEST_F(GuardTest, GuardWithoutAgentEndsWhenTheDataDirectoryIsGone) {
  pid_t guard = 0;
  {
    Agent agent(options());
    guard = static_cast<pid_t>(agent->guard_pid());
    fs::remove_all(data());
    std::this_thread::sleep_for(milliseconds(100));  // while its agent lives, it stays
    EXPECT_EQ(waitpid(guard, nullptr, WNOHANG), 0);
  }
  EXPECT_TRUE(wait_for(seconds(5), [&] { return waitpid(guard, nullptr, WNOHANG) == guard; }));
}

TEST_F(GuardTest, SettingOffMeansThePageAlone) {
  auto off = options();
  off.with_process = false;
  Agent agent(off);
  EXPECT_EQ(agent->state(os::now()), GuardState::absent);
  agent->arm(reign_one, os::now() + seconds(20));
  EXPECT_TRUE(agent->armed(os::now()));
  EXPECT_FALSE(agent->armed(os::now() + seconds(20)));
  EXPECT_TRUE(agent->deadline());
  EXPECT_TRUE(guards().empty());
  agent->arm(reign_two, os::now());
  EXPECT_EQ(launch(agent->launch_prefix(), {"/bin/true"}), GUARD_EXIT_EXPIRED);
}

TEST_F(GuardTest, MissingProgramIsNoFailureOfTheAgent) {
  auto broken = options();
  broken.program = root_ / "late" / "tanist-guard";
  Agent agent(broken);
  EXPECT_EQ(agent->state(os::now()), GuardState::absent);
  agent->arm(reign_one, os::now() + seconds(20));
  EXPECT_FALSE(agent->armed(os::now()));
  fs::create_directory(root_ / "late");
  fs::copy_file(guard_program(), broken.program);
  EXPECT_TRUE(agent.pump_until(GuardState::armed));
}

TEST_F(GuardTest, FolderOpenToOthersIsRefusedAndTheGuardWorksAllTheSame) {
  fs::permissions(root_ / "run", fs::perms::all);
  Agent agent(options());
  agent.arm_for(seconds(20));
  EXPECT_TRUE(fs::is_empty(root_ / "run"));
  EXPECT_EQ(agent->guard_traits() & GUARD_TRAIT_FINDABLE, 0U);
}

TEST_F(GuardTest, NonsenseOnTheSocketCostsTheConnectionOnly) {
  Agent agent(options());
  const auto before = agent->guard_pid();
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path =
      (root_ / "run" / guard_socket_name_of(fs::canonical(data()).c_str()).text).string();
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_GT(send(fd, "nonsense", 8, 0), 0);
  char byte = 0;
  EXPECT_EQ(recv(fd, &byte, 1, 0), 0);  // closed by the guard
  close(fd);
  agent.arm_for(seconds(20));
  EXPECT_EQ(agent->guard_pid(), before);
}

}  // namespace
}  // namespace tanist::agent

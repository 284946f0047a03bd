// SPDX-License-Identifier: Apache-2.0
// The launcher, which asks the page one last time before it becomes the server.
#include "agent/guard_page.h"

#include "tests/support/guarded.h"

namespace tanist::agent {
namespace {

TEST_F(GuardTest, LaunchStartsThePrimaryWhileArmed) {
  Agent agent(options());
  agent.arm_for(seconds(20));
  EXPECT_EQ(launch(agent->launch_prefix(), {"/bin/sh", "-c", "pwd; ls -l /proc/self/fd"}), 0);
  EXPECT_NE(logged().find(data()), std::string::npos);
  EXPECT_EQ(logged().find("tanist-guard-page"), std::string::npos);  // not inherited
}

// The guard is stopped meanwhile: it may find the launcher, which is the postmaster by then, before
// that has read the clock, and end it by a signal.
TEST_F(GuardTest, LaunchRefusesPastTheDeadline) {
  Agent agent(options());
  ASSERT_TRUE(agent.pump_until(GuardState::disarmed));
  for (const auto guard : guards()) kill(guard, SIGSTOP);
  agent->arm(reign_one, os::now() + agent->margin());
  EXPECT_EQ(launch(agent->launch_prefix(), {"/bin/true"}), GUARD_EXIT_EXPIRED);
  EXPECT_NE(logged().find("the deadline of the leader lock has passed"), std::string::npos);
}

TEST_F(GuardTest, LaunchRefusesAStandbyWithoutItsSignalFile) {
  Agent agent(options());
  agent->announce_standby_start();
  EXPECT_EQ(launch(agent->launch_prefix(), {"/bin/true"}), GUARD_EXIT_NO_STANDBY);
  std::ofstream(data() + "/standby.signal").close();
  EXPECT_EQ(launch(agent->launch_prefix(), {"/bin/true"}), 0);
}

TEST_F(GuardTest, LaunchRefusesWithoutItsPage) {
  const int memory = memfd_create("another", 0);
  ASSERT_EQ(ftruncate(memory, GUARD_PAGE_BYTES), 0);
  for (const auto& page : {std::to_string(memory), std::string("99")}) {
    const pid_t pid =
        start_child({guard_program(), "launch", "--page-fd", page, "--", "/bin/true"}, -1, log());
    EXPECT_EQ(exit_code_of(pid), GUARD_EXIT_NO_PAGE);
  }
  close(memory);
}

TEST_F(GuardTest, LaunchSaysWhatIsMissing) {
  Agent agent(options());
  EXPECT_EQ(launch(agent->launch_prefix(), {"/none/postgres"}), GUARD_EXIT_NO_SERVER);
  fs::remove(data());
  EXPECT_EQ(launch(agent->launch_prefix(), {"/bin/true"}), GUARD_EXIT_NO_SERVER);
}

TEST_F(GuardTest, LaunchWithdrawsTheProtectionFromTheOomKiller) {
  Agent agent(options());
  const auto prefix = agent->launch_prefix();
  EXPECT_EQ(launch(prefix, {"/bin/cat", "/proc/self/oom_score_adj"}), 0);
  EXPECT_EQ(logged().find('-'), std::string::npos);
}

TEST_F(GuardTest, LaunchNamesTheDirectoryThatTheServerRunsIn) {
  Agent agent(options());
  fs::rename(data(), root_ / "aside");
  fs::create_directory(data());
  struct stat status{};
  ASSERT_EQ(stat(data().c_str(), &status), 0);
  EXPECT_EQ(launch(agent->launch_prefix(), {"/bin/true"}), 0);
  auto page = GuardPage::take_over(Descriptor(dup(agent->launch_prefix().page)),
                                   fs::canonical(data()).string());
  ASSERT_TRUE(page);
  EXPECT_EQ(page->words().directory_inode, status.st_ino);
  EXPECT_EQ(page->words().directory_device, status.st_dev);
}

}  // namespace
}  // namespace tanist::agent

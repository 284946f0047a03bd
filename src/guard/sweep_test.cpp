// SPDX-License-Identifier: Apache-2.0
// The sweep against real processes: a shell that calls itself postgres, with forked children.
// (Real servers: src/agent/guard_link_test.cpp.)
#include "guard/sweep.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

bool within_seconds(int limit, const std::function<bool()>& condition) {
  for (int i = 0; i < limit * 200; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

char state_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  const auto end = text.rfind(')');
  return end == std::string::npos ? ' ' : text[end + 2];
}

bool collect(void* context, pid_t pid) {
  static_cast<std::vector<pid_t>*>(context)->push_back(pid);
  return true;
}

// A data directory with processes in it. Orphans come to this process, to be reaped at the end.
class Sweep : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "guard-sweep-XXXXXX";
    root_ = mkdtemp(pattern.data());
    fs::create_directory(root_ / "data");
    fs::create_directory(root_ / "other");
    fs::copy_file("/bin/bash", root_ / "postgres");
    fs::copy_file("/bin/bash", root_ / "something");
    mkfifo((root_ / "silence").c_str(), 0600);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    server_ = server_in("data");
  }

  void TearDown() override {
    for (const pid_t pid : started_) kill(-pid, SIGKILL);
    while (waitpid(-1, nullptr, 0) > 0) continue;
    close(server_.proc);
    fs::remove_all(root_);
  }

  guard_server server_in(const char* folder) const {
    guard_server server{};
    EXPECT_TRUE(guard_open_server(&server, "postgres"));
    EXPECT_TRUE(guard_find_directory((root_ / folder).c_str(), &server.device, &server.inode));
    return server;
  }

  // Runs `program` in `folder`, in a process group of its own, with one forked child for each
  // text in `children`: shell code that the child runs first.
  pid_t run(const char* program, const char* folder, const std::vector<std::string>& children,
            uid_t user = geteuid()) {
    const auto silence = (root_ / "silence").string();
    std::string script = "trap 'exit 3' QUIT; exec 3<>" + silence + ";";
    for (const auto& first : children) script += "(" + first + " read x <&3) & ";
    script += "read x <&3";
    const pid_t pid = fork();
    if (pid == 0) {
      setpgid(0, 0);
      if (setuid(user) == 0 && chdir((root_ / folder).c_str()) == 0) {
        execl((root_ / program).c_str(), program, "-c", script.c_str(), nullptr);
      }
      _exit(127);
    }
    started_.push_back(pid);
    return pid;
  }

  pid_t run_server(std::size_t children) {
    const pid_t pid = run("postgres", "data", std::vector<std::string>(children));
    expect_living(children + 1);
    return pid;
  }

  // The server's processes that can still run.
  std::vector<guard_process> living_of(const guard_server& server) const {
    std::vector<pid_t> pids;
    EXPECT_TRUE(guard_each_process(&server, collect, &pids));
    std::vector<guard_process> living;
    for (const pid_t pid : pids) {
      guard_process process{};
      if (guard_read_process(&server, pid, &process) && !process.fenced) living.push_back(process);
    }
    return living;
  }
  std::vector<guard_process> living() const { return living_of(server_); }

  void expect_living(std::size_t count) {
    EXPECT_TRUE(within_seconds(10, [&] { return living().size() == count; }))
        << living().size() << " live";
  }

  // Sweeps until nothing is left and returns how many were killed.
  std::uint32_t sweep_all() {
    guard_sweep sweep{};
    EXPECT_TRUE(within_seconds(10, [&] {
      if (guard_look(&server_).living > 0) {
        guard_sweep_round(&server_, &sweep, postmaster_);
        return false;
      }
      return frozen_ || guard_sweep_release(&sweep);
    }));
    guard_sweep_finish(&sweep);
    return sweep.killed;
  }

  fs::path root_;
  guard_server server_{};
  std::uint64_t postmaster_ = 0;  // as recorded in the page
  bool frozen_ = false;           // the killed cannot end
  std::vector<pid_t> started_;
};

TEST_F(Sweep, FindsPostmasterAndChildren) {
  const pid_t postmaster = run_server(3);
  const auto found = living();
  ASSERT_EQ(found.size(), 4U);
  for (const auto& process : found) {
    EXPECT_TRUE(process.pid == postmaster || process.parent == postmaster);
    EXPECT_GT(process.start_ticks, 0U);
    EXPECT_FALSE(process.dying);
  }
  EXPECT_EQ(guard_look(&server_).living, 1U);
}

TEST_F(Sweep, KillsEachProcessOnce) {
  run_server(5);
  EXPECT_EQ(sweep_all(), 6U);
  EXPECT_EQ(living().size(), 0U);
}

TEST_F(Sweep, HoldsThePostmasterStoppedUntilNothingElseIsLeft) {
  const pid_t postmaster = run_server(2);
  guard_sweep sweep{};
  guard_sweep_round(&server_, &sweep, postmaster_);
  ASSERT_EQ(sweep.held_count, 1U);
  EXPECT_EQ(sweep.held[0].pid, postmaster);
  EXPECT_TRUE(within_seconds(5, [&] { return state_of(postmaster) == 'T'; }));
  expect_living(1);
  guard_sweep_round(&server_, &sweep, postmaster_);
  EXPECT_TRUE(sweep.held[0].killed);
  EXPECT_TRUE(within_seconds(5, [&] { return guard_sweep_release(&sweep); }));
  EXPECT_EQ(state_of(postmaster), 'Z');
  EXPECT_EQ(living().size(), 0U);
}

TEST_F(Sweep, KillsOrphansOfADeadPostmaster) {
  const pid_t postmaster = run_server(3);
  kill(postmaster, SIGKILL);
  expect_living(3);
  EXPECT_EQ(sweep_all(), 3U);
}

TEST_F(Sweep, KillsAStoppedProcessGroup) {
  const pid_t postmaster = run_server(3);
  kill(-postmaster, SIGSTOP);
  EXPECT_TRUE(within_seconds(5, [&] { return state_of(postmaster) == 'T'; }));
  EXPECT_EQ(sweep_all(), 4U);
}

TEST_F(Sweep, KillsAServerWhoseExecutableWasReplaced) {
  run_server(1);
  fs::remove(root_ / "postgres");
  EXPECT_EQ(sweep_all(), 2U);
}

TEST_F(Sweep, KillsABackendThatLeftTheDirectory) {
  const pid_t postmaster = run("postgres", "data", {"", "cd /;"});
  EXPECT_TRUE(within_seconds(5, [&] {
    std::vector<pid_t> children;
    guard_each_child(&server_, postmaster, collect, &children);
    return children.size() == 2 && living().size() == 2;
  }));
  EXPECT_EQ(sweep_all(), 3U);
  EXPECT_TRUE(within_seconds(5, [&] {
    while (waitpid(-postmaster, nullptr, WNOHANG) > 0) continue;
    return kill(-postmaster, 0) != 0;  // nobody is left in its process group
  }));
}

TEST_F(Sweep, LeavesOtherDirectoriesAlone) {
  const pid_t other = run("postgres", "other", {""});
  const auto elsewhere = server_in("other");
  EXPECT_TRUE(within_seconds(5, [&] { return living_of(elsewhere).size() == 2; }));
  run_server(1);
  EXPECT_EQ(sweep_all(), 2U);
  EXPECT_EQ(living_of(elsewhere).size(), 2U);
  EXPECT_NE(state_of(other), 'T');
  close(elsewhere.proc);
}

TEST_F(Sweep, LeavesOtherExecutablesAlone) {
  const pid_t shell = run("something", "data", {});
  run_server(1);
  EXPECT_EQ(sweep_all(), 2U);
  EXPECT_EQ(kill(shell, 0), 0);
  EXPECT_NE(state_of(shell), 'Z');
}

TEST_F(Sweep, LeavesOtherUsersAlone) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  fs::permissions(root_, fs::perms::all);
  fs::permissions(root_ / "silence", fs::perms::all);
  run("postgres", "data", {""}, 65534);
  EXPECT_TRUE(within_seconds(5, [&] {
    server_.uid = 65534;
    return living().size() == 2;
  }));
  server_.uid = 0;
  EXPECT_TRUE(living().empty());
  EXPECT_EQ(sweep_all(), 0U);
  server_.uid = 65534;
  EXPECT_EQ(living().size(), 2U);
}

TEST_F(Sweep, FindsAnExecutableOfAnotherName) {
  run("something", "data", {""});
  strcpy(server_.name, "something");
  expect_living(2);
  EXPECT_EQ(sweep_all(), 2U);
}

TEST_F(Sweep, QuitReachesThePostmasterOnly) {
  const pid_t postmaster = run_server(2);
  EXPECT_TRUE(within_seconds(5, [&] {
    guard_quit(&server_, 0);
    return state_of(postmaster) == 'Z' || living().size() < 3;
  }));
  EXPECT_EQ(living().size(), 2U);
}

TEST_F(Sweep, OneRoundHitsAServerWithItsPostmaster) {
  run_server(4);
  guard_sweep sweep{};
  guard_sweep_round(&server_, &sweep, 0);
  EXPECT_TRUE(sweep.hit);
  EXPECT_EQ(sweep.killed, 4U);
  guard_sweep_finish(&sweep);
  EXPECT_TRUE(within_seconds(5, [&] { return guard_sweep_release(&sweep); }));
}

TEST_F(Sweep, OrphansAreHitInTheRoundAfterTheirSigkill) {
  kill(run_server(2), SIGKILL);
  expect_living(2);
  guard_sweep sweep{};
  guard_sweep_round(&server_, &sweep, 0);
  EXPECT_FALSE(sweep.hit);
  EXPECT_EQ(sweep.killed, 2U);
  guard_sweep_round(&server_, &sweep, 0);
  EXPECT_TRUE(sweep.hit);
}

TEST_F(Sweep, RecordedPostmasterIsStoppedFirst) {
  const pid_t pid = run_server(3);
  guard_process process{};
  ASSERT_TRUE(guard_read_process(&server_, pid, &process));
  postmaster_ = guard_process_of(static_cast<std::uint64_t>(pid), process.start_ticks);
  guard_sweep sweep{};
  guard_sweep_round(&server_, &sweep, postmaster_);
  ASSERT_EQ(sweep.held_count, 1U);
  EXPECT_EQ(sweep.held[0].pid, pid);
  EXPECT_EQ(sweep.killed, 3U);
  guard_sweep_finish(&sweep);
  EXPECT_TRUE(within_seconds(5, [&] { return guard_sweep_release(&sweep); }));
}

TEST_F(Sweep, WronglyRecordedPostmasterIsNotTouched) {
  const pid_t stranger = run("something", "data", {});
  run_server(2);
  guard_process process{};
  ASSERT_TRUE(guard_read_process(&server_, stranger, &process));
  postmaster_ = guard_process_of(static_cast<std::uint64_t>(stranger), process.start_ticks);
  EXPECT_EQ(sweep_all(), 3U);
  EXPECT_NE(state_of(stranger), 'Z');
  EXPECT_NE(state_of(stranger), 'T');
}

TEST_F(Sweep, RecordOfAnEarlierProcessWithTheSamePidIsIgnored) {
  const pid_t pid = run_server(2);
  for (const auto& process : living()) {
    if (process.pid == pid) continue;  // the pid went to a child since
    postmaster_ =
        guard_process_of(static_cast<std::uint64_t>(process.pid), process.start_ticks - 1);
  }
  guard_sweep sweep{};
  guard_sweep_round(&server_, &sweep, postmaster_);
  ASSERT_EQ(sweep.held_count, 1U);
  EXPECT_EQ(sweep.held[0].pid, pid);
  guard_sweep_finish(&sweep);
  EXPECT_TRUE(within_seconds(5, [&] { return guard_sweep_release(&sweep); }));
}

TEST_F(Sweep, FinishKillsWhatIsHeldAndNothingElse) {
  const pid_t postmaster = run_server(2);
  guard_sweep sweep{};
  guard_sweep_round(&server_, &sweep, postmaster_);
  ASSERT_EQ(sweep.held_count, 1U);
  expect_living(1);
  const pid_t next = run("postgres", "data", {});  // a new server, started meanwhile
  expect_living(2);
  guard_sweep_finish(&sweep);
  EXPECT_TRUE(within_seconds(5, [&] { return state_of(postmaster) == 'Z'; }));
  EXPECT_EQ(living().size(), 1U);
  EXPECT_EQ(kill(next, 0), 0);
}

// A frozen process shows as uninterruptible, and SIGKILL waits until it is thawed.
TEST_F(Sweep, UninterruptibleProcessWithSigkillPendingCountsAsFenced) {
  const fs::path freezer = "/sys/fs/cgroup/freezer/guard-" + std::to_string(getpid());
  std::error_code code;
  if (!fs::create_directory(freezer, code)) GTEST_SKIP() << "no cgroup freezer of version 1";
  const pid_t postmaster = run_server(0);
  std::ofstream(freezer / "cgroup.procs") << postmaster << std::endl;
  std::ofstream(freezer / "freezer.state") << "FROZEN" << std::endl;
  EXPECT_TRUE(within_seconds(5, [&] { return state_of(postmaster) == 'D'; }));
  EXPECT_EQ(living().size(), 1U);
  frozen_ = true;
  EXPECT_EQ(sweep_all(), 1U);
  EXPECT_EQ(state_of(postmaster), 'D');
  guard_process process{};
  EXPECT_TRUE(guard_read_process(&server_, postmaster, &process));
  EXPECT_TRUE(process.fenced);
  EXPECT_TRUE(guard_any_left(&server_));
  guard_sweep another{};  // what is killed already is not held again
  guard_sweep_round(&server_, &another,
                    guard_process_of(static_cast<std::uint64_t>(postmaster), process.start_ticks));
  EXPECT_EQ(another.held_count, 0U);
  std::ofstream(freezer / "freezer.state") << "THAWED" << std::endl;
  EXPECT_TRUE(within_seconds(5, [&] { return state_of(postmaster) == 'Z'; }));
  fs::remove(freezer, code);
}

TEST_F(Sweep, MissingDirectoryIsSaid) {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  EXPECT_FALSE(guard_find_directory((root_ / "none").c_str(), &device, &inode));
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace

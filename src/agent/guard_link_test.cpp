// SPDX-License-Identifier: Apache-2.0
// The guard fences real PostgreSQL servers: busy, stopped, orphaned, started by hand.
#include "agent/guard_link.h"

#include "tests/support/guarded.h"

namespace tanist::agent {
namespace {

fs::path postgres_binaries() {
  fs::path newest;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", code)) {
    const auto folder = entry.path() / "bin";
    if (fs::exists(folder / "initdb") && folder > newest) newest = folder;
  }
  return newest;
}

class GuardFence : public GuardTest {
 protected:
  void SetUp() override {
    GuardTest::SetUp();
    binaries_ = postgres_binaries();
    if (binaries_.empty()) GTEST_SKIP() << "no PostgreSQL server is installed";
    ASSERT_EQ(run({binaries_ / "initdb", "-D", data(), "-U", "postgres", "-A", "trust", "--no-sync",
                   "--no-instructions"}),
              0)
        << logged();
    std::ofstream(data() + "/postgresql.conf", std::ios::app)
        << "listen_addresses = ''\nunix_socket_directories = '" << root_.string()
        << "'\nport = 5432\nmax_connections = 100\nshared_buffers = 32MB\n"
        << "track_commit_timestamp = on\nlogging_collector = off\n";
  }

  int run(const std::vector<std::string>& arguments) {
    return exit_code_of(start_child(arguments, -1, log()));
  }

  int psql(const std::string& sql) {
    return run({binaries_ / "psql", "-h", root_, "-U", "postgres", "-XqAtc", sql});
  }

  std::string query(const std::string& sql) {
    const auto answer = root_ / "answer";
    const pid_t pid =
        start_child({binaries_ / "psql", "-h", root_, "-U", "postgres", "-XAtc", sql}, -1, answer);
    exit_code_of(pid);
    auto text = text_of(answer);
    fs::remove(answer);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

  // A dead child that nobody waited for still has its pid, and postgres takes its lock file for
  // a living server's.
  void forget_server() {
    if (postmaster_ != 0) waitpid(postmaster_, nullptr, 0);
  }

  // Through the launcher; returns when it accepts connections.
  void start_server(const LaunchPrefix& prefix) {
    forget_server();
    auto arguments = prefix.arguments;
    arguments.insert(arguments.end(), {binaries_ / "postgres", "-D", data()});
    postmaster_ = start_child(arguments, prefix.page, log());
    children_.push_back(postmaster_);
    expect_ready();
  }

  // As an operator would, past agent and launcher.
  void start_server_by_hand() {
    forget_server();
    postmaster_ = start_child({binaries_ / "postgres", "-D", data()}, -1, log());
    children_.push_back(postmaster_);
  }

  void expect_ready() {
    EXPECT_TRUE(wait_for(seconds(20), [&] { return psql("select 1") == 0; })) << logged();
  }

  // Clients that commit as fast as they can, until the server goes.
  void make_busy(int clients) {
    ASSERT_EQ(run({binaries_ / "pgbench", "-h", root_, "-U", "postgres", "-i", "-q", "postgres"}),
              0);
    const pid_t pid = start_child({binaries_ / "pgbench", "-h", root_, "-U", "postgres", "-n", "-c",
                                   std::to_string(clients), "-j", "2", "-T", "60", "postgres"},
                                  -1, root_ / "pgbench.log");
    children_.push_back(pid);
    const auto before = query("select pg_current_wal_lsn()");
    EXPECT_TRUE(
        wait_for(seconds(10), [&] { return query("select pg_current_wal_lsn()") != before; }));
    EXPECT_TRUE(wait_for(seconds(10),
                         [&] { return servers().size() > static_cast<std::size_t>(clients); }));
  }

  // Sessions that go on committing after their postmaster has died: they wait for nothing.
  void make_unstoppable(int sessions) {
    EXPECT_EQ(psql("create table t(i int)"), 0);
    for (int i = 0; i < sessions; ++i) {
      children_.push_back(
          start_child({binaries_ / "psql", "-h", root_, "-U", "postgres", "-Xqc",
                       "do $$ begin loop insert into t values (1); commit; end loop; end $$"},
                      -1, log()));
    }
    EXPECT_TRUE(wait_for(seconds(10), [&] {
      return query(
                 "select count(*) from pg_stat_activity where state = 'active' and query like "
                 "'do %'") == std::to_string(sessions);
    }));
  }

  // When the last process of the server had gone; fails when that is not before `deadline`.
  Duration expect_fenced_before(Instant deadline) {
    EXPECT_TRUE(wait_for(seconds(30), [&] { return servers().empty(); }));
    const auto gone = os::now();
    EXPECT_LT(gone, deadline);
    return gone - deadline;
  }

  void report(const GuardLink& link, Duration relative) {
    EXPECT_TRUE(wait_for(seconds(5), [&] { return link.last_firing().has_value(); }));
    const auto firing = link.last_firing();
    std::cout << "gone " << in_milliseconds(relative)
              << " ms after the deadline (F = " << in_milliseconds(link.margin()) << " ms)";
    if (firing) {
      std::cout << "; SIGKILL to " << firing->killed << ", sweep "
                << static_cast<double>(firing->took.count()) / 1e6 << " ms, all hit after "
                << static_cast<double>(firing->hit.count()) / 1e6 << " ms";
    }
    std::cout << "\n";
  }

  // The time of the server's last commit, by the server's own record, against the deadline.
  void expect_no_commit_after(Agent& agent, Instant deadline) {
    const auto wall = os::wall_now() -
                      std::chrono::duration_cast<std::chrono::microseconds>(os::now() - deadline);
    agent->suspend_for_pause();
    start_server_by_hand();
    expect_ready();
    const auto last = query(
        "select extract(epoch from timestamp)::numeric * 1000000 from "
        "pg_last_committed_xact()");
    const auto micros = std::strtod(last.c_str(), nullptr);
    EXPECT_GT(micros, 0);
    EXPECT_LT(micros, static_cast<double>(wall.time_since_epoch().count()));
    std::cout << "last commit "
              << (static_cast<double>(wall.time_since_epoch().count()) - micros) / 1000
              << " ms before the deadline\n";
  }

  std::vector<pid_t> all_of(std::vector<pid_t> pids, int signal) {
    for (const auto pid : pids) kill(pid, signal);
    return pids;
  }

  fs::path binaries_;
  pid_t postmaster_ = 0;
};

TEST_F(GuardFence, IdlePrimaryIsGoneBeforeTheDeadline) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  const auto deadline = agent.arm_for(seconds(2), reign_two);
  report(*agent, expect_fenced_before(deadline));
  EXPECT_TRUE(agent.pump_until(GuardState::latched));
}

TEST_F(GuardFence, BusyPrimaryIsGoneBeforeTheDeadlineAndCommitsNothingAfter) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  make_busy(8);
  const auto deadline = agent.arm_for(seconds(2), reign_two);
  report(*agent, expect_fenced_before(deadline));
  expect_no_commit_after(agent, deadline);
}

TEST_F(GuardFence, ServerLivesAsLongAsTheLockIsRenewed) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  agent.arm_for(milliseconds(1500), reign_two);
  for (int i = 0; i < 15; ++i) {
    agent.pump(milliseconds(200), [] { return false; });
    agent->arm(reign_two, os::now() + milliseconds(1500));
  }
  EXPECT_EQ(psql("select 1"), 0);
  EXPECT_EQ(agent->last_firing(), std::nullopt);
}

TEST_F(GuardFence, FencesWhenItsAgentWasKilled) {
  const auto deadline = os::now() + seconds(6);
  LaunchPrefix prefix;
  const pid_t agent = in_another_process([&] {
    Agent first(options());
    first->arm(reign_one, deadline);
    EXPECT_TRUE(first.pump_until(GuardState::armed));
    start_server(first->launch_prefix());
  });
  kill(agent, SIGKILL);
  EXPECT_FALSE(servers().empty());
  std::cout << "gone " << in_milliseconds(expect_fenced_before(deadline)) << " ms after D\n";
}

TEST_F(GuardFence, FencesWhenItsAgentIsFrozen) {
  const auto deadline = os::now() + seconds(6);
  const pid_t agent = in_another_process([&] {
    Agent first(options());
    first->arm(reign_one, deadline);
    EXPECT_TRUE(first.pump_until(GuardState::armed));
    start_server(first->launch_prefix());
  });
  kill(agent, SIGSTOP);
  EXPECT_FALSE(servers().empty());
  std::cout << "gone " << in_milliseconds(expect_fenced_before(deadline)) << " ms after D\n";
}

TEST_F(GuardFence, ReplacedGuardFencesAtTheOldDeadline) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  const auto deadline = agent.arm_for(seconds(2), reign_two);
  kill(static_cast<pid_t>(agent->guard_pid()), SIGKILL);
  EXPECT_TRUE(agent.pump_until(GuardState::absent));
  EXPECT_TRUE(agent.pump_until(GuardState::armed));
  report(*agent, expect_fenced_before(deadline));
}

TEST_F(GuardFence, StoppedPostmasterAndItsBusyBackendsAreKilled) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  make_busy(4);
  const auto deadline = agent.arm_for(seconds(2), reign_two);
  kill(postmaster_, SIGSTOP);
  report(*agent, expect_fenced_before(deadline));
  EXPECT_GT(agent->last_firing()->killed, 4);
  expect_no_commit_after(agent, deadline);
}

TEST_F(GuardFence, WhollyStoppedServerIsKilled) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  make_busy(4);
  const auto deadline = agent.arm_for(seconds(2), reign_two);
  all_of(servers(), SIGSTOP);
  report(*agent, expect_fenced_before(deadline));
}

TEST_F(GuardFence, BusyOrphansOfAKilledPostmasterAreKilled) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  make_unstoppable(3);
  const auto deadline = agent.arm_for(seconds(3), reign_two);
  kill(postmaster_, SIGKILL);
  EXPECT_TRUE(wait_for(seconds(2), [&] { return servers().size() == 3; }));
  EXPECT_LT(os::now(), deadline - agent->margin());  // they were alive until the guard came
  report(*agent, expect_fenced_before(deadline));
  expect_no_commit_after(agent, deadline);
}

TEST_F(GuardFence, OrphansThatIgnoreTheQuitAreKilled) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  make_unstoppable(2);
  const auto deadline = agent.arm_for(seconds(2), reign_two);
  kill(postmaster_, SIGKILL);
  EXPECT_TRUE(wait_for(seconds(1), [&] { return servers().size() == 2; }));
  all_of(servers(), SIGSTOP);
  report(*agent, expect_fenced_before(deadline));
  EXPECT_EQ(agent->last_firing()->killed, 2);
}

TEST_F(GuardFence, LatchKillsEachServerThatAppearsUntilAStandbyIsAnnounced) {
  Agent agent(options());
  agent->arm(reign_one, os::now());
  EXPECT_TRUE(agent.pump_until(GuardState::latched));
  for (int i = 0; i < 2; ++i) {
    start_server_by_hand();
    EXPECT_EQ(exit_code_of(postmaster_), 1000 + SIGKILL);
    children_.pop_back();
  }
  agent->announce_standby_start();
  start_server_by_hand();
  expect_ready();
  EXPECT_FALSE(servers().empty());
}

TEST_F(GuardFence, LatchIsReleasedByAFreshRenewal) {
  Agent agent(options());
  agent->arm(reign_one, os::now());
  EXPECT_TRUE(agent.pump_until(GuardState::latched));
  agent.arm_for(seconds(60), reign_two);
  start_server(agent->launch_prefix());
  EXPECT_EQ(psql("select 1"), 0);
}

TEST_F(GuardFence, ServerStartedByHandIsTakenAtFiring) {
  Agent agent(options());
  start_server_by_hand();  // the page never heard of this one
  expect_ready();
  const auto deadline = agent.arm_for(seconds(2));
  report(*agent, expect_fenced_before(deadline));
}

TEST_F(GuardFence, DisarmedServerLives) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  agent.arm_for(milliseconds(1500), reign_two);
  EXPECT_TRUE(agent->disarm(os::now()));
  agent.pump(seconds(2), [] { return false; });
  EXPECT_EQ(psql("select 1"), 0);
}

TEST_F(GuardFence, PostmasterInheritsNothingOfTheGuard) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  for (const auto& entry : fs::directory_iterator(format_text("/proc/{}/fd", postmaster_))) {
    EXPECT_EQ(link_of(entry.path()).find("memfd:tanist"), std::string::npos) << entry.path();
  }
}

TEST_F(GuardFence, SweepBeforeAStartEndsOrphans) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  make_unstoppable(2);
  kill(postmaster_, SIGKILL);
  EXPECT_TRUE(wait_for(seconds(2), [&] { return servers().size() == 2; }));
  EXPECT_EQ(run(agent->sweep_command()), 0);
  EXPECT_TRUE(servers().empty());
  start_server(agent->launch_prefix());
  EXPECT_EQ(psql("select 1"), 0);
}

TEST_F(GuardFence, SweepWithoutKillOnlyLists) {
  start_server_by_hand();
  expect_ready();
  EXPECT_EQ(run({guard_program(), "sweep", data()}), 3);
  EXPECT_NE(logged().find(format_text("{} (child of ", postmaster_)), std::string::npos);
  EXPECT_EQ(psql("select 1"), 0);
}

TEST_F(GuardFence, WatchdogIsReleasedAfterTheSweepAndNotBefore) {
  Agent agent(options());
  agent.arm_for(seconds(60));
  start_server(agent->launch_prefix());
  std::array<int, 2> device{};
  ASSERT_EQ(pipe2(device.data(), O_CLOEXEC | O_NONBLOCK), 0);
  agent->lend_watchdog(device[1]);
  const auto deadline = agent.arm_for(seconds(2), reign_two);
  char magic = 0;
  EXPECT_TRUE(wait_for(seconds(10), [&] { return read(device[0], &magic, 1) == 1; }));
  EXPECT_EQ(magic, 'V');
  EXPECT_TRUE(servers().empty());
  EXPECT_GE(os::now(), deadline - agent->margin());
  close(device[1]);
  EXPECT_TRUE(wait_for(seconds(5), [&] { return read(device[0], &magic, 1) == 0; }));  // it let go
  close(device[0]);
}

}  // namespace
}  // namespace tanist::agent

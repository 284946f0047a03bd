// SPDX-License-Identifier: Apache-2.0
// The guard as its agent uses it: real tanist-guard processes, and real PostgreSQL servers where
// one is to be fenced. Suspended machines cannot be made here: that the guard counts suspended time
// rests on its timer's clock, CLOCK_BOOTTIME.
#include "agent/guard_link.h"

#include <fcntl.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <thread>

#include "base/format.h"
#include "os/clock.h"

namespace tanist::agent {
namespace {

namespace fs = std::filesystem;

constexpr Reign reign_one{LeaseId(0x1111), Revision(11)};
constexpr Reign reign_two{LeaseId(0x2222), Revision(22)};
constexpr Duration ttl = seconds(30);  // F = 530 ms

// PostgreSQL refuses to run as root, and the guard fences processes of its own user only.
class WithoutPrivileges : public testing::Environment {
 public:
  void SetUp() override {
    if (geteuid() != 0) return;
    const passwd* user = getpwnam("postgres");
    ASSERT_NE(user, nullptr) << "user postgres is missing";
    ASSERT_EQ(initgroups("postgres", user->pw_gid), 0);
    ASSERT_EQ(setgid(user->pw_gid), 0);
    ASSERT_EQ(setuid(user->pw_uid), 0);
    prctl(PR_SET_DUMPABLE, 1);
  }
};
const auto* const without_privileges =
    testing::AddGlobalTestEnvironment(new WithoutPrivileges);  // owned by GoogleTest

bool wait_for(Duration limit, const std::function<bool()>& condition) {
  const auto until = os::now() + limit;
  while (!condition()) {
    if (os::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {(std::istreambuf_iterator<char>(file)), {}};
}

std::string guard_program(const char* folder = "") {
  return fs::read_symlink("/proc/self/exe").parent_path() / folder / "tanist-guard";
}

// Starts a child that inherits `page` and writes both outputs to `log`.
pid_t start_child(std::vector<std::string> arguments, int page, const std::string& log) {
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const pid_t pid = fork();
  if (pid != 0) return pid;
  const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(out, 1);
  dup2(out, 2);
  if (page >= 0) fcntl(page, F_SETFD, 0);
  setsid();
  execvp(pointers[0], pointers.data());
  _exit(127);
}

int exit_code_of(pid_t pid) {
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

// An agent in this process: a loop that runs while it is waited for.
class Agent {
 public:
  explicit Agent(GuardOptions options) {
    auto opened = GuardLink::open(io_.get_executor(), std::move(options));
    if (!opened) throw std::runtime_error(opened.error().message);
    link_ = std::move(*opened);
    link_->raise_margin(ttl);
  }

  GuardLink& operator*() { return *link_; }
  GuardLink* operator->() { return link_.get(); }

  bool pump(Duration limit, const std::function<bool()>& condition) {
    const auto until = os::now() + limit;
    while (!condition()) {
      if (os::now() > until) return false;
      io_.restart();
      io_.run_for(milliseconds(2));
    }
    return true;
  }

  bool pump_until(GuardState state) {
    return pump(seconds(5), [&] { return link_->state(os::now()) == state; });
  }

  // Arms and waits until the guard has confirmed.
  Instant arm_for(Duration span, const Reign& reign = reign_one) {
    const auto deadline = os::now() + span;
    link_->arm(reign, deadline);
    EXPECT_TRUE(pump_until(GuardState::armed));
    return deadline;
  }

 private:
  boost::asio::io_context io_;
  std::unique_ptr<GuardLink> link_;
};

// A folder with a data directory and a place for the guard's socket; all guards and servers in it
// end with the test.
class GuardTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "guard-link-XXXXXX";
    root_ = mkdtemp(pattern.data());
    fs::create_directory(root_ / "data");
    fs::create_directory(root_ / "run");
  }

  void TearDown() override {
    for (const pid_t child : children_) {
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    for (const auto pid : guards()) kill(pid, SIGKILL);
    for (const auto pid : servers()) kill(pid, SIGKILL);
    EXPECT_TRUE(wait_for(seconds(10), [&] { return servers().empty() && guards().empty(); }));
    while (waitpid(-1, nullptr, WNOHANG) > 0) continue;
    fs::remove_all(root_);
  }

  GuardOptions options() const {
    GuardOptions given;
    given.program = guard_program();
    given.data_directory = data();
    given.folder = root_ / "run";
    return given;
  }

  std::string data() const { return root_ / "data"; }

  // All processes for which `is` says yes, by /proc; told apart by other means than the guard's.
  static std::vector<pid_t> processes(const std::function<bool(const std::string&)>& is) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (is(entry.path().string())) found.push_back(std::stoi(name));
    }
    return found;
  }

  static std::string link_of(const std::string& path) {
    std::error_code code;
    return fs::read_symlink(path, code).string();
  }

  // The server's processes that live.
  std::vector<pid_t> servers() const {
    return processes([&](const std::string& process) {
      return link_of(process + "/cwd") == data() &&
             link_of(process + "/exe").find("/postgres") != std::string::npos;
    });
  }

  // The guards of this data directory that live.
  std::vector<pid_t> guards() const {
    return processes([&](const std::string& process) {
      if (link_of(process + "/exe").find("/tanist-guard") == std::string::npos) return false;
      std::ifstream page(process + "/fd/3");
      std::string words(GUARD_PAGE_BYTES, '\0');
      page.read(words.data(), GUARD_PAGE_BYTES);
      return words.compare(offsetof(guard_page, directory), data().size() + 1, data().c_str(),
                           data().size() + 1) == 0;
    });
  }

  // Runs `work` in another process, which then waits to be killed. Returns when `work` is done.
  pid_t in_another_process(const std::function<void()>& work) {
    std::array<int, 2> done{};
    EXPECT_EQ(pipe(done.data()), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      work();
      const bool failed = testing::Test::HasFailure();
      if (write(done[1], failed ? "!" : ".", 1) != 1) _exit(1);
      for (;;) pause();
    }
    close(done[1]);
    char answer = '!';
    EXPECT_EQ(read(done[0], &answer, 1), 1);
    EXPECT_EQ(answer, '.');
    close(done[0]);
    children_.push_back(pid);
    return pid;
  }

  // To the prefix's launcher as if it were the server.
  int launch(const LaunchPrefix& prefix, std::vector<std::string> server) {
    auto arguments = prefix.arguments;
    arguments.insert(arguments.end(), server.begin(), server.end());
    return exit_code_of(start_child(arguments, prefix.page, log()));
  }

  std::string log() const { return root_ / "log"; }
  std::string logged() const { return text_of(log()); }

  fs::path root_;
  std::vector<pid_t> children_;
};

// ---- The guard's life ---------------------------------------------------------------------------

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

// ---- Adoption -----------------------------------------------------------------------------------

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

// ---- Launching ----------------------------------------------------------------------------------

TEST_F(GuardTest, LaunchStartsThePrimaryWhileArmed) {
  Agent agent(options());
  agent.arm_for(seconds(20));
  EXPECT_EQ(launch(agent->launch_prefix(), {"/bin/sh", "-c", "pwd; ls -l /proc/self/fd"}), 0);
  EXPECT_NE(logged().find(data()), std::string::npos);
  EXPECT_EQ(logged().find("tanist-guard-page"), std::string::npos);  // not inherited
}

TEST_F(GuardTest, LaunchRefusesPastTheDeadline) {
  Agent agent(options());
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

// ---- Fencing real servers -----------------------------------------------------------------------

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

// SPDX-License-Identifier: Apache-2.0
// For tests: an agent in this process, a folder with its data directory, and the guards and servers
// of that folder. Real tanist-guard processes. Suspended machines cannot be made here: that the
// guard counts suspended time rests on its timer's clock, CLOCK_BOOTTIME.
#pragma once
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

namespace fs = std::filesystem;

inline constexpr Reign reign_one{LeaseId(0x1111), Revision(11)};
inline constexpr Reign reign_two{LeaseId(0x2222), Revision(22)};
inline constexpr Duration ttl = seconds(30);  // F = 530 ms

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
inline const auto* const without_privileges =
    testing::AddGlobalTestEnvironment(new WithoutPrivileges);  // owned by GoogleTest

inline bool wait_for(Duration limit, const std::function<bool()>& condition) {
  const auto until = os::now() + limit;
  while (!condition()) {
    if (os::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

inline std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {(std::istreambuf_iterator<char>(file)), {}};
}

inline std::string guard_program(const char* folder = "") {
  return fs::read_symlink("/proc/self/exe").parent_path() / folder / "tanist-guard";
}

// Starts a child that inherits `page` and writes both outputs to `log`.
inline pid_t start_child(std::vector<std::string> arguments, int page, const std::string& log) {
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

inline int exit_code_of(pid_t pid) {
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

}  // namespace tanist::agent

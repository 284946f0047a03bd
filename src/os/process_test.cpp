// SPDX-License-Identifier: Apache-2.0
// Real child processes: what they inherit, what they say, how they end.
#include "os/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "os/clock.h"
#include "os/proc.h"
#include "os/run_loop.h"

namespace tanist::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ProcessTest : public testing::Test {
 protected:
  static SpawnRequest shell(const std::string& script) {
    SpawnRequest request;
    request.arguments = {"/bin/sh", "-c", script};
    request.environment = {"PATH=/usr/bin:/bin"};
    return request;
  }
  Result<ProcessEnd> run(SpawnRequest request, Limit limit = {}) {
    return run_until_done(loop, run_process(&pool, std::move(request), std::move(limit)));
  }
  ProcessPtr spawn(SpawnRequest request) {
    auto child = run_until_done(loop, spawn_process(&pool, std::move(request), Limit{}));
    EXPECT_TRUE(child) << child.error().message;
    return *child;
  }
  void wait_for_state(std::int64_t pid, char state) {
    while (read_process(pid).value_or(ProcessStat{}).state != state) {
      run_until_done(loop, pause(Limit{}.within(milliseconds{5})));
    }
  }

  boost::asio::io_context loop;
  DiskPool pool;
};

TEST_F(ProcessTest, CollectsOutputErrorsAndExitCode) {
  const auto end = run(shell("echo out; echo err >&2; exit 3"));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output, "out\n");
  EXPECT_EQ(end->errors, "err\n");
  EXPECT_EQ(describe_status(end->status), "exit code 3");
  EXPECT_FALSE(end->succeeded());
}

TEST_F(ProcessTest, TellsTheSignalThatEndedIt) {
  EXPECT_EQ(describe_status(run(shell("kill -9 $$"))->status), "signal 9");
}

TEST_F(ProcessTest, SaysThatAProgramDoesNotExist) {
  SpawnRequest request;
  request.arguments = {"/no/such/program", "secret"};
  const auto end = run(std::move(request));
  EXPECT_EQ(end.error().code, Errc::not_found);
  EXPECT_EQ(end.error().message, "cannot run /no/such/program: No such file or directory");
}

TEST_F(ProcessTest, KeepsTheEndOfEndlessOutput) {
  auto request = shell("i=0; while [ $i -lt 30000 ]; do echo line$i; i=$((i+1)); done");
  request.captured_bytes_max = 1000;
  const auto end = run(std::move(request));
  EXPECT_EQ(end->output.size(), 1000U);
  EXPECT_TRUE(end->output.ends_with("line29999\n"));
}

TEST_F(ProcessTest, HandsOutErrorLinesAsTheyCome) {
  std::vector<std::string> lines;
  auto request = shell("printf 'one\\rtwo\\nthree' >&2");
  request.on_error_line = [&](std::string_view line) { lines.emplace_back(line); };
  run(std::move(request));
  EXPECT_THAT(lines, ElementsAre("one", "two"));
}

TEST_F(ProcessTest, GivesTheChildExactlyTheEnvironmentThatWasNamed) {
  setenv("TANIST_TEST_LEAK", "1", 1);
  auto request = shell("exec /usr/bin/env -u PWD");
  request.environment = {"ONLY=this"};
  EXPECT_EQ(run(std::move(request))->output, "ONLY=this\n");
  EXPECT_THAT(environment_without({"TANIST_TEST_"}),
              testing::Not(testing::Contains("TANIST_TEST_LEAK=1")));
}

TEST_F(ProcessTest, GivesTheChildOnlyTheDescriptorsThatWereNamed) {
  const Descriptor leaked(fcntl(STDERR_FILENO, F_DUPFD, 50));  // not close-on-exec, on purpose
  const Descriptor first(eventfd(7, EFD_CLOEXEC));
  const Descriptor second(eventfd(8, EFD_CLOEXEC));
  auto request = shell("exec sleep 100");
  request.inherited = {second.get(), first.get()};
  const auto child = spawn(std::move(request));
  std::vector<std::string> descriptors;
  const auto all = open_descriptors(child->identity().pid);
  for (const auto& open : *all) {
    descriptors.push_back(fmt::format("{} {}", open.number, open.target));
  }
  EXPECT_THAT(descriptors,
              testing::UnorderedElementsAre("0 /dev/null", "1 /dev/null", "2 /dev/null",
                                            fmt::format("{} anon_inode:[eventfd]", first.get()),
                                            fmt::format("{} anon_inode:[eventfd]", second.get())));
  EXPECT_TRUE(run_until_done(loop, end_session(&pool, child, seconds{5})));
}

TEST_F(ProcessTest, InputIsEmptyAndTheFolderIsTheNamedOne) {
  auto request = shell("cat; pwd; echo $$; ps -o sid= -p $$");
  request.working_folder = "/usr";
  const auto end = run(std::move(request));
  EXPECT_THAT(end->output, HasSubstr("/usr\n"));
}

TEST_F(ProcessTest, EndsTheWholeSessionAtTheDeadline) {
  const auto begin = now();
  const auto end =
      run(shell("sleep 300 & (sleep 300) & sleep 300"), Limit{}.within(milliseconds{200}));
  EXPECT_EQ(end.error().code, Errc::timeout);
  EXPECT_LT(now() - begin, seconds{5});
}

TEST_F(ProcessTest, KillsASessionThatIgnoresTheRequest) {
  const auto child =
      spawn(shell("trap '' TERM; (trap '' TERM; sleep 300) & while :; do sleep 1; done"));
  while (children_of(child->identity().pid).size() < 2) {  // now its traps are set
    run_until_done(loop, pause(Limit{}.within(milliseconds{5})));
  }
  const auto session = child->identity().pid;
  EXPECT_TRUE(run_until_done(loop, end_session(&pool, child, milliseconds{200})));
  for (const auto& process : all_processes()) {
    EXPECT_TRUE(process.session != session || process.state == 'Z') << process.identity.pid;
  }
  EXPECT_EQ(describe_status(child->status()), "signal 9");
}

TEST_F(ProcessTest, AStopCancelsTheRun) {
  const auto stop = std::make_shared<Stop>();
  boost::asio::post(loop, [stop] { stop->request(); });
  EXPECT_EQ(run(shell("sleep 300"), Limit{.stop = stop}).error().code, Errc::cancelled);
}

TEST_F(ProcessTest, DoesNotWaitForStreamsThatAnOrphanHolds) {
  const auto begin = now();
  const auto end = run(shell("setsid sleep 3 & echo done"));
  EXPECT_EQ(end->output, "done\n");
  EXPECT_LT(now() - begin, seconds{2});
}

TEST_F(ProcessTest, AnAdoptedProcessIsWatchedWithoutAnExitCode) {
  const auto child = spawn(shell("exec sleep 300"));
  const auto adopted = adopt_process(child->identity().pid);
  ASSERT_TRUE(adopted);
  EXPECT_EQ((*adopted)->identity(), child->identity());
  EXPECT_TRUE((*adopted)->alive());
  EXPECT_TRUE((*adopted)->send(SIGKILL));
  EXPECT_EQ(run_until_done(loop, (*adopted)->exited(Limit{})), Ended::done);
  EXPECT_EQ((*adopted)->status(), -1);
  EXPECT_FALSE((*adopted)->alive());
  EXPECT_EQ(run_until_done(loop, child->exited(Limit{})), Ended::done);
  EXPECT_EQ(child->status(), SIGKILL);
}

TEST_F(ProcessTest, NobodyIsAdoptedWhoHasEnded) {
  const auto child = spawn(shell("exit 0"));
  wait_for_state(child->identity().pid, 'Z');
  EXPECT_EQ(adopt_process(child->identity().pid).error().code, Errc::not_found);
  EXPECT_EQ(adopt_process(0).error().code, Errc::invalid);
  EXPECT_EQ(run_until_done(loop, child->exited(Limit{})), Ended::done);
}

TEST_F(ProcessTest, AHandleThatGoesAwayKillsNobody) {
  auto child = spawn(shell("exec sleep 300"));
  const auto pid = child->identity().pid;
  child.reset();
  const auto adopted = adopt_process(pid);
  ASSERT_TRUE(adopted);
  EXPECT_TRUE((*adopted)->alive());
  (*adopted)->send(SIGKILL);
  waitpid(static_cast<pid_t>(pid), nullptr, 0);
}

}  // namespace
}  // namespace tanist::os

// SPDX-License-Identifier: Apache-2.0
// What a started server gets from its agent, and what it must not get.
// tidy: table
#include "postgres/start.h"

#include <gmock/gmock.h>
#include <signal.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Sets a variable of this process for the time of a test.
class InEnvironment {
 public:
  InEnvironment(const char* name, const char* value) : name_(name) { setenv(name, value, 1); }
  ~InEnvironment() { unsetenv(name_); }
  InEnvironment(const InEnvironment&) = delete;
  InEnvironment& operator=(const InEnvironment&) = delete;

 private:
  const char* name_;
};

// Traps 132 and 140.
TEST_F(Situation, AServerHasNeitherTheAgentsSecretsNorItsNotifySocket) {
  const InEnvironment secret("PATRONI_ETCD3_PASSWORD", "of-the-store");
  const InEnvironment socket("NOTIFY_SOCKET", "/run/notify-of-the-agent");
  const InEnvironment harmless("HARMLESS", "stays");
  ASSERT_TRUE(first.perform(InitializeData{}).ok);
  ASSERT_EQ(first.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
  const auto pid = first.observe().postmaster->pid;
  const auto environment = content("/proc/" + std::to_string(pid) + "/environ");
  EXPECT_THAT(environment, AllOf(HasSubstr("HARMLESS=stays"), Not(HasSubstr("of-the-store")),
                                 Not(HasSubstr("NOTIFY_SOCKET"))));
}

// Trap 130, and trap 79: nobody is there to wait for.
TEST_F(Situation, ABootstrapLogsNoPasswordAndWaitsForNoStandby) {
  first.settings.parameters["log_statement"] = "all";
  first.settings.parameters["log_min_duration_statement"] = "0";
  first.settings.parameters["logging_collector"] = "on";
  first.settings.parameters["log_directory"] = first.folder();
  first.settings.parameters["log_filename"] = "server.log";
  first.settings.parameters["synchronous_standby_names"] = "nobody";
  first.apply();
  ASSERT_TRUE(first.bootstrap());
  EXPECT_EQ(first.query("SELECT current_user", "rewinder"), "rewinder");
  const auto said = content(first.folder() + "/server.log");
  EXPECT_THAT(said, AllOf(HasSubstr("statement: "), Not(HasSubstr("-password")),
                          Not(HasSubstr("SCRAM-SHA-256$"))));
}

// Trap 46.
TEST_F(Situation, AnotherPostmasterIsAskedOverAnotherConnection) {
  ASSERT_TRUE(first.bootstrap());
  const auto before = first.observe();
  ASSERT_TRUE(before.query);
  ASSERT_EQ(kill(static_cast<pid_t>(before.postmaster->pid), SIGKILL), 0);
  ASSERT_TRUE(first.see([](const ServerFacts& facts) { return !facts.postmaster; }));
  ASSERT_EQ(first.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
  const auto after = first.observe();
  ASSERT_TRUE(after.query) << after.query_error;
  EXPECT_NE(after.query->postmaster_start_time, before.query->postmaster_start_time);
}

TEST_F(Situation, AFolderThatTheServerWouldRefuseIsNamedAndLeftAsItIs) {
  ASSERT_TRUE(first.perform(InitializeData{}).ok);
  std::filesystem::permissions(first.settings.data_dir, std::filesystem::perms(0755));
  const auto before = names_in(first.settings.data_dir);
  const auto started = first.perform(StartServer{.goal = TestNode::primary()});
  EXPECT_EQ(started.start, StartOutcome::not_started);
  EXPECT_THAT(started.error, HasSubstr("has mode 0755, the server demands 0700 or 0750"));
  EXPECT_EQ(names_in(first.settings.data_dir), before);
  std::filesystem::permissions(first.settings.data_dir, std::filesystem::perms(0750));
  EXPECT_EQ(first.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
}

}  // namespace
}  // namespace tanist::postgres

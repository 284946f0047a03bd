// SPDX-License-Identifier: Apache-2.0
// Settings on real servers.
// tidy: table
#include "postgres/reload.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

// Trap 112.
TEST_F(Situation, AStandbyKeepsTheLargerValuesOfItsPrimaryAndSaysSo) {
  first.settings.parameters["max_connections"] = "40";
  first.apply();
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  EXPECT_EQ(second.query("SHOW max_connections"), "40");
  const auto facts = second.observe();
  EXPECT_THAT(facts.pending_restart, Contains(PendingRestart{"max_connections", "40", "20"}));
}

TEST_F(Situation, AReloadOfAPromotedServerComplainsOfNothing) {
  for (auto* node : {&first, &second}) {
    node->settings.parameters["logging_collector"] = "on";
    node->settings.parameters["log_directory"] = node->folder();
    node->settings.parameters["log_filename"] = "server.log";
    node->apply();
  }
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  ASSERT_TRUE(streams(second));
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  ASSERT_TRUE(promote(second));
  second.settings.parameters["work_mem"] = "9MB";
  second.apply();
  ASSERT_TRUE(second.perform(ReloadServer{.goal = TestNode::primary()}).ok);
  EXPECT_EQ(second.query("SHOW work_mem"), "9MB");
  const auto said = content(second.folder() + "/server.log");
  EXPECT_THAT(said, HasSubstr("received SIGHUP"));
  EXPECT_THAT(said, Not(HasSubstr("cannot be changed without restarting")));
}

// Trap 118.
TEST_F(Situation, AValueThatIsSetBackWaitsForNoRestartAnyMore) {
  ASSERT_TRUE(first.bootstrap());
  first.settings.parameters["max_connections"] = "33";
  first.apply();
  ASSERT_TRUE(first.perform(ReloadServer{.goal = TestNode::primary()}).ok);
  ASSERT_THAT(first.observe().pending_restart,
              Contains(PendingRestart{"max_connections", "20", "33"}));
  first.settings.parameters["max_connections"] = "20";
  first.apply();
  ASSERT_TRUE(first.perform(ReloadServer{.goal = TestNode::primary()}).ok);
  EXPECT_TRUE(first.observe().pending_restart.empty());
  EXPECT_THAT(content(first.in_data("postgresql.conf")), HasSubstr("max_connections = '20'"));
}

// Trap 113: no value breaks out of its quotes.
TEST_F(Situation, HostileValuesStayValues) {
  const std::string hostile = "it's \\ a 'trap'\nmax_connections = '7'";
  first.settings.parameters["search_path"] = hostile;
  first.settings.parameters["custom.text"] = "a'b\\c";
  first.apply();
  ASSERT_TRUE(first.perform(InitializeData{}).ok);
  const auto started = first.perform(StartServer{.goal = TestNode::primary()});
  const auto main_file = content(first.in_data("postgresql.conf"));
  EXPECT_THAT(main_file, HasSubstr("custom.text = 'a''b\\\\c'"));
  if (started.start != StartOutcome::ready) return;  // refused as a whole is good as well
  ASSERT_TRUE(first.perform(FinishBootstrap{}).ok);
  EXPECT_EQ(first.query("SHOW max_connections"), "20");
}

}  // namespace
}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// Bootstraps on real servers: scripts, and a recovery target.
// tidy: table
#include "postgres/finish_bootstrap.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(Situation, PostBootstrapGetsAConnectionThatWorksWithoutAPasswordInIt) {
  const auto seen = cluster.folder / "seen";
  first.settings.post_bootstrap =
      script("post", "echo \"$1\" >" + seen + "; " + sql::test_bin_dir +
                         "/psql \"$1\" -c 'CREATE TABLE public.by_script (n int)'");
  first.apply();
  ASSERT_TRUE(first.bootstrap());
  EXPECT_EQ(first.query("SELECT count(*) FROM public.by_script"), "0");
  EXPECT_THAT(content(seen), AllOf(HasSubstr("user=postgres"), HasSubstr("dbname=postgres"),
                                   Not(HasSubstr("password"))));
  second.settings.post_bootstrap = script("failing", "exit 3");
  second.apply();
  ASSERT_TRUE(second.perform(InitializeData{}).ok);
  ASSERT_EQ(second.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
  EXPECT_THAT(second.perform(FinishBootstrap{}).error, HasSubstr("non-zero code: exit code 3"));
}

// Traps 101 and 110: the restored settings are larger, and nothing goes to the archive meanwhile.
TEST_F(Situation, ACustomBootstrapEndsAtItsRecoveryTarget) {
  const auto backup = cluster.folder / "backup";
  first.settings.parameters["archive_mode"] = "on";
  first.settings.parameters["archive_command"] = "cp %p " + archive() + "/%f";
  first.settings.parameters["max_connections"] = "60";
  first.apply();
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  ASSERT_TRUE(second.perform(StopServer{}).ok);
  fs::rename(second.settings.data_dir, backup);
  fs::remove(backup + "/standby.signal");
  ASSERT_EQ(first.query("CREATE TABLE public.rows AS SELECT 1 AS n"), "");
  ASSERT_NE(first.query("SELECT pg_create_restore_point('here')"), "");
  ASSERT_EQ(first.query("INSERT INTO public.rows VALUES (2)"), "");
  ASSERT_NE(first.query("SELECT pg_switch_wal()"), "");
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  const auto archived = os::list_folder(archive())->size();
  second.settings.bootstrap_method = "restore";
  second.settings.bootstrap_method_section =
      Tree::map({{"command", script("restore", "cp -a " + backup + " " + second.settings.data_dir)},
                 {"recovery_conf", Tree::map({{"restore_command", "cp " + archive() + "/%f %p"},
                                              {"recovery_target_name", "here"},
                                              {"recovery_target_timeline", "latest"},
                                              {"recovery_target_action", "promote"}})}});
  second.settings.parameters["archive_mode"] = "on";
  second.settings.parameters["archive_command"] = "cp %p " + archive() + "/%f";
  second.apply();
  ASSERT_TRUE(second.perform(InitializeData{}).ok);
  const auto started =
      second.perform(StartServer{.goal = TestNode::primary(), .in_bootstrap = true});
  ASSERT_TRUE(started.ok) << started.error;
  ASSERT_TRUE(second.see(
      [](const ServerFacts& facts) { return facts.query && !facts.query->in_recovery; }));
  EXPECT_EQ(os::list_folder(archive())->size(), archived) << "nothing was archived meanwhile";
  const auto finished = second.perform(FinishBootstrap{});
  ASSERT_TRUE(finished.ok) << finished.error;
  EXPECT_EQ(second.query("SELECT count(*) FROM public.rows"), "1");
  EXPECT_EQ(second.query("SHOW archive_mode"), "on");
  EXPECT_FALSE(os::exists(second.in_data("recovery.signal")));
}

}  // namespace
}  // namespace tanist::postgres

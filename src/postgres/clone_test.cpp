// SPDX-License-Identifier: Apache-2.0
// Copies on real servers.
// tidy: table
#include "postgres/clone.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;

// Trap 107.
TEST_F(Situation, ACancelledCopyEndsItsProgramAndLeavesNothing) {
  ASSERT_TRUE(first.bootstrap());
  second.settings.basebackup_options =
      Tree(Tree::List{Tree("no-sync"), Tree::map({{"max-rate", "100"}})});
  second.apply();
  std::optional<ServerResult> result;
  const EffectId id(9000);
  second.server->start(id, CloneData{.source = first.as_upstream()},
                       [&](ServerResult given) { result = std::move(given); });
  while (!result && second.told->copy_progress.empty()) cluster.loop.run_one();
  ASSERT_FALSE(result) << result->error;
  EXPECT_TRUE(os::exists(second.settings.data_dir));
  second.server->cancel(id);
  while (!result) cluster.loop.run_one();
  EXPECT_FALSE(result->ok);
  EXPECT_FALSE(os::exists(second.in_data("PG_VERSION")));
  EXPECT_EQ(first.query("SELECT count(*) FROM pg_stat_replication"), "0");
}

TEST_F(Situation, ACopyTellsHowFarItHasCome) {
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  EXPECT_THAT(second.told->copy_progress, AllOf(Contains("100%"), Contains("")));
  EXPECT_EQ(second.told->copy_progress.back(), "");
}

TEST_F(Situation, AMethodWithoutLeaderGetsItsOwnKeysAndNoConnection) {
  ASSERT_TRUE(first.bootstrap());
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  const auto arguments = cluster.folder / "arguments";
  second.settings.create_replica_methods = {"basebackup", "own"};
  second.settings.replica_methods["own"] = Tree::map(
      {{"command", script("own", "printf '%s\\n' \"$@\" >" + arguments + "; cp -a " +
                                     first.settings.data_dir + " " + second.settings.data_dir)},
       {"no_leader", true},
       {"label", "nightly backup"}});
  second.apply();
  const auto cloned = second.perform(CloneData{});
  ASSERT_TRUE(cloned.ok) << cloned.error;
  EXPECT_THAT(
      content(arguments),
      AllOf(HasSubstr("--scope=demo\n"), HasSubstr("--role=replica\n"),
            HasSubstr("--datadir=" + second.settings.data_dir + "\n"), HasSubstr("--connstring=\n"),
            HasSubstr("--label=nightly backup\n"), HasSubstr("--no_leader=True\n")));
  EXPECT_TRUE(second.observe().standby_signal);
}

}  // namespace
}  // namespace tanist::postgres

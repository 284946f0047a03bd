// SPDX-License-Identifier: Apache-2.0
// Rewinding on real servers: interrupted, without WAL, with an archive.
// tidy: table
#include "postgres/rewind.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// Trap 54.
TEST_F(Situation, ARewindKilledWhileItCopiesLeavesADirectoryThatOnlyACopyReplaces) {
  diverge();
  first.settings.bin_name["pg_rewind"] =
      script("pg_rewind", sql::test_bin_dir +
                              "/pg_rewind \"$@\" 2> >(while read -r line; do echo \"$line\" >&2;"
                              " case $line in *'need to copy'*) kill -9 $(cat " +
                              (cluster.folder / "pid") + ");; esac; done) & echo $! >" +
                              (cluster.folder / "pid") + "; wait $!; exit $?");
  first.apply();
  const auto killed = first.perform(RewindData{second.as_upstream()});
  EXPECT_THAT(killed.error, HasSubstr("mixture of files"));
  EXPECT_FALSE(killed.source_lost);
  EXPECT_TRUE(first.observe().rewind_interrupted);
  EXPECT_EQ(first.perform(StartServer{.goal = first.following(second)}).start,
            StartOutcome::not_started);
  const auto cloned = first.perform(CloneData{.source = second.as_upstream()});
  ASSERT_TRUE(cloned.ok) << cloned.error;
  EXPECT_FALSE(first.observe().rewind_interrupted);
  EXPECT_TRUE(follows_second());
}

// Trap 66.
TEST_F(Situation, ARewindFetchesWalThatIsGoneFromTheArchive) {
  first.settings.recovery_conf["restore_command"] = "cp " + archive() + "/%f %p";
  first.apply();
  diverge("SELECT pg_switch_wal()");
  const auto wal = first.in_data("pg_wal");
  const auto needed = segment_of_checkpoint();
  std::size_t moved = 0;
  for (const auto& name : names_in(wal)) {
    if (name.size() != 24 || name >= needed) continue;
    fs::copy_file(wal + "/" + name, archive() + "/" + name);
    fs::remove(wal + "/" + name);
    ++moved;
  }
  ASSERT_GT(moved, 0U);
  const auto rewound = first.perform(RewindData{second.as_upstream()});
  ASSERT_TRUE(rewound.ok) << rewound.error;
  EXPECT_TRUE(follows_second());
}

TEST_F(Situation, ARewindThatLacksWalWithoutArchiveChangesNothing) {
  diverge("SELECT pg_switch_wal()");
  const auto wal = first.in_data("pg_wal");
  const auto needed = segment_of_checkpoint();
  for (const auto& name : names_in(wal)) {
    if (name.size() == 24 && name < needed) fs::remove(wal + "/" + name);
  }
  const auto rewound = first.perform(RewindData{second.as_upstream()});
  EXPECT_THAT(rewound.error, HasSubstr("could not open file"));
  EXPECT_FALSE(first.observe().rewind_interrupted);
}

// Trap 57.
TEST_F(Situation, WhatWaitsForTheArchiveIsArchivedBeforeTheRewind) {
  first.settings.parameters["archive_mode"] = "on";
  first.settings.parameters["archive_command"] =
      "test -e " + (cluster.folder / "open") + " && cp %p " + archive() + "/%f";
  first.apply();
  diverge("SELECT pg_switch_wal()");
  ASSERT_THAT(names_in(archive()), IsEmpty());
  const auto status = first.in_data("pg_wal/archive_status");
  std::size_t waiting = 0;
  for (const auto& name : names_in(status))
    waiting += name.size() == 24 + 6 && name.ends_with(".ready") ? 1 : 0;
  ASSERT_GT(waiting, 0U);
  std::ofstream(cluster.folder / "open") << "";
  const auto rewound = first.perform(RewindData{second.as_upstream()});
  ASSERT_TRUE(rewound.ok) << rewound.error;
  EXPECT_THAT(names_in(archive()), SizeIs(waiting));
  EXPECT_TRUE(follows_second());
}

// Trap 63.
TEST_F(Situation, ASourceInRecoveryIsRefusedBeforeAnythingChanges) {
  diverge();
  ASSERT_TRUE(second.perform(StopServer{}).ok);
  auto alone = second.following(first);
  alone.upstream.reset();
  ASSERT_EQ(second.perform(StartServer{.goal = alone}).start, StartOutcome::ready);
  const auto refused = first.perform(RewindData{second.as_upstream()});
  EXPECT_THAT(refused.error, HasSubstr("Can not use second"));
  EXPECT_FALSE(first.observe().rewind_interrupted);
}

// Trap 64.
TEST_F(Situation, AFileThatCannotBeWrittenIsNamedBeforeTheRewindBegins) {
  diverge();
  const auto key = first.in_data("server.key");
  std::ofstream(key) << "secret";
  fs::permissions(key, fs::perms(0400));
  const auto refused = first.perform(RewindData{second.as_upstream()});
  EXPECT_THAT(refused.error, HasSubstr(key + " cannot be written"));
  EXPECT_FALSE(first.observe().rewind_interrupted);
  fs::remove(key);
  EXPECT_TRUE(first.perform(RewindData{second.as_upstream()}).ok);
}

// Traps 65 and 67: an unclean standby, and the source's configuration.
TEST_F(Situation, AKilledStandbyIsRecoveredAndRewoundAndKeepsItsOwnConfiguration) {
  diverge();
  auto alone = first.following(second);
  alone.upstream.reset();
  ASSERT_EQ(first.perform(StartServer{.goal = alone}).start, StartOutcome::ready);
  ASSERT_TRUE(first.perform(StopServer{.mode = StopMode::immediate}).ok);
  ASSERT_TRUE(os::exists(first.in_data("standby.signal")));
  const auto recovered = first.perform(RecoverData{});
  ASSERT_TRUE(recovered.ok) << recovered.error;
  const auto own = content(first.in_data("postgresql.conf"));
  const auto rewound = first.perform(RewindData{second.as_upstream()});
  ASSERT_TRUE(rewound.ok) << rewound.error;
  EXPECT_TRUE(first.observe().standby_signal);
  EXPECT_EQ(content(first.in_data("postgresql.conf")), own);
  EXPECT_TRUE(follows_second());
}

}  // namespace
}  // namespace tanist::postgres

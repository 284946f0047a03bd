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
  const auto needed = first.observe({.control_data = true}).control->redo_wal_file;
  std::size_t moved = 0;
  for (const auto& name : *os::list_folder(wal)) {
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
  const auto needed = first.observe({.control_data = true}).control->redo_wal_file;
  for (const auto& name : *os::list_folder(wal)) {
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
  ASSERT_THAT(*os::list_folder(archive()), IsEmpty());
  const auto status = first.in_data("pg_wal/archive_status");
  std::size_t waiting = 0;
  for (const auto& name : *os::list_folder(status)) waiting += name.ends_with(".ready") ? 1 : 0;
  ASSERT_GT(waiting, 0U);
  std::ofstream(cluster.folder / "open") << "";
  const auto rewound = first.perform(RewindData{second.as_upstream()});
  ASSERT_TRUE(rewound.ok) << rewound.error;
  EXPECT_THAT(*os::list_folder(archive()), SizeIs(waiting));
  EXPECT_TRUE(follows_second());
}

}  // namespace
}  // namespace tanist::postgres

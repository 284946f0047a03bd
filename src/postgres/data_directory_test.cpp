// SPDX-License-Identifier: Apache-2.0
// What counts as data, and the marks in it.
#include "postgres/data_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "os/file.h"
#include "sql/test_server.h"

namespace tanist::postgres {
namespace {

class DataDirectoryTest : public testing::Test {
 protected:
  void put(const std::string& name, const std::string& content = "") {
    const auto path = folder / name;
    os::create_folders(std::filesystem::path(path).parent_path().string(), 0700);
    std::ofstream(path) << content;
  }
  DataFacts look() { return look_at_data(folder.path()); }

  sql::TemporaryFolder folder;
};

TEST_F(DataDirectoryTest, IsEmptyWithoutAnythingOrWithDotFilesAndLostFoundOnly) {
  EXPECT_EQ(look().kind, DataDirectory::absent_or_empty);
  put(".snapshot");
  os::create_folders(folder / "lost+found", 0700);
  EXPECT_EQ(look().kind, DataDirectory::absent_or_empty);
  EXPECT_EQ(look_at_data(folder / "none").kind, DataDirectory::absent_or_empty);
}

TEST_F(DataDirectoryTest, IsForeignWithFilesButNoControlFile) {
  put("somebody's.txt");
  put("PG_VERSION", "15\n");
  EXPECT_EQ(look().kind, DataDirectory::foreign);
  EXPECT_EQ(look().major_version, 0);
}

TEST_F(DataDirectoryTest, IsPresentWithAControlFile) {
  put("global/pg_control", "x");
  EXPECT_EQ(look().kind, DataDirectory::present);
  EXPECT_EQ(look().major_version, 0);
  put("PG_VERSION", "15\n");
  EXPECT_EQ(look().major_version, 15);
  for (const auto* odd : {"", "x", "15.2", "-3"}) {
    put("PG_VERSION", odd);
    EXPECT_EQ(look().major_version, 0) << odd;
  }
}

TEST_F(DataDirectoryTest, ThatCannotBeListedIsNotAccessible) {
  if (geteuid() == 0) GTEST_SKIP() << "root may list everything";
  put("inner/x");
  chmod((folder / "inner").c_str(), 0);
  const auto facts = look_at_data(folder / "inner");
  EXPECT_EQ(facts.kind, DataDirectory::not_accessible);
  EXPECT_NE(facts.error.find("inner"), std::string::npos);
  chmod((folder / "inner").c_str(), 0700);
  EXPECT_EQ(look_at_data(folder / "inner/x").kind, DataDirectory::not_accessible);
}

TEST_F(DataDirectoryTest, HasSignalsThatExcludeEachOther) {
  put("global/pg_control");
  ASSERT_TRUE(set_standby_signal(folder.path(), true));
  EXPECT_TRUE(look().standby_signal);
  ASSERT_TRUE(set_recovery_signal(folder.path()));
  EXPECT_TRUE(look().recovery_signal);
  EXPECT_FALSE(look().standby_signal);
  ASSERT_TRUE(set_standby_signal(folder.path(), true));
  EXPECT_FALSE(look().recovery_signal);
  ASSERT_TRUE(set_standby_signal(folder.path(), false));
  EXPECT_FALSE(look().standby_signal);
  ASSERT_TRUE(set_standby_signal(folder.path(), false));
}

TEST_F(DataDirectoryTest, RemembersARewindThatDidNotEnd) {
  put("global/pg_control");
  ASSERT_TRUE(set_rewind_marker(folder.path()));
  ASSERT_TRUE(set_rewind_marker(folder.path()));
  EXPECT_TRUE(look().rewind_interrupted);
  ASSERT_TRUE(clear_rewind_marker(folder.path()));
  EXPECT_FALSE(look().rewind_interrupted);
}

TEST_F(DataDirectoryTest, OpensNewFilesToTheGroupOnlyIfItIsOpenItself) {
  const auto data = folder / "data";
  os::create_folders(data, 0700);
  EXPECT_EQ(file_mode_for(data + "/x", data), 0600U);
  EXPECT_EQ(folder_mode_for(data), 0700U);
  chmod(data.c_str(), 0750);
  EXPECT_EQ(file_mode_for(data + "/x", data), 0640U);
  EXPECT_EQ(folder_mode_for(data), 0750U);
  EXPECT_EQ(file_mode_for(data + "-other/x", data) & 0600U, 0600U);
}

}  // namespace
}  // namespace tanist::postgres

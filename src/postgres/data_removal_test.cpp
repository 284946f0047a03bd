// SPDX-License-Identifier: Apache-2.0
// Removal follows the links, and a failed removal keeps the rest.
#include "postgres/data_removal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "os/file.h"
#include "sql/test_server.h"

namespace tanist::postgres {
namespace {

namespace fs = std::filesystem;

class DataRemoval : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto* name : {"data/base", "data/pg_tblspc", "wal", "space/PG_15_1", "bystander"}) {
      fs::create_directories(folder / name);
    }
    for (const auto* name : {"data/PG_VERSION", "wal/1", "space/PG_15_1/x", "bystander/x"}) {
      std::ofstream(folder / name) << "x";
    }
    fs::create_directory_symlink(folder / "wal", data + "/pg_wal");
    fs::create_directory_symlink("../../space", data + "/pg_tblspc/16384");
  }
  bool there(const std::string& name) { return fs::exists(fs::symlink_status(folder / name)); }

  sql::TemporaryFolder folder;
  const std::string data = folder / "data";
};

// Trap 111, also below.
TEST_F(DataRemoval, TakesWalAndTablespacesWithIt) {
  ASSERT_TRUE(remove_data(data + "//"));
  EXPECT_FALSE(there("data"));
  EXPECT_FALSE(there("wal/1"));
  EXPECT_FALSE(there("space/PG_15_1"));
  EXPECT_TRUE(there("bystander/x"));
}

TEST_F(DataRemoval, OnlyUnlinksADataDirectoryThatIsALink) {
  fs::create_directory_symlink(data, folder / "link");
  ASSERT_TRUE(remove_data((folder / "link") + "/"));
  EXPECT_FALSE(there("link"));
  EXPECT_TRUE(there("data/PG_VERSION"));
}

TEST_F(DataRemoval, SetsAsideWhatItCannotRemove) {
  if (geteuid() == 0) GTEST_SKIP() << "root may remove everything";
  std::ofstream(data + "/base/stuck") << "x";
  chmod((data + "/base").c_str(), 0500);
  ASSERT_TRUE(remove_data(data));
  EXPECT_FALSE(there("data"));
  EXPECT_TRUE(there("data.failed/base/stuck"));
  chmod((folder / "data.failed/base").c_str(), 0700);
}

TEST_F(DataRemoval, OfNothingIsDone) { EXPECT_TRUE(remove_data(folder / "none")); }

TEST_F(DataRemoval, SetsAsideWithLinksThatFollow) {
  fs::create_directories(folder / "data.failed/old");
  ASSERT_TRUE(set_data_aside(data));
  EXPECT_FALSE(there("data"));
  EXPECT_FALSE(there("data.failed/old"));
  EXPECT_FALSE(there("wal"));
  EXPECT_TRUE(there("data.failed/pg_wal/1"));
  EXPECT_TRUE(there("data.failed/pg_tblspc/16384/PG_15_1/x"));
  EXPECT_TRUE(there("space.failed/PG_15_1/x"));
}

}  // namespace
}  // namespace tanist::postgres

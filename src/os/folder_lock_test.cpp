// SPDX-License-Identifier: Apache-2.0
// One holder at a time, and no child inherits the hold.
#include "os/folder_lock.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "os/proc.h"

namespace tanist::os {
namespace {

struct TemporaryFolder {
  std::string path = testing::TempDir() + "lock.XXXXXX";
  TemporaryFolder() { EXPECT_NE(mkdtemp(path.data()), nullptr); }
  ~TemporaryFolder() { rmdir(path.c_str()); }
};

TEST(FolderLockOf, HasOneHolderAtATime) {
  const TemporaryFolder folder;
  auto first = FolderLock::take(folder.path);
  ASSERT_TRUE(first);
  const auto second = FolderLock::take(folder.path);
  EXPECT_EQ(second.error().code, Errc::refused);
  EXPECT_NE(second.error().message.find(folder.path), std::string::npos);
  first = fail(Errc::failed, "given up");
  EXPECT_TRUE(FolderLock::take(folder.path));
}

TEST(FolderLockOf, IsCloseOnExec) {
  const TemporaryFolder folder;
  const auto lock = FolderLock::take(folder.path);
  ASSERT_TRUE(lock);
  const auto all = open_descriptors(getpid());
  for (const auto& open : *all) {
    if (open.target == folder.path) {
      EXPECT_NE(fcntl(open.number, F_GETFD) & FD_CLOEXEC, 0);
    }
  }
}

TEST(FolderLockOf, NeedsAFolder) {
  EXPECT_EQ(FolderLock::take("/no/such/folder").error().code, Errc::not_found);
}

}  // namespace
}  // namespace tanist::os

// SPDX-License-Identifier: Apache-2.0
// The hold on real folders.
#include "agent/data_hold.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

namespace tanist::agent {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class DataHoldTest : public ::testing::Test {
 protected:
  DataHoldTest() : root_(mkdtemp(pattern_)) {}
  ~DataHoldTest() override { fs::remove_all(root_); }
  std::string data() const { return root_ / "a/data"; }

  char pattern_[32] = "/tmp/tanist-hold-XXXXXX";
  fs::path root_;
};

TEST_F(DataHoldTest, MakesAnEmptyDirectoryForItsOwnerOnly) {
  const auto hold = DataHold::take(data());
  ASSERT_TRUE(hold) << hold.error().message;
  struct stat status{};
  ASSERT_EQ(stat(data().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
  EXPECT_TRUE(fs::is_empty(data()));
}

// Trap 40.
TEST_F(DataHoldTest, KeepsASecondAgentOut) {
  const auto first = DataHold::take(data());
  ASSERT_TRUE(first);
  const auto second = DataHold::take(data());
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another tanist already runs for " + data()));
}

TEST_F(DataHoldTest, FollowsADirectoryThatWasReplaced) {
  auto hold = DataHold::take(data());
  ASSERT_TRUE(hold);
  fs::rename(data(), data() + ".failed");
  ASSERT_TRUE(hold->renew());
  EXPECT_FALSE(DataHold::take(data())) << "the new directory is not held";
  EXPECT_TRUE(DataHold::take(data() + ".failed")) << "the old one is still held";
}

TEST_F(DataHoldTest, NamesTheDirectoryThatCannotBeMade) {
  fs::create_directories(root_);
  const auto hold = DataHold::take("/proc/no/such/place");
  ASSERT_FALSE(hold);
  EXPECT_THAT(hold.error().message, HasSubstr("/proc/no/such/place"));
}

}  // namespace
}  // namespace tanist::agent

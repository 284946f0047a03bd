// SPDX-License-Identifier: Apache-2.0
// The cache file of the dynamic configuration.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "config/config.h"

namespace tanist::config {
namespace {

class DynamicCache : public testing::Test {
 protected:
  DynamicCache() {
    std::string name = testing::TempDir() + "tanist-cache-XXXXXX";
    folder = mkdtemp(name.data());
  }
  ~DynamicCache() override { std::filesystem::remove_all(folder); }

  unsigned mode() const {
    struct stat status{};
    stat((folder + "/patroni.dynamic.json").c_str(), &status);
    return status.st_mode & 0777U;
  }
  void write_text(std::string_view text) const {
    std::ofstream(folder + "/patroni.dynamic.json") << text;
  }
  std::string folder;
};

TEST_F(DynamicCache, IsReadBackAsWritten) {
  const auto tree = Tree::map({{"ttl", 30}, {"postgresql", Tree::map({{"use_slots", true}})}});
  ASSERT_TRUE(write_dynamic_cache(folder, tree));
  ASSERT_TRUE(write_dynamic_cache(folder, tree));
  EXPECT_EQ(*read_dynamic_cache(folder), tree);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
}

TEST_F(DynamicCache, IsPrivateUnlessTheGroupMayReadTheFolder) {
  chmod(folder.c_str(), 0700);
  ASSERT_TRUE(write_dynamic_cache(folder, Tree::map()));
  EXPECT_EQ(mode(), 0600U);
  chmod(folder.c_str(), 0750);
  ASSERT_TRUE(write_dynamic_cache(folder, Tree::map()));
  EXPECT_EQ(mode(), 0640U);
  chmod(folder.c_str(), 0740);
  ASSERT_TRUE(write_dynamic_cache(folder, Tree::map()));
  EXPECT_EQ(mode(), 0600U);
}

TEST_F(DynamicCache, AnAbsentFileIsNotFound) {
  EXPECT_EQ(read_dynamic_cache(folder).error().code, Errc::not_found);
  EXPECT_FALSE(write_dynamic_cache(folder + "/absent", Tree::map()));
}

TEST_F(DynamicCache, WhatIsNoObjectIsInvalid) {
  for (const auto* text : {"", "[1]", "5", "{\"a\":", "null", "\xFF"}) {
    write_text(text);
    const auto read = read_dynamic_cache(folder);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Errc::invalid);
    EXPECT_NE(read.error().message.find("patroni.dynamic.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
// What the manifest knows of files, and its form.
#include "provision/manifest.h"

#include <gtest/gtest.h>

namespace tanist::provision {
namespace {

// `printf a | sha256sum`
constexpr auto* digest_of_a = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";

TEST(Manifest, IsWrittenAsSha256sumWouldWriteIt) {
  Manifest manifest;
  manifest.remember("b/x", "a");
  EXPECT_EQ(manifest.text(), std::string(digest_of_a) + "  b/x\n");
}

TEST(Manifest, KnowsAFileByPathAndContent) {
  Manifest manifest;
  manifest.remember("x", "a");
  EXPECT_TRUE(manifest.wrote("x", "a"));
  EXPECT_FALSE(manifest.wrote("x", "b"));
  EXPECT_FALSE(manifest.wrote("y", "a"));
}

TEST(Manifest, MayKnowTwoContentsOfAFile) {
  Manifest manifest;
  manifest.remember("x", "a");
  manifest.remember("x", "b");
  const auto read = Manifest::parse(manifest.text());
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->wrote("x", "a"));
  EXPECT_TRUE(read->wrote("x", "b"));
  EXPECT_EQ(read->paths(), std::vector<std::string>{"x"});
}

TEST(Manifest, TakesOverWhatAnEarlierOneKnew) {
  Manifest earlier;
  earlier.remember("x", "a");
  Manifest later;
  later.remember("x", earlier);
  later.remember("y", earlier);
  EXPECT_EQ(later.text(), earlier.text());
}

TEST(Manifest, IsRefusedWhenDamaged) {
  EXPECT_TRUE(Manifest::parse("").has_value());
  for (const std::string text : {"x\n", "\n", "abc  x\n"}) {
    EXPECT_FALSE(Manifest::parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Manifest::parse(std::string(digest_of_a) + "  ").has_value());
}

}  // namespace
}  // namespace tanist::provision

// SPDX-License-Identifier: Apache-2.0
// Passwords: how they look, which ones are accepted, and where they go.
#include "provision/secrets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace tanist::provision {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

TEST(Password, IsAWordThatNoFormatReadsAsAnythingElse) {
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const auto password = random_password();
    ASSERT_TRUE(password.has_value());
    EXPECT_THAT(password->reveal(), MatchesRegex("[A-Za-z][A-Za-z0-9]+"));
    EXPECT_EQ(password->reveal().size(), 32u);
    EXPECT_TRUE(seen.insert(password->reveal()).second);
  }
}

TEST(Password, OfTheOperatorIsTakenFromItsFile) {
  EXPECT_EQ(password_from("correct.horse-battery~1\n")->reveal(), "correct.horse-battery~1");
  EXPECT_EQ(password_from("without-line-break")->reveal(), "without-line-break");
}

TEST(Password, IsRefusedWhenAFileCouldNotCarryIt) {
  for (const auto* text : {"", "\n", "short", "with blank", "with'quote", "with@mark-password@",
                           "two\nlines-here", "with#comment", "with\\backslash"}) {
    const auto password = password_from(text);
    ASSERT_FALSE(password.has_value()) << text;
    EXPECT_THAT(password.error().message, HasSubstr("remove the file to have one made"));
  }
  EXPECT_THAT(password_from("with'quote").error().message, Not(HasSubstr("quote")));
}

TEST(Marks, AreReplacedWhereverTheyStand) {
  const Secrets secrets{{SecretName::superuser, Secret("aaaa")},
                        {SecretName::replication, Secret("bbbb")},
                        {SecretName::rewind, Secret("cccc")},
                        {SecretName::rest, Secret("dddd")},
                        {SecretName::statistics, Secret("eeee")}};
  EXPECT_EQ(with_passwords("x: '@rest-password@', y: @rest-password@ @rewind-password@", secrets),
            "x: 'dddd', y: dddd cccc");
}

}  // namespace
}  // namespace tanist::provision

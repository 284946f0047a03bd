// SPDX-License-Identifier: Apache-2.0
// No secret survives, and equality does, one sentence a test.
#include "journal/mask.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tanist::journal {
namespace {

std::string hidden(const std::string& json) {
  SecretMask mask;
  auto tree = *parse_json(json);
  mask.hide(tree);
  return to_json(tree);
}

TEST(SecretMask, HidesValuesUnderSecretNames) {
  EXPECT_EQ(hidden(R"({"a":{"password":"p1"},"sslpassword":"p2","db_TOKEN":7,"user":"u"})"),
            R"({"a":{"password":"********1"},"sslpassword":"********2","db_TOKEN":"********3",)"
            R"("user":"u"})");
}

TEST(SecretMask, HidesEverythingBelowASecretName) {
  EXPECT_EQ(hidden(R"({"credentials":{"name":"n","list":["x"]},"secret":null})"),
            R"({"credentials":{"name":"********1","list":["********2"]},"secret":null})");
}

TEST(SecretMask, HidesPasswordsInConnectionStringsAndUrls) {
  EXPECT_EQ(hidden(R"(["host=h password=p1 user=u","password = 'a b\\' c' x=1"])"),
            R"(["host=h password=********1 user=u","password = ********2 x=1"])");
  EXPECT_EQ(
      hidden(R"(["postgres://u:p1@h:5432/d?x=a@b","see http://h:80/p and x://a:b@c"])"),
      R"(["postgres://u:********1@h:5432/d?x=a@b","see http://h:80/p and x://a:********2@c"])");
}

TEST(SecretMask, HidesSecretsInDocumentsInTexts) {
  EXPECT_EQ(hidden(R"({"value":"{\"a\":{\"password\":\"p1\"}}"})"),
            R"({"value":"{\"a\":{\"password\":\"********1\"}}"})");
}

TEST(SecretMask, LeavesTextsAloneThatOnlySpeakOfSecrets) {
  const std::string text = R"(["password authentication failed","http://a/b","{ \"token\" : 1"])";
  EXPECT_EQ(hidden(text), text);
}

TEST(SecretMask, EqualSecretsLookEqualAndOthersDoNot) {
  SecretMask mask;
  EXPECT_EQ(mask.hidden("password=a"), mask.hidden("password=a"));
  EXPECT_NE(mask.hidden("password=a"), mask.hidden("password=b"));
}

TEST(SecretMask, ASecondTimeChangesNothing) {
  SecretMask mask;
  auto tree = *parse_json(R"({"password":"p","url":"x://u:q@h","text":"{\"token\":\"t\"}"})");
  mask.hide(tree);
  const auto once = tree;
  SecretMask another;
  another.hide(tree);
  EXPECT_EQ(tree, once);
}

}  // namespace
}  // namespace tanist::journal

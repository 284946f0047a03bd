// SPDX-License-Identifier: Apache-2.0
// URLs as operators and members write them.
#include "rest/url.h"

#include <gtest/gtest.h>

#include <vector>

namespace tanist::rest {
namespace {

struct Case {
  std::string text;
  Url url;
};

TEST(Url, ReadsWhatMembersPublish) {
  const std::vector<Case> cases{
      {"http://10.0.0.1:8008/patroni", {false, "10.0.0.1", 8008, "/patroni"}},
      {"https://db1.example:8008/patroni", {true, "db1.example", 8008, "/patroni"}},
      {"http://db1", {false, "db1", 80, "/"}},
      {"https://db1/", {true, "db1", 443, "/"}},
      {"http://[::1]:8008/patroni", {false, "::1", 8008, "/patroni"}},
      {"https://[2001:db8::1]", {true, "2001:db8::1", 443, "/"}},
      {"http://[fe80::1%25eth0]:1/", {false, "fe80::1%eth0", 1, "/"}},
      {"HTTP://db1:80?x=1", {false, "db1", 80, "/?x=1"}},
      {"http://db1/a?b=c:d@e#frag", {false, "db1", 80, "/a?b=c:d@e"}},
      {"http://db1:", {false, "db1", 80, "/"}},
  };
  for (const auto& one : cases) {
    const auto url = parse_url(one.text);
    ASSERT_TRUE(url) << one.text << ": " << url.error().message;
    EXPECT_EQ(*url, one.url) << one.text;
  }
}

TEST(Url, RefusesTheRest) {
  for (const std::string text :
       {"", "db1:8008", "ftp://db1", "http://", "http:///patroni", "http://:8008", "http://db1:0",
        "http://db1:65536", "http://db1:80x", "http://db1:-1", "http://[::1", "http://[db1]",
        "http://[::1]x", "http://a]b", "http://db1/a b", "http://db1/\r\nX: y", "http://d\xc3\xa9",
        "://db1", "http:/db1"}) {
    EXPECT_FALSE(parse_url(text)) << text;
  }
}

TEST(Url, NeverRepeatsAPassword) {
  const auto url = parse_url("http://admin:s3cret@db1:8008/");
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().message.find("s3cret"), std::string::npos);
  EXPECT_EQ(url.error().code, Errc::invalid);
}

TEST(Url, AuthorityPutsBracketsAroundIpv6) {
  EXPECT_EQ(parse_url("http://[::1]:8008/x")->authority(), "[::1]:8008");
  EXPECT_EQ(parse_url("https://db1")->authority(), "db1:443");
}

}  // namespace
}  // namespace tanist::rest

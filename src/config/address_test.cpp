// SPDX-License-Identifier: Apache-2.0
// Addresses as operators write them.
#include "config/address.h"

#include <gtest/gtest.h>

#include <vector>

namespace tanist::config {
namespace {

struct Row {
  const char* text;
  const char* host;
  int port;
};

TEST(HostPortText, IsSplitAtTheLastColon) {
  const std::vector<Row> rows{
      {"a:5432", "a", 5432},
      {" a.example:1 ", "a.example", 1},
      {"127.0.0.1:65535", "127.0.0.1", 65535},
      {"[::1]:5432", "::1", 5432},
      {"::1:5432", "::1", 5432},
      {"fe80::1:5432", "fe80::1", 5432},
      {"[fe80::1%eth0]:80", "fe80::1%eth0", 80},
      {"*:5432", "*", 5432},
      {":8008", "", 8008},
      {"a", "a", 7},
      {"[::1]", "::1", 7},
      {"::1", "::1", 7},
  };
  for (const auto& row : rows) {
    const auto address = parse_host_port(row.text, 7);
    ASSERT_TRUE(address) << row.text;
    EXPECT_EQ(address->host, row.host) << row.text;
    EXPECT_EQ(address->port, row.port) << row.text;
  }
}

TEST(HostPortText, AnythingElseIsRefused) {
  for (const auto* text : {"a:", "a:0", "a:65536", "a:-1", "a:5 4", "a:x", "a:b:1", "a,b:1", ""}) {
    EXPECT_FALSE(parse_host_port(text, 7)) << text;
  }
  EXPECT_FALSE(parse_host_port("a"));
}

TEST(ListenText, TakesSeveralHostsBeforeOnePort) {
  const auto listen = parse_listen("a, b ,[::1]:5433", 5432);
  ASSERT_TRUE(listen);
  EXPECT_EQ(listen->hosts, (std::vector<std::string>{"a", "b", "::1"}));
  EXPECT_EQ(listen->port, 5433);
  EXPECT_EQ(parse_listen("*", 5432)->hosts, std::vector<std::string>{"*"});
  EXPECT_EQ(parse_listen("a,b", 5432)->port, 5432);
}

TEST(AddressText, BracketsIpv6) {
  EXPECT_EQ(to_text(HostPort{"a", 1}), "a:1");
  EXPECT_EQ(to_text(HostPort{"::1", 1}), "[::1]:1");
}

TEST(UrlText, IsTakenApart) {
  const auto url = parse_url("https://us%40er:p%3Aa%ss@[::1]:2380/path?x", 2379);
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->use_tls);
  EXPECT_EQ(url->address, (HostPort{"::1", 2380}));
  EXPECT_EQ(url->username, "us@er");
  EXPECT_EQ(url->password.reveal(), "p:a%ss");
  const auto plain = parse_url("http://etcd", 2379);
  ASSERT_TRUE(plain);
  EXPECT_FALSE(plain->use_tls);
  EXPECT_EQ(plain->address, (HostPort{"etcd", 2379}));
  EXPECT_TRUE(plain->username.empty());
}

TEST(UrlText, ErrorsDoNotShowIt) {
  for (const auto* text :
       {"ftp://u:secret@h", "http://u:secret@", "http://u:secret@h:x", "secret"}) {
    const auto url = parse_url(text, 2379);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().message.find("secret"), std::string::npos);
  }
}

TEST(CommaText, IsSplitWithoutBlanksAndEmptyParts) {
  EXPECT_EQ(split_commas(" a ,, b,"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(split_commas("").empty());
}

}  // namespace
}  // namespace tanist::config

// SPDX-License-Identifier: Apache-2.0
// Connection strings: order, escaping, both forms, keywords by version.
#include "sql/conninfo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tanist::sql {
namespace {

using testing::ElementsAre;

TEST(Conninfo, IsWrittenInTheContractsOrder) {
  const Keywords keywords{{"sslnegotiation", "postgres"},
                          {"application_name", "b"},
                          {"gssencmode", "prefer"},
                          {"port", "5432"},
                          {"host", "h"},
                          {"passfile", "/p"},
                          {"user", "u"},
                          {"dbname", "d"},
                          {"sslmode", "prefer"},
                          {"zzz", "1"},
                          {"target_session_attrs", "any"},
                          {"krbsrvname", ""}};
  EXPECT_EQ(format_conninfo(keywords),
            "dbname=d user=u passfile=/p host=h port=5432 sslmode=prefer application_name=b "
            "gssencmode=prefer target_session_attrs=any sslnegotiation=postgres zzz=1");
}

TEST(Conninfo, EscapesHostileValuesSoThatTheyAreReadBack) {
  const Keywords keywords{{"user", "o'neil \\ x"}, {"dbname", "a=b\tc\nd"}, {"password", "'"}};
  const auto text = format_conninfo(keywords);
  EXPECT_EQ(text, "dbname=a=b\\\tc\\\nd user=o\\'neil\\ \\\\\\ x password=\\'");
  EXPECT_EQ(*parse_conninfo(text), keywords);
}

TEST(Conninfo, IsReadAsLibpqReadsIt) {
  struct Row {
    const char* text;
    Keywords keywords;
  };
  const std::vector<Row> rows{
      {"", {}},
      {"  ", {}},
      {"host=a port=1", {{"host", "a"}, {"port", "1"}}},
      {" host = 'a b'  user= 'x\\'y' ", {{"host", "a b"}, {"user", "x'y"}}},
      {"host=a host=b", {{"host", "b"}}},
      {"password=''", {{"password", ""}}},
      {"postgres://", {}},
      {"postgresql://u:p%40w@h:1,[::1]:2/d?sslmode=require&application_name=x",
       {{"user", "u"},
        {"password", "p@w"},
        {"host", "h,::1"},
        {"port", "1,2"},
        {"dbname", "d"},
        {"sslmode", "require"},
        {"application_name", "x"}}},
      {"postgres://h/", {{"host", "h"}}},
      {"postgres://%2Ftmp/x", {{"host", "/tmp"}, {"dbname", "x"}}},
      {"postgres:///d?host=/tmp", {{"dbname", "d"}, {"host", "/tmp"}}},
      {"postgres://a,b:5/", {{"host", "a,b"}, {"port", ",5"}}},
      {"postgres://u@h?application_name=a@b",
       {{"user", "u"}, {"host", "h"}, {"application_name", "a@b"}}},
  };
  for (const auto& row : rows) {
    const auto keywords = parse_conninfo(row.text);
    ASSERT_TRUE(keywords) << row.text << ": " << keywords.error().message;
    EXPECT_EQ(*keywords, row.keywords) << row.text;
  }
}

TEST(Conninfo, IsRefusedWhenBrokenWithoutRepeatingIt) {
  for (const auto* text :
       {"host", "host a", "=x", "password='secret", "postgres://[::1/d", "postgres://h/%4",
        "postgres://h/%zz", "postgres://h/%00", "postgres://h/d?x", "postgres://h/d?=1"}) {
    const auto keywords = parse_conninfo(text);
    ASSERT_FALSE(keywords) << text;
    EXPECT_EQ(keywords.error().message.find("secret"), std::string::npos);
  }
}

TEST(Conninfo, LosesKeywordsThatAnOlderLibraryDoesNotKnow) {
  const Keywords all{{"host", "h"},        {"gssencmode", "1"}, {"channel_binding", "1"},
                     {"sslpassword", "1"}, {"sslcrldir", "1"},  {"sslnegotiation", "1"}};
  struct Row {
    int major;
    std::size_t left;
  };
  for (const auto& row : {Row{11, 1}, Row{12, 2}, Row{13, 4}, Row{14, 5}, Row{16, 5}, Row{17, 6}}) {
    auto keywords = all;
    drop_newer_keywords(keywords, row.major);
    EXPECT_EQ(keywords.size(), row.left) << row.major;
  }
}

TEST(Conninfo, PairsHostsWithPorts) {
  EXPECT_THAT(hosts_of({{"host", "a,b"}, {"port", "1,2"}}),
              ElementsAre(HostAndPort{"a", "1"}, HostAndPort{"b", "2"}));
  EXPECT_THAT(hosts_of({{"host", "a,b"}, {"port", "5"}}),
              ElementsAre(HostAndPort{"a", "5"}, HostAndPort{"b", "5"}));
  EXPECT_THAT(hosts_of({{"host", "a,b,c"}, {"port", "5,6"}}),
              ElementsAre(HostAndPort{"a", "5"}, HostAndPort{"b", "6"}, HostAndPort{"c", ""}));
  EXPECT_THAT(hosts_of({}), ElementsAre(HostAndPort{"", ""}));
}

TEST(Conninfo, OptionsAreEscaped) {
  EXPECT_EQ(format_options({{"search_path", "a, b"}, {"x", "1\\2"}}),
            "-c search_path=a,\\ b -c x=1\\\\2");
}

// libpq ends the password at the first @; found by the fuzz target.
TEST(Conninfo, AtSignThatIsNotEncodedEndsThePassword) {
  const auto read = parse_conninfo("postgresql://user:p@host@other/db");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at("password"), "p");
  EXPECT_EQ(read->at("host"), "host@other");
}

}  // namespace
}  // namespace tanist::sql

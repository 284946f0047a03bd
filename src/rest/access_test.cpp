// SPDX-License-Identifier: Apache-2.0
// Access rules (contract rest 3), as tables.
#include "rest/access.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tanist::rest {
namespace {

Address at(const std::string& text) { return boost::asio::ip::make_address(text); }

AccessRules rules_of(const RestSettings& settings) {
  std::vector<std::string> bad;
  return AccessRules(settings, bad);
}

struct Question {
  RestSettings settings = {};
  Protection protection = Protection::full;
  KnownSources sources = {};
  std::string address = "10.0.0.1";
  bool certificate = false;
  std::optional<std::string_view> authorization = {};
};

std::string answer(const Question& q) {
  const auto rules = rules_of(q.settings);
  const auto refusal = AccessCheck{rules, q.protection, q.sources}.refusal(
      {at(q.address), q.certificate, q.authorization});
  return refusal ? std::to_string(refusal->code) + " " + refusal->body : "";
}

RestSettings with_password() {
  RestSettings settings;
  settings.username = "admin";
  settings.password = Secret("s3cret");
  return settings;
}

// base64("admin:s3cret")
constexpr std::string_view good_header = "Basic YWRtaW46czNjcmV0";

TEST(Access, WithoutSettingsEverybodyMayEverything) { EXPECT_EQ(answer({}), ""); }

TEST(Access, OpenEndpointsAreNotChecked) {
  auto settings = with_password();
  settings.allowlist = {"192.0.2.1"};
  EXPECT_EQ(answer({.settings = settings, .protection = Protection::open}), "");
}

TEST(Access, PasswordIsNeeded) {
  EXPECT_EQ(answer({.settings = with_password()}), "401 no auth header received");
  EXPECT_EQ(answer({.settings = with_password(), .authorization = good_header}), "");
}

TEST(Access, AnythingButTheExactHeaderIsRefused) {
  for (const std::string_view header :
       {"", "Basic", "Basic ", "basic YWRtaW46czNjcmV0", "Basic YWRtaW46czNjcmV", "Bearer x",
        "Basic YWRtaW46czNjcmV0 ", "Basic  YWRtaW46czNjcmV0", "Basic YWRtaW46czNjcmV1"}) {
    EXPECT_EQ(answer({.settings = with_password(), .authorization = header}),
              "401 not authenticated")
        << header;
  }
}

TEST(Access, RefusalAsksForBasicAuthentication) {
  const auto rules = rules_of(with_password());
  const auto refusal = AccessCheck{rules, Protection::full, {}}.refusal({at("::1"), false, {}});
  ASSERT_TRUE(refusal);
  ASSERT_EQ(refusal->headers.size(), 1U);
  EXPECT_EQ(refusal->headers[0].first, "WWW-Authenticate");
  EXPECT_EQ(refusal->headers[0].second, "Basic realm=\"Patroni\"");
}

struct AddressCase {
  std::string entry;
  std::string address;
  bool allowed;
};

TEST(Access, AllowlistTakesAddressesAndNetworks) {
  const std::vector<AddressCase> cases{
      {"10.0.0.1", "10.0.0.1", true},
      {"10.0.0.1", "10.0.0.2", false},
      {"10.0.0.1", "::ffff:10.0.0.1", true},
      {"::ffff:10.0.0.1", "10.0.0.1", true},
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.1.2.3/16", "10.1.200.1", true},
      {"10.1.2.3/16", "10.2.2.3", false},
      {"10.0.0.128/25", "10.0.0.127", false},
      {"10.0.0.128/25", "10.0.0.200", true},
      {"10.0.0.1/32", "10.0.0.1", true},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::ffff:10.0.0.0/104", "10.9.9.9", true},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::1", "::1", true},
      {"fe80::1", "fe80::1%1", true},
      {"::/0", "2001:db8::1", true},
  };
  for (const auto& one : cases) {
    RestSettings settings;
    settings.allowlist = {"192.0.2.77", one.entry};
    EXPECT_EQ(answer({.settings = settings, .address = one.address}),
              one.allowed ? "" : "403 Access is denied")
        << one.entry << " " << one.address;
  }
}

TEST(Access, BadEntriesAreNamedAndLeftOut) {
  RestSettings settings;
  settings.allowlist = {"10.0.0.0/33", "::/129", "10.0.0.0/",        "a b", "",
                        "10.0.0.0/x",  "db1",    "::ffff:1.2.3.4/50"};
  std::vector<std::string> bad;
  const AccessRules rules(settings, bad);
  EXPECT_EQ(bad.size(), 7U);
  EXPECT_EQ(rules.names(), std::vector<std::string>{"db1"});
}

TEST(Access, AllowlistWithoutOneUsableEntryAllowsNobody) {
  RestSettings settings;
  settings.allowlist = {"no network/9"};
  EXPECT_EQ(answer({.settings = settings}), "403 Access is denied");
}

TEST(Access, NamesAllowTheAddressesTheyHaveNow) {
  RestSettings settings;
  settings.allowlist = {"db1"};
  EXPECT_EQ(answer({.settings = settings}), "403 Access is denied");
  EXPECT_EQ(answer({.settings = settings, .sources = {.named = {at("10.0.0.1")}}}), "");
  EXPECT_EQ(answer({.settings = settings, .sources = {.named = {at("::ffff:10.0.0.1")}}}), "");
}

TEST(Access, MembersAreAllowedOnlyWhereTheSettingSaysSo) {
  RestSettings settings;
  const KnownSources members{.members = {at("10.0.0.1")}};
  settings.allowlist = {"192.0.2.1"};
  EXPECT_EQ(answer({.settings = settings, .sources = members}), "403 Access is denied");
  settings.allowlist_include_members = true;
  EXPECT_EQ(answer({.settings = settings, .sources = members}), "");
  settings.allowlist.clear();
  EXPECT_EQ(answer({.settings = settings, .sources = members}), "");
  EXPECT_EQ(answer({.settings = settings}), "403 Access is denied");
}

TEST(Access, FailsafeLooksAtTheAllowlistButNotAtMembers) {
  RestSettings settings;
  settings.allowlist_include_members = true;
  const KnownSources members{.members = {at("10.0.0.1")}};
  EXPECT_EQ(answer({.settings = settings, .protection = Protection::without_members}), "");
  settings.allowlist = {"192.0.2.1"};
  EXPECT_EQ(
      answer({.settings = settings, .protection = Protection::without_members, .sources = members}),
      "403 Access is denied");
}

struct CertificateCase {
  VerifyClient verify;
  bool https;
  bool certificate;
  std::string answer;
};

TEST(Access, CertificateIsNeededWhereItIsAskedFor) {
  const std::vector<CertificateCase> cases{
      {VerifyClient::none, true, false, ""},
      {VerifyClient::optional, true, false, "403 client certificate required"},
      {VerifyClient::required, true, false, "403 client certificate required"},
      {VerifyClient::optional, true, true, ""},
      {VerifyClient::required, true, true, ""},
      {VerifyClient::required, false, false, ""},
  };
  for (const auto& one : cases) {
    RestSettings settings;
    settings.verify_client = one.verify;
    if (one.https) settings.cert_file = "server.crt";
    EXPECT_EQ(answer({.settings = settings, .certificate = one.certificate}), one.answer);
  }
}

TEST(Access, CertificateDoesNotReplaceThePassword) {
  auto settings = with_password();
  settings.cert_file = "server.crt";
  settings.verify_client = VerifyClient::required;
  EXPECT_EQ(answer({.settings = settings, .certificate = true}), "401 no auth header received");
  EXPECT_EQ(answer({.settings = settings, .authorization = good_header}),
            "403 client certificate required");
}

TEST(Access, AddressIsCheckedFirst) {
  auto settings = with_password();
  settings.cert_file = "server.crt";
  settings.verify_client = VerifyClient::required;
  settings.allowlist = {"192.0.2.1"};
  EXPECT_EQ(answer({.settings = settings}), "403 Access is denied");
}

TEST(HostsOf, ReadsACommaList) {
  EXPECT_EQ(hosts_of("a, 10.0.0.1,[::1],,  "), (std::vector<std::string>{"a", "10.0.0.1", "::1"}));
  EXPECT_TRUE(hosts_of("").empty());
}

TEST(ConstantTime, ComparesContentAndLength) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abcd"));
}

TEST(BasicAuthorization, IsBase64OfUserAndPassword) {
  EXPECT_EQ(basic_authorization("admin", Secret("s3cret")), good_header);
  EXPECT_EQ(basic_authorization("a", Secret("")), "Basic YTo=");
}

}  // namespace
}  // namespace tanist::rest

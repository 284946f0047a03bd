// SPDX-License-Identifier: Apache-2.0
// What is said of certificates that expire, and how often.
#include "agent/certificate_expiry.h"

#include <gtest/gtest.h>

namespace tanist::agent {
namespace {

const WallTime end{seconds(2'000'000'000)};

Certificates with_etcds(std::optional<WallTime> until) {
  Certificates certificates;
  certificates[0] = {"/etc/tanist/ssl/agent.crt", until};
  return certificates;
}

bool has(const std::vector<LogLine>& lines, std::string_view part) {
  return std::ranges::any_of(
      lines, [&](const LogLine& line) { return line.text.find(part) != std::string::npos; });
}

TEST(CertificateExpiry, NothingIsSaidOfOneThatLasts) {
  ExpiryNews news;
  EXPECT_TRUE(news.about(with_etcds(end), end - std::chrono::days(15)).empty());
  EXPECT_TRUE(news.about(Certificates{}, end).empty());
}

TEST(CertificateExpiry, TheEndIsSaidOnceWhenItIsNearAndOnceWhenItHasCome) {
  ExpiryNews news;
  const auto soon = news.about(with_etcds(end), end - std::chrono::days(13));
  ASSERT_EQ(soon.size(), 1U);
  EXPECT_EQ(soon[0].level, LineLevel::warning);
  EXPECT_TRUE(has(soon, "/etc/tanist/ssl/agent.crt (etcd3) expires at 2033-05-18T"));
  EXPECT_TRUE(news.about(with_etcds(end), end - std::chrono::days(12)).empty());
  const auto over = news.about(with_etcds(end), end);
  ASSERT_EQ(over.size(), 1U);
  EXPECT_EQ(over[0].level, LineLevel::error);
  EXPECT_TRUE(has(over, "has expired at 2033-05-18T"));
  EXPECT_TRUE(has(over, "etcd refuses new connections"));
  EXPECT_TRUE(has(over, "Remedy"));
  EXPECT_TRUE(news.about(with_etcds(end), end + seconds(60)).empty());
}

TEST(CertificateExpiry, ARenewedOneIsANewStory) {
  ExpiryNews news;
  EXPECT_EQ(news.about(with_etcds(end), end).size(), 1U);
  const auto later = end + std::chrono::days(365);
  EXPECT_TRUE(news.about(with_etcds(later), end).empty());
  EXPECT_EQ(news.about(with_etcds(later), later).size(), 1U);
}

TEST(CertificateExpiry, AFileThatCannotBeReadIsNoNews) {
  ExpiryNews news;
  EXPECT_TRUE(news.about(with_etcds({}), end).empty());
}

TEST(CertificateExpiry, TheServersFileIsLookedForInItsDataDirectory) {
  Settings settings;
  settings.server.data_dir = "/data";
  settings.server.parameters["ssl_cert_file"] = "server.crt";
  settings.store.cert_file = "/unused without TLS";
  const auto found = read_certificates(settings);
  EXPECT_EQ(found[0].path, "");
  EXPECT_EQ(found[3].path, "/data/server.crt");
  EXPECT_FALSE(found[3].until);
}

}  // namespace
}  // namespace tanist::agent

// SPDX-License-Identifier: Apache-2.0
// Tests of the store's address on the command line.
#include "ctl/dcs_url.h"

#include <gtest/gtest.h>

#include "base/format.h"

namespace tanist::ctl {
namespace {

std::string parsed(std::string_view text) {
  const auto url = parse_dcs_url(text);
  if (!url) return url.error().message;
  return format_text("{} {} {} {}", url->scheme, url->host, url->port, url->namespace_);
}

TEST(DcsUrl, EveryPartMayBeMissing) {
  EXPECT_EQ(parsed("etcd3://"), "etcd3 localhost 2379 ");
  EXPECT_EQ(parsed(":2380"), "etcd3 localhost 2380 ");
  EXPECT_EQ(parsed("10.0.0.1"), "etcd3 10.0.0.1 2379 ");
  EXPECT_EQ(parsed("etcd3://[::1]:2379/db/ha"), "etcd3 ::1 2379 /db/ha");
  EXPECT_EQ(parsed("etcd3://a/"), "etcd3 a 2379 ");
}

TEST(DcsUrl, TheSchemeIsGuessedFromThePort) {
  EXPECT_EQ(parsed("a:8500"), "consul a 8500 ");
  EXPECT_EQ(parsed("a:2181"), "zookeeper a 2181 ");
}

TEST(DcsUrl, OtherSchemesAreRefused) { EXPECT_EQ(parsed("http://a"), "Unknown dcs scheme: http"); }

}  // namespace
}  // namespace tanist::ctl

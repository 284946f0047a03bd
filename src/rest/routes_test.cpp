// SPDX-License-Identifier: Apache-2.0
// Routing, targets and queries (contract rest 1 and 4).
#include "rest/routes.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "os/file.h"

namespace tanist::rest {
namespace {

struct Expected {
  std::string_view method;
  std::string_view path;
  Handler handler;
  Protection protection = Protection::open;
  BodyRule body = BodyRule::ignored;
  ApiEndpoint endpoint = ApiEndpoint::get_cluster;
};

using H = Handler;
using P = Protection;
using B = BodyRule;
using E = ApiEndpoint;

constexpr std::array endpoints{
    Expected{"GET", "/liveness", H::liveness},
    Expected{"GET", "/readiness", H::readiness},
    Expected{"GET", "/patroni", H::patroni},
    Expected{"GET", "/cluster", H::loop, P::open, B::ignored, E::get_cluster},
    Expected{"GET", "/history", H::history},
    Expected{"GET", "/config", H::config},
    Expected{"GET", "/metrics", H::metrics},
    Expected{"GET", "/failsafe", H::failsafe},
    Expected{"GET", "/journal", H::loop, P::full, B::ignored, E::get_journal},
    Expected{"PATCH", "/config", H::loop, P::full, B::required, E::patch_config},
    Expected{"PUT", "/config", H::loop, P::full, B::required, E::put_config},
    Expected{"POST", "/switchover", H::loop, P::full, B::required, E::switchover},
    Expected{"POST", "/failover", H::loop, P::full, B::required, E::failover},
    Expected{"DELETE", "/switchover", H::loop, P::full, B::ignored, E::cancel_switchover},
    Expected{"POST", "/restart", H::loop, P::full, B::optional, E::restart},
    Expected{"DELETE", "/restart", H::loop, P::full, B::ignored, E::cancel_restart},
    Expected{"POST", "/reload", H::loop, P::full, B::ignored, E::reload},
    Expected{"POST", "/reinitialize", H::loop, P::full, B::optional, E::reinitialize},
    Expected{"POST", "/failsafe", H::loop, P::without_members, B::required, E::failsafe},
    Expected{"POST", "/sigterm", H::sigterm, P::full},
    Expected{"POST", "/citus", H::mpp, P::full, B::required},
    Expected{"POST", "/mpp", H::mpp, P::open, B::required},
};

TEST(Routes, EveryEndpointOfTheContractHasItsHandler) {
  for (const auto& row : endpoints) {
    const auto route = route_of(row.method, row.path);
    EXPECT_EQ(route.handler, row.handler) << row.method << row.path;
    EXPECT_EQ(route.protection, row.protection) << row.method << row.path;
    EXPECT_EQ(route.body, row.body) << row.method << row.path;
    if (row.handler == H::loop) {
      EXPECT_EQ(route.endpoint, row.endpoint) << row.method << row.path;
    }
  }
}

TEST(Routes, WhateverFollowsTheFirstSegmentIsIgnored) {
  EXPECT_EQ(route_of("GET", "/patroni/x/y").handler, H::patroni);
  EXPECT_EQ(route_of("POST", "/restart/").endpoint, E::restart);
}

TEST(Routes, EveryProtectedEndpointButTheJournalChangesSomething) {
  for (const std::string_view method : {"GET", "HEAD", "OPTIONS"}) {
    for (const auto& row : endpoints) {
      if (std::string_view(row.path) == "/journal") continue;  // tells more than a check does
      EXPECT_EQ(route_of(method, row.path).protection, P::open) << method << row.path;
    }
  }
}

TEST(Routes, UnknownGetsAreHealthChecks) {
  for (const std::string_view path :
       {"/", "/primary", "/no/such/thing", "patroni", "*", "/Patroni"}) {
    EXPECT_EQ(route_of("GET", path).handler, H::health) << path;
  }
}

TEST(Routes, HeadAndOptionsAreHealthChecksOfAnyPath) {
  for (const std::string_view path : {"/", "/patroni", "/liveness", "/metrics", "/config"}) {
    EXPECT_EQ(route_of("HEAD", path).handler, H::health_bare) << path;
    EXPECT_EQ(route_of("OPTIONS", path).handler, H::health_bare) << path;
  }
}

TEST(Routes, OtherPairsAreUnsupported) {
  EXPECT_EQ(route_of("DELETE", "/failover").handler, H::unsupported);
  EXPECT_EQ(route_of("POST", "/patroni").handler, H::unsupported);
  EXPECT_EQ(route_of("PUT", "/").handler, H::unsupported);
  EXPECT_EQ(route_of("get", "/patroni").handler, H::unsupported);
  EXPECT_EQ(route_of("BREW", "/restart").handler, H::unsupported);
}

TEST(Target, SplitsOffTheQueryFirst) {
  const auto target = split_target("/replica?lag=1/2?x");
  EXPECT_EQ(target.path, "/replica");
  EXPECT_EQ(target.query, "lag=1/2?x");
}

TEST(Target, ReducesLeadingSlashesToOne) {
  EXPECT_EQ(split_target("///patroni").path, "/patroni");
  EXPECT_EQ(split_target("/a//b").path, "/a//b");
}

TEST(Target, TakesAnAbsoluteUrl) {
  EXPECT_EQ(split_target("http://primary.example:8008/replica?lag=1").path, "/replica");
  EXPECT_EQ(split_target("http://host?x=1").query, "x=1");
  EXPECT_EQ(split_target("http://host").path, "/");
}

TEST(Target, AnAddressInTheQueryIsNoAuthority) {
  EXPECT_EQ(split_target("/replica?to=http://x/y").path, "/replica");
  EXPECT_EQ(split_target("*").path, "*");
}

TEST(Query, DecodesNamesAndValues) {
  const Query query("replication_state=in+archive%20recovery&tag_%61=%2B1");
  EXPECT_EQ(*query.find("replication_state"), "in archive recovery");
  EXPECT_EQ(*query.find("tag_a"), "+1");
}

TEST(Query, DropsParametersWithoutValue) {
  const Query query("lag=&lag=5&mode&=x");
  EXPECT_EQ(*query.find("lag"), "5");
  EXPECT_EQ(query.find("mode"), nullptr);
}

TEST(Query, TheFirstOfRepeatedParametersCounts) {
  EXPECT_EQ(*Query("lag=1&lag=2").find("lag"), "1");
}

TEST(Query, BrokenEscapesStandForThemselves) {
  EXPECT_EQ(*Query("a=%zz%4").find("a"), "%zz%4");
  EXPECT_EQ(*Query("a=100%").find("a"), "100%");
}

TEST(Query, KeepsTheOrderOfTheRequest) {
  const Query query("b=1&a=2&&c=3&");
  ASSERT_EQ(query.all().size(), 3U);
  EXPECT_EQ(query.all()[0].first, "b");
  EXPECT_EQ(query.all()[2].first, "c");
}

TEST(EndpointsPage, IsTheCommittedOne) {
  const std::string path = std::string(TANIST_SOURCE_DIR) + "/docs/reference/endpoints.md";
  const auto page =
      "# Endpoints\n\n"
      "What the REST API has handlers for; everything else is a health check (`GET`, and every "
      "`HEAD` and\n`OPTIONS`) or answered with 501. What each does and answers: "
      "[rest](rest.md). *Guarded* means the checks of\n[rest: access](rest.md#access). Printed by "
      "`TANIST_REWRITE=1 rest_test --gtest_filter='EndpointsPage.*'`.\n\n" +
      endpoint_table();
  if (std::getenv("TANIST_REWRITE") != nullptr) {
    ASSERT_TRUE(os::replace_file(path, page, 0644));
  }
  const auto committed = os::read_file(path);
  ASSERT_TRUE(committed) << committed.error().message;
  EXPECT_EQ(*committed, page) << path << " is out of date; its text says how to print it";
}

}  // namespace
}  // namespace tanist::rest

// SPDX-License-Identifier: Apache-2.0
// Which endpoint is asked, which are known, and which answers count.
#include "store/etcd3_endpoints.h"

#include <gtest/gtest.h>

namespace tanist::store {

namespace {

using Verdict = Allegiance::Verdict;

constexpr Instant t0{std::chrono::hours(1)};

Endpoints three(std::uint64_t seed = 0) {
  return Endpoints({{"e1", 2379}, {"e2", 2379}, {"e3", 2379}}, seed);
}

// ---- Addresses -------------------------------------------------------------------------------

TEST(EndpointAddress, PutsIpv6IntoBrackets) {
  EXPECT_EQ(address_of({"10.0.0.1", 2379}), "10.0.0.1:2379");
  EXPECT_EQ(address_of({"fd00::1", 2379}), "[fd00::1]:2379");
  EXPECT_EQ(address_of({"[fd00::1]", 2379}), "[fd00::1]:2379");
}

TEST(EndpointAddress, IsReadFromAClientUrlOfTheRightProtocolOnly) {
  EXPECT_EQ(address_of_url("http://10.0.0.1:2379", false), "10.0.0.1:2379");
  EXPECT_EQ(address_of_url("https://10.0.0.1:2379/", true), "10.0.0.1:2379");
  EXPECT_EQ(address_of_url("https://[fd00::1]:2379", true), "[fd00::1]:2379");
  EXPECT_EQ(address_of_url("http://e1", false), "e1:2379");
  EXPECT_EQ(address_of_url("http://[fd00::1]", false), "[fd00::1]:2379");
  EXPECT_EQ(address_of_url("http://10.0.0.1:2379", true), std::nullopt);
  EXPECT_EQ(address_of_url("https://10.0.0.1:2379", false), std::nullopt);
  EXPECT_EQ(address_of_url("unix:///tmp/etcd.sock", false), std::nullopt);
  EXPECT_EQ(address_of_url("http://", false), std::nullopt);
  EXPECT_EQ(address_of_url("http://:2379", false), std::nullopt);
}

// ---- Choice ----------------------------------------------------------------------------------

TEST(EndpointChoice, TheSeedSpreadsTheAgentsOverTheMembers) {
  EXPECT_EQ(three(0).current(), "e1:2379");
  EXPECT_EQ(three(1).current(), "e2:2379");
  EXPECT_EQ(three(5).current(), "e3:2379");
}

TEST(EndpointChoice, GoesRoundTheRing) {
  auto endpoints = three(1);
  EXPECT_EQ(endpoints.best({}, t0), "e2:2379");
  EXPECT_EQ(endpoints.best({"e2:2379"}, t0), "e3:2379");
  EXPECT_EQ(endpoints.best({"e2:2379", "e3:2379"}, t0), "e1:2379");
  EXPECT_EQ(endpoints.best({"e1:2379", "e2:2379", "e3:2379"}, t0), "");
}

TEST(EndpointChoice, TheCurrentOneChangesOnFailureOnly) {
  auto endpoints = three();
  endpoints.failed("e2:2379", t0);
  EXPECT_EQ(endpoints.current(), "e1:2379");
  endpoints.failed("e1:2379", t0);
  EXPECT_EQ(endpoints.current(), "e3:2379") << "e2 has failed too";
  endpoints.answered("e1:2379");
  EXPECT_EQ(endpoints.current(), "e3:2379");
}

TEST(EndpointChoice, WhenAllHaveFailedTheOneThatFailedLongestAgoIsNext) {
  auto endpoints = three();
  endpoints.failed("e1:2379", t0);
  endpoints.failed("e3:2379", t0 + seconds(1));
  endpoints.failed("e2:2379", t0 + seconds(2));
  EXPECT_EQ(endpoints.best({}, t0 + seconds(3)), "e1:2379");
}

TEST(EndpointChoice, TheFirstThatAnswersAfterAllFailedBecomesTheCurrentOne) {
  auto endpoints = three();
  for (const auto* each : {"e1:2379", "e2:2379", "e3:2379"}) endpoints.failed(each, t0);
  endpoints.answered("e2:2379");
  EXPECT_EQ(endpoints.current(), "e2:2379");
}

TEST(EndpointChoice, AnOldFailureIsForgiven) {
  auto endpoints = three();
  endpoints.failed("e2:2379", t0);
  EXPECT_EQ(endpoints.best({"e1:2379"}, t0 + seconds(5)), "e3:2379");
  EXPECT_EQ(endpoints.best({"e1:2379"}, t0 + seconds(15)), "e2:2379");
}

TEST(EndpointChoice, ASingleOneStays) {
  Endpoints endpoints({{"e1", 2379}}, 7);
  endpoints.failed("e1:2379", t0);
  EXPECT_EQ(endpoints.current(), "e1:2379");
}

// ---- Discovery (trap 160) --------------------------------------------------------------------

TEST(EndpointDiscovery, Trap160ConfiguredOnesStayAsFallback) {
  Endpoints endpoints({{"vip", 2379}}, 0);
  EXPECT_TRUE(endpoints.learn({"10.0.0.1:2379", "10.0.0.2:2379"}));
  const std::vector<std::string> expected{"10.0.0.1:2379", "10.0.0.2:2379", "vip:2379"};
  EXPECT_EQ(endpoints.all(), expected);
  EXPECT_EQ(endpoints.current(), "vip:2379") << "kept while it is in the list";
}

TEST(EndpointDiscovery, Trap160NamesAreNotListedTwice) {
  auto endpoints = three();
  EXPECT_FALSE(endpoints.learn({"e3:2379", "e2:2379", "e1:2379", "e1:2379"}));
  EXPECT_EQ(endpoints.all().size(), 3U);
}

TEST(EndpointDiscovery, Trap160LoopbackAddressesOfOtherHostsAreIgnored) {
  auto endpoints = three();
  EXPECT_FALSE(endpoints.learn({"127.0.0.1:2379", "localhost:2379", "[::1]:2379"}));
  Endpoints local({{"127.0.0.1", 2379}}, 0);
  EXPECT_TRUE(local.learn({"127.0.0.1:2379", "127.0.0.2:2379"}));
}

TEST(EndpointDiscovery, AMemberThatLeftIsForgotten) {
  Endpoints endpoints({{"e1", 2379}}, 0);
  endpoints.learn({"e2:2379", "e3:2379"});
  endpoints.failed("e1:2379", t0);
  EXPECT_EQ(endpoints.current(), "e2:2379");
  endpoints.learn({"e3:2379"});
  EXPECT_EQ(endpoints.current(), "e3:2379");
  EXPECT_EQ(endpoints.all(), (std::vector<std::string>{"e3:2379", "e1:2379"}));
}

// ---- Terms and clusters (trap 154) -----------------------------------------------------------

TEST(Allegiance, Trap154BelievesNoLowerTermOfTheSameCluster) {
  Allegiance allegiance;
  EXPECT_EQ(allegiance.judge({1, 1, Revision(5), 7}, seconds(30), t0), Verdict::believed);
  EXPECT_EQ(allegiance.judge({1, 2, Revision(5), 6}, seconds(30), t0), Verdict::stale);
  EXPECT_EQ(allegiance.judge({1, 2, Revision(5), 7}, seconds(30), t0), Verdict::believed);
  EXPECT_EQ(allegiance.judge({1, 2, Revision(5), 8}, seconds(30), t0), Verdict::believed);
  EXPECT_EQ(allegiance.judge({1, 1, Revision(5), 7}, seconds(30), t0), Verdict::stale);
}

TEST(Allegiance, BelievesNoOtherClusterWhileItsOwnAnswers) {
  Allegiance allegiance;
  allegiance.judge({1, 1, Revision(5), 7}, seconds(30), t0);
  EXPECT_EQ(allegiance.judge({2, 1, Revision(5), 9}, seconds(30), t0 + seconds(29)),
            Verdict::foreign);
  EXPECT_EQ(allegiance.judge({2, 1, Revision(5), 9}, seconds(30), t0 + seconds(31)),
            Verdict::replaced);
  EXPECT_EQ(allegiance.judge({2, 1, Revision(5), 9}, seconds(30), t0 + seconds(31)),
            Verdict::believed);
}

TEST(Allegiance, AQuorumThatKnowsLessThanBeforeIsOfAnEtcdThatLostItsData) {
  Allegiance allegiance;
  allegiance.judge({1, 1, Revision(50), 7}, seconds(30), t0);
  const wire::Header without_past{1, 1, Revision(3), 7};
  EXPECT_EQ(allegiance.judge(without_past, seconds(30), t0 + seconds(29), Revision(50)),
            Verdict::stale);
  EXPECT_EQ(allegiance.judge(without_past, seconds(30), t0 + seconds(31), Revision(50)),
            Verdict::replaced);
  EXPECT_EQ(allegiance.judge(without_past, seconds(30), t0 + seconds(31)), Verdict::believed);
}

TEST(Allegiance, AMemberThatLagsIsBelievedUntilAQuorumHasLostItsPast) {
  Allegiance allegiance;
  allegiance.judge({1, 1, Revision(50), 7}, seconds(30), t0);
  const wire::Header lagging{1, 2, Revision(48), 7};
  EXPECT_EQ(allegiance.judge(lagging, seconds(30), t0), Verdict::believed);
  allegiance.judge({1, 1, Revision(3), 7}, seconds(30), t0, Revision(50));
  EXPECT_EQ(allegiance.judge(lagging, seconds(30), t0 + seconds(29)), Verdict::stale)
      << "it must not prolong the patience either";
  allegiance.judge({1, 1, Revision(50), 7}, seconds(30), t0 + seconds(29), Revision(50));
  EXPECT_EQ(allegiance.judge(lagging, seconds(30), t0 + seconds(29)), Verdict::believed);
}

TEST(Allegiance, AnAnswerWithoutTermSaysNothing) {
  Allegiance allegiance;
  allegiance.judge({1, 1, Revision(5), 7}, seconds(30), t0);
  EXPECT_EQ(allegiance.judge({}, seconds(30), t0), Verdict::believed);
  EXPECT_EQ(allegiance.judge({1, 1, Revision(5), 6}, seconds(30), t0), Verdict::stale);
}

}  // namespace

}  // namespace tanist::store

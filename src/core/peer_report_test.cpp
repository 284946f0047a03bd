// SPDX-License-Identifier: Apache-2.0
// Reading a peer's status page (contract ha 1).
#include "core/peer_report.h"

#include <gtest/gtest.h>

namespace tanist {
namespace {

const MemberName peer("b");

Tree replica_page() {
  return Tree::map({{"state", "running"},
                    {"role", "replica"},
                    {"timeline", 3},
                    {"xlog", Tree::map({{"received_location", 100},
                                        {"replayed_location", 200},
                                        {"replayed_timestamp", Tree()}})},
                    {"tags", Tree::map({{"nofailover", true}})}});
}

TEST(PeerReport, NoAnswerIsNotReachable) {
  const auto report = peer_report_from(peer, Tree());
  EXPECT_EQ(report.name, peer);
  EXPECT_FALSE(report.answered);
  EXPECT_FALSE(report.reachable);
}

TEST(PeerReport, AReplicaStandsAtTheLaterOfItsPositions) {
  const auto report = peer_report_from(peer, replica_page());
  EXPECT_TRUE(report.answered);
  EXPECT_TRUE(report.reachable);
  EXPECT_FALSE(report.is_primary);
  EXPECT_EQ(report.wal_position, Lsn(200));
  EXPECT_EQ(report.timeline, Timeline(3));
  EXPECT_TRUE(report.tags.nofailover());
  EXPECT_EQ(report.state, "running");
}

TEST(PeerReport, APrimaryHasALocation) {
  auto page = replica_page();
  page.set("xlog", Tree::map({{"location", 500}}));
  page.set("role", "master");
  const auto report = peer_report_from(peer, page);
  EXPECT_TRUE(report.is_primary);
  EXPECT_EQ(report.wal_position, Lsn(0));
}

TEST(PeerReport, OnlyWhoSaysThatItHasNotLookedIsBelievedThat) {
  auto page = replica_page();
  EXPECT_FALSE(peer_report_from(peer, page).position_is_old) << "Patroni asks its server each time";
  page.set("tanist", Tree::map({{"looked_since_unlock", true}}));
  EXPECT_FALSE(peer_report_from(peer, page).position_is_old);
  page.set("tanist", Tree::map({{"looked_since_unlock", false}}));
  EXPECT_TRUE(peer_report_from(peer, page).position_is_old);
}

TEST(PeerReport, TellsWhereItsLogLeftTheClusters) {
  auto page = replica_page();
  EXPECT_FALSE(peer_report_from(peer, page).left_at);
  page.set("tanist", Tree::map({{"left_at", 500}}));
  EXPECT_EQ(peer_report_from(peer, page).left_at, Lsn(500));
  for (const auto& nonsense : {Tree("far"), Tree(-1), Tree(0), Tree(), Tree::list()}) {
    page.set("tanist", Tree::map({{"left_at", nonsense}}));
    EXPECT_FALSE(peer_report_from(peer, page).left_at) << text_form(nonsense);
  }
}

TEST(PeerReport, WhoHoldsTheLockSaysSo) {
  auto page = replica_page();
  EXPECT_FALSE(peer_report_from(peer, page).holds_lock);
  page.set("tanist", Tree::map({{"holds_lock", true}}));
  EXPECT_TRUE(peer_report_from(peer, page).holds_lock);
}

TEST(PeerReport, ARoleOfPrimaryIsBelievedWithoutALocation) {
  auto page = replica_page();
  page.set("role", "primary");
  EXPECT_TRUE(peer_report_from(peer, page).is_primary);
}

TEST(PeerReport, TheNewNameOfThePositionsComesFirst) {
  auto page = replica_page();
  page.set("wal", Tree::map({{"received_location", 900}}));
  EXPECT_EQ(peer_report_from(peer, page).wal_position, Lsn(900));
}

TEST(PeerReport, WithoutPositionsItAnsweredButIsNotReachable) {
  auto page = replica_page();
  page.erase("xlog");
  const auto report = peer_report_from(peer, page);
  EXPECT_TRUE(report.answered);
  EXPECT_FALSE(report.reachable);
}

TEST(PeerReport, WrongTypesCountAsAbsent) {
  const auto page =
      Tree::map({{"state", 5},
                 {"role", Tree::list({1})},
                 {"timeline", "x"},
                 {"tags", "no map"},
                 {"watchdog_failed", 1},
                 {"xlog", Tree::map({{"received_location", -5}, {"replayed_location", "300"}})}});
  const auto report = peer_report_from(peer, page);
  EXPECT_EQ(report.wal_position, Lsn(300));
  EXPECT_EQ(report.timeline, Timeline(0));
  EXPECT_EQ(report.state, "");
  EXPECT_TRUE(report.watchdog_failed);
  EXPECT_FALSE(peer_report_from(peer, Tree::map({{"xlog", 5}})).reachable);
  EXPECT_FALSE(peer_report_from(peer, Tree::list({1})).answered);
}

}  // namespace
}  // namespace tanist

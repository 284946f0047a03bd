// SPDX-License-Identifier: Apache-2.0
// What follows from storage in trouble.
#include "core/storage.h"

#include <gtest/gtest.h>

#include "core/candidates.h"
#include "core/peer_report.h"
#include "core/published_values.h"
#include "tests/support/given.h"

namespace tanist {
namespace {

using testing::at_ms;
using testing::find_task;
using testing::Given;

StorageFacts silent_since(Instant since) {
  StorageFacts storage;
  storage.state = StorageState::silent;
  storage.since = since;
  storage.detail = "a write in the data directory has not ended for 30 s";
  storage.sessions_waiting = 3;
  storage.flushed = Lsn(0x3000000);
  storage.flushed_since = since;
  return storage;
}

Given leader_with_hung_storage() {
  Given given("a");
  given.node().storage_demote_after = seconds(30);
  given.obs().local.storage = silent_since(at_ms(-31'000));
  given.member("b").replication_state = "streaming";
  return given;
}

// Safety 5.3: giving up needs every one of its conditions.
TEST(Storage, IsGivenUpOnlyWhereConfiguredAndWhenAllSpeaksForIt) {
  EXPECT_TRUE(gives_up_for_storage(leader_with_hung_storage().build()));
  auto not_configured = leader_with_hung_storage();
  not_configured.node().storage_demote_after = seconds(0);
  EXPECT_FALSE(gives_up_for_storage(not_configured.build()));
  auto too_early = leader_with_hung_storage();
  too_early.obs().local.storage = silent_since(at_ms(-29'000));
  EXPECT_FALSE(gives_up_for_storage(too_early.build()));
  auto idle = leader_with_hung_storage();
  idle.obs().local.storage.sessions_waiting = 0;
  EXPECT_FALSE(gives_up_for_storage(idle.build()));
  auto moving = leader_with_hung_storage();
  moving.obs().local.storage.flushed_since = at_ms(-2'000);
  EXPECT_FALSE(gives_up_for_storage(moving.build()));
  auto full = leader_with_hung_storage();
  full.obs().local.storage.state = StorageState::full;
  EXPECT_FALSE(gives_up_for_storage(full.build())) << "a full disk is not silence";
  auto paused = leader_with_hung_storage();
  paused.cluster().pause = true;
  EXPECT_FALSE(gives_up_for_storage(paused.build()));
}

TEST(Storage, IsNotGivenUpWithoutASuccessorWhoseOwnWorks) {
  auto nobody = leader_with_hung_storage();
  nobody.member("b").replication_state = "";
  EXPECT_FALSE(gives_up_for_storage(nobody.build()));
  auto same_trouble = leader_with_hung_storage();
  same_trouble.member("b").data = Tree::map({{"storage_failed", true}});
  EXPECT_FALSE(gives_up_for_storage(same_trouble.build()));
  auto asynchronous = leader_with_hung_storage();
  asynchronous.cluster().synchronous_mode = SynchronousMode::priority;
  asynchronous.sync_key("a", {"c"});
  EXPECT_FALSE(gives_up_for_storage(asynchronous.build()));
}

Given leader_with_stopped_postmaster() {
  Given given("a");
  given.node().unreachable_demote_after = seconds(30);
  given.obs().local.storage.state = StorageState::unreachable;
  given.obs().local.storage.since = at_ms(-31'000);
  given.member("b").replication_state = "streaming";
  return given;
}

// What its sessions still write is no reason to wait, but the setting is one of its own.
TEST(UnreachableServer, IsGivenUpOnlyWhereConfigured) {  // trap 38
  EXPECT_TRUE(gives_up_for_storage(leader_with_stopped_postmaster().build()));
  auto not_configured = leader_with_stopped_postmaster();
  not_configured.node().unreachable_demote_after = seconds(0);
  not_configured.node().storage_demote_after = seconds(1);
  EXPECT_FALSE(gives_up_for_storage(not_configured.build()));
  auto too_early = leader_with_stopped_postmaster();
  too_early.obs().local.storage.since = at_ms(-29'000);
  EXPECT_FALSE(gives_up_for_storage(too_early.build()));
  auto nobody = leader_with_stopped_postmaster();
  nobody.member("b").replication_state = "";
  EXPECT_FALSE(gives_up_for_storage(nobody.build()));
  auto paused = leader_with_stopped_postmaster();
  paused.cluster().pause = true;
  EXPECT_FALSE(gives_up_for_storage(paused.build()));
}

TEST(UnreachableServer, IsReportedInItsOwnWords) {
  auto given = leader_with_stopped_postmaster();
  const auto first = decide(given.build());
  EXPECT_TRUE(testing::logged(first, "takes no new connections"));
  given.memory() = first.next;
  given.obs().local.storage.state = StorageState::good;
  EXPECT_TRUE(testing::logged(decide(given.build()), "PostgreSQL of this node works again"));
}

// Trap 24: whoever cannot write is no candidate.
TEST(Storage, InTroubleKeepsOutOfTheRace) {
  Given given("b");
  given.unlocked().silent("a").answers("c", 0x3000000);
  EXPECT_NE(find_task(decide(given.build()), Task::take_lock), nullptr);
  given.obs().local.storage.state = StorageState::full;
  EXPECT_EQ(find_task(decide(given.build()), Task::take_lock), nullptr);
}

TEST(Storage, IsReportedOnceAndPublished) {
  auto given = leader_with_hung_storage();
  const auto first = decide(given.build());
  EXPECT_TRUE(testing::logged(first, "is silent"));
  EXPECT_NE(member_value(given.build(), first.next).find("storage_failed"), nullptr);
  given.memory() = first.next;
  EXPECT_FALSE(testing::logged(decide(given.build()), "is silent"));
}

TEST(Storage, IsReportedThoughTheServerIsDead) {
  Given given("b");
  given.crashed().obs().local.storage.state = StorageState::full;
  EXPECT_TRUE(testing::logged(decide(given.build()), "is full"));
}

TEST(PeerReport, TellsOfFailingStorage) {
  const auto report = [](std::string_view state) {
    return peer_report_from(
        MemberName("b"),
        Tree::map({{"xlog", Tree::map({{"received_location", 1}})},
                   {"tanist", Tree::map({{"storage", Tree::map({{"state", state}})}})}}));
  };
  EXPECT_EQ(limitation(report("good")), "");
  EXPECT_EQ(limitation(report("unknown")), "");
  EXPECT_EQ(limitation(report("full")), "without working storage or server");
}

TEST(PeerReport, TellsOfARequiredGuardThatIsMissing) {
  const auto report = [](std::string_view mode, std::string_view state) {
    return peer_report_from(
        MemberName("b"),
        Tree::map(
            {{"xlog", Tree::map({{"received_location", 1}})},
             {"tanist", Tree::map({{"guard", Tree::map({{"mode", mode}, {"state", state}})}})}}));
  };
  EXPECT_EQ(limitation(report("required", "disarmed")), "");
  EXPECT_EQ(limitation(report("automatic", "absent")), "");
  EXPECT_EQ(limitation(report("off", "absent")), "");
  EXPECT_EQ(limitation(report("required", "absent")), "without the guard that it requires");
}

}  // namespace
}  // namespace tanist

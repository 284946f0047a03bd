// SPDX-License-Identifier: Apache-2.0
// The plan for slots, copies of logical ones included.
#include "core/slots_plan.h"

#include <gmock/gmock.h>

#include "core/feeding_path.h"
#include "core/logical_slots.h"
#include "core/published_values.h"
#include "tests/support/given.h"

namespace tanist {
namespace {

using testing::at_ms;
using ::testing::ElementsAre;
using testing::find_server;
using testing::Given;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

SlotFacts physical(const std::string& name, std::uint64_t restart = 0x1000) {
  SlotFacts slot;
  slot.name = name;
  slot.restart_lsn = Lsn(restart);
  slot.wal_status = "reserved";
  return slot;
}

SlotFacts logical(const std::string& name, std::uint64_t confirmed = 0x1000) {
  auto slot = physical(name);
  slot.logical = true;
  slot.plugin = "pgoutput";
  slot.database = "app";
  slot.confirmed_flush_lsn = Lsn(confirmed);
  slot.catalog_xmin = 700;
  return slot;
}

void permanent(Given& given) {
  given.cluster().slots = Tree::map(
      {{"backup", Tree::map({{"type", "physical"}})},
       {"changes", Tree::map({{"database", "app"}, {"plugin", "pgoutput"}, {"type", "logical"}})}});
}

void has(Given& given, std::vector<SlotFacts> slots) {
  given.obs().local.server.query->slots = std::move(slots);
}

// "drop x", "create y", "advance z 1000"
std::vector<std::string> plan(Given& given) {
  std::vector<std::string> texts;
  for (const auto& change : slot_changes(given.build())) {
    auto text = std::string(name_of(change.what)) + " " + change.slot;
    if (change.what == SlotChange::What::advance) text += " " + to_text(change.advance_to);
    texts.push_back(text);
  }
  return texts;
}

TEST(SlotsPlan, OfALeaderHasMembersAndPermanentSlots) {
  Given given("a");
  permanent(given);
  EXPECT_THAT(plan(given), ElementsAre("create b", "create backup", "create c", "create changes"));
  has(given, {physical("b"), physical("backup"), physical("c"), logical("changes")});
  EXPECT_THAT(plan(given), IsEmpty());
}

// Trap 81: a logical slot is never made on a standby, where it would begin at the wrong place.
TEST(SlotsPlan, OfAStandbyMakesNoLogicalSlot) {
  Given given("b");
  permanent(given);
  EXPECT_THAT(plan(given), ElementsAre("create a", "create backup", "create c"));
}

// Trap 87.
TEST(SlotsPlan, DropsWhatNobodyWantsButNothingOfOthers) {
  Given given("a");
  auto failover = logical("managed_by_server");
  failover.failover = true;
  has(given, {physical("b"), physical("c"), physical("stranger"), logical("forgotten"),
              physical("ignored_one"), failover});
  given.cluster().ignore_slots = Tree::list({Tree::map({{"name", "ignored_one"}})});
  EXPECT_THAT(plan(given), ElementsAre("drop stranger", "drop forgotten"));
  given.cluster().pause = true;
  EXPECT_THAT(plan(given), IsEmpty());
}

// Trap 84.
TEST(SlotsPlan, MakesALostSlotAnew) {
  Given given("a");
  auto lost = physical("b");
  lost.wal_status = "lost";
  has(given, {lost, physical("c")});
  EXPECT_THAT(plan(given), ElementsAre("drop b", "create b"));
}

TEST(SlotsPlan, MakesASlotOfAnotherKindAnewEvenInPause) {
  Given given("a");
  permanent(given);
  given.cluster().pause = true;
  auto other = logical("changes");
  other.plugin = "test_decoding";
  has(given, {physical("b"), physical("c"), logical("backup"), other});
  EXPECT_THAT(plan(given),
              ElementsAre("drop backup", "drop changes", "create backup", "create changes"));
}

// Trap 85, and trap 90 for the slot that reserves nothing.
TEST(SlotsPlan, MakesAPassiveSlotAnewThatHoldsBackVacuumOrReservesNothing) {
  Given given("b");
  auto stale = physical("c");
  stale.has_xmin = true;
  has(given, {physical("a", 0), stale});
  EXPECT_THAT(plan(given), ElementsAre("drop a", "drop c", "create a", "create c"));
  Given unlocked("b");
  has(unlocked, {physical("a"), stale});
  unlocked.unlocked(true);
  EXPECT_THAT(plan(unlocked), IsEmpty()) << "not before a leader exists";
}

// Trap 88.
TEST(SlotsPlan, AdvancesCopiesNeverPastWhatIsReplayed) {
  Given given("b");
  permanent(given);
  given.view().status->slots = {{"backup", 0x9000}, {"changes", 0x9000000}};
  has(given, {physical("a"), physical("c"), physical("backup"), logical("changes")});
  EXPECT_THAT(plan(given), ElementsAre("advance backup 0/9000", "advance changes 0/3000000"));
}

// Trap 91.
TEST(SlotsPlan, TakesTheMembersOwnPositionFromAnOldLeader) {
  Given given("b");
  given.member("a", true).version = "3.2.2";
  given.member("c").xlog_location = Lsn(0x5000);
  has(given, {physical("a"), physical("c")});
  EXPECT_THAT(plan(given), ElementsAre("advance c 0/5000"));
}

// Trap 164.
TEST(SlotsPlan, DropsWhatBlocksTheServersOwnSlotSynchronisation) {
  Given given("b");
  auto leftover = logical("changes");
  leftover.failover = true;
  has(given, {physical("a"), physical("c"), leftover});
  EXPECT_THAT(plan(given), ElementsAre("drop changes"));
}

TEST(SlotsPlan, HonoursTheClusterTypeOfPhysicalSlots) {
  Given given("a");
  given.cluster().slots = Tree::map({{"here", Tree::map({{"cluster_type", "primary"}})},
                                     {"there", Tree::map({{"cluster_type", "standby"}})}});
  has(given, {physical("b"), physical("c")});
  EXPECT_THAT(plan(given), ElementsAre("create here"));
}

// Trap 92.
TEST(SlotNames, ThatClashAreToldOnce) {
  Given given("b");
  given.member("x-1");
  given.member("x.1");
  given.memory().locked_view.reset();
  const auto first = decide(given.build());
  EXPECT_TRUE(testing::logged(first, "share a replication slot name: x-1, x.1 map to x_1"));
  given.memory() = first.next;
  EXPECT_FALSE(testing::logged(decide(given.build()), "share a replication slot name"));
}

// Trap 92.
TEST(FeedingPath, EndsInSpiteOfLoops) {
  Given given("b");
  given.node().tags.replicatefrom = MemberName("c");
  given.member("c").tags.replicatefrom = MemberName("b");
  EXPECT_FALSE(streams_from_primary(given.build(), MemberName("b")));
  given.member("c").tags.replicatefrom = MemberName();
  const auto obs = given.build();
  EXPECT_TRUE(streams_from_primary(obs, MemberName("b")));
  EXPECT_EQ(fed_by_leader(obs, MemberName("b")), MemberName("c"));
}

TEST(Feedback, IsNeededForLogicalSlotsHereOrBelow) {
  Given given("b");
  EXPECT_FALSE(needs_feedback(given.build()));
  permanent(given);
  EXPECT_TRUE(needs_feedback(given.build()));
  given.node().tags.failover_priority = 0;
  EXPECT_FALSE(needs_feedback(given.build()));
  given.member("c").tags.replicatefrom = MemberName("b");
  EXPECT_TRUE(needs_feedback(given.build()));
}

Given standby_without_copy() {
  Given given("b");
  permanent(given);
  given.view().status->slots = {{"changes", 0x2000}};
  has(given, {physical("a"), physical("c"), physical("backup")});
  given.follows_right_upstream();
  given.obs().local.comparison->goal.hot_standby_feedback = true;
  return given;
}

TEST(LogicalSlots, AreCopiedWhenTheLeaderHasThem) {
  auto given = standby_without_copy();
  const auto decision = decide(given.build());
  const auto* fetch = find_server<FetchSlots>(decision);
  ASSERT_NE(fetch, nullptr);
  EXPECT_EQ(fetch->leader.member, MemberName("a"));
  ASSERT_EQ(fetch->slots.size(), 1U);
  EXPECT_EQ(fetch->slots[0].plugin, "pgoutput");
  given.view().status->slots.clear();
  EXPECT_EQ(find_server<FetchSlots>(decide(given.build())), nullptr) << "not known to exist";
}

// Trap 89.
TEST(LogicalSlots, AreNotCopiedAgainAtOnceAfterAFailureNorInPause) {
  auto failed = standby_without_copy();
  failed.memory().slot_copy_failed_at = at_ms(-5'000);
  EXPECT_EQ(find_server<FetchSlots>(decide(failed.build())), nullptr);
  failed.memory().slot_copy_failed_at = at_ms(-100'000);
  EXPECT_NE(find_server<FetchSlots>(decide(failed.build())), nullptr);
  failed.cluster().pause = true;
  EXPECT_EQ(find_server<FetchSlots>(decide(failed.build())), nullptr);
}

// Trap 82.
TEST(LogicalSlots, AreSafeOnlyWhenThePrimaryProvablyKeepsWhatTheyNeed) {
  auto given = standby_without_copy();
  auto copy = logical("changes", 0x2000);
  copy.catalog_xmin = 900;
  given.obs().local.server.query->slots.push_back(copy);
  given.memory().unready_slots = {{"changes", 0}};
  given.obs().ends[Task::observe_leader_slots] = {.ok = true, .at = at_ms(0)};
  auto at_leader = logical("changes");
  at_leader.catalog_xmin = 850;
  given.obs().local.leader_slots = {physical("b"), at_leader};
  EXPECT_THAT(decide(given.build()).next.unready_slots, ElementsAre(Pair("changes", 0)))
      << "no horizon of ours is there yet";
  given.obs().local.leader_slots[0].catalog_xmin = 840;
  const auto remembered = decide(given.build()).next.unready_slots;
  EXPECT_THAT(remembered, ElementsAre(Pair("changes", 850)));
  given.memory().unready_slots = remembered;
  EXPECT_THAT(decide(given.build()).next.unready_slots, ElementsAre(Pair("changes", 850)));
  given.obs().local.leader_slots[0].catalog_xmin = 860;
  const auto proven = decide(given.build());
  EXPECT_THAT(proven.next.unready_slots, IsEmpty());
  EXPECT_TRUE(testing::logged(proven, "is safe to be used after a failover"));
}

TEST(PublishedSlots, AreTheManagedOnesOrOnlyThePermanentOnes) {
  Given given("a");
  permanent(given);
  has(given, {physical("b", 0x10), physical("backup", 0x20), physical("stranger", 0x30)});
  EXPECT_THAT(published_slots(given.build()),
              UnorderedElementsAre(Pair("a", 0x3000000), Pair("b", 0x10), Pair("backup", 0x20)));
  given.cluster().member_slots_ttl = seconds(0);
  EXPECT_THAT(published_slots(given.build()),
              UnorderedElementsAre(Pair("a", 0x3000000), Pair("backup", 0x20)));
}

// Trap 83.
TEST(RetainedSlots, OutliveTheirMemberForTheTimeOfTheSetting) {
  Given given("a");
  given.memory().slots_seen = {{"b", at_ms(-1'000)}, {"gone", at_ms(-1'799'000)}};
  EXPECT_TRUE(decide(given.build()).next.slots_seen.contains("gone"));
  given.memory().slots_seen["gone"] = at_ms(-1'801'000);
  const auto later = decide(given.build());
  EXPECT_FALSE(later.next.slots_seen.contains("gone"));
  EXPECT_TRUE(testing::logged(later, "expired after 1800 sec"));
}

// As when etcd has lost its data: neither /status nor member keys are there yet.
TEST(RetainedSlots, AreRememberedByEverybodyWhereTheStoreDoesNotTell) {
  Given standby("b");
  EXPECT_TRUE(decide(standby.build()).next.slots_seen.contains("c"));
  Given given("a");
  given.view().status.reset();
  has(given, {physical("b", 0x10), physical("c", 0x20), physical("stranger", 0x30)});
  given.without_member("c");
  given.memory().slots_seen = {{"c", at_ms(-1'000)}};
  EXPECT_THAT(plan(given), ElementsAre("drop stranger"));
  given.memory().slots_seen.clear();
  EXPECT_THAT(plan(given), ElementsAre("drop c", "drop stranger"));
}

}  // namespace
}  // namespace tanist

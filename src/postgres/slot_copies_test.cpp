// SPDX-License-Identifier: Apache-2.0
// Copies of logical slots on real servers.
// tidy: table
#include "postgres/slot_copies.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

TEST_F(Situation, ACopiedLogicalSlotGoesOnAfterAFailoverWhereItWas) {
  for (auto* node : {&first, &second}) {
    node->settings.parameters["wal_level"] = "logical";
    node->apply();
  }
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  const SlotChange slot{.what = SlotChange::What::create,
                        .slot = "changes",
                        .logical = true,
                        .plugin = "test_decoding",
                        .database = "postgres",
                        .advance_to = {}};
  ASSERT_TRUE(first.perform(ChangeSlots{{slot}}).ok);
  auto foreign = slot;
  foreign.plugin = "pgoutput";
  EXPECT_THAT(second.perform(FetchSlots{first.as_upstream(), {foreign}}).error,
              HasSubstr("no such slot"));
  ASSERT_EQ(first.query("CREATE TABLE public.t (n int)"), "");
  const auto consumed =
      first.query("SELECT max(lsn) FROM pg_logical_slot_get_changes('changes', NULL, NULL)");
  ASSERT_EQ(first.query("INSERT INTO public.t VALUES (42)"), "");
  const auto fetched = second.perform(FetchSlots{first.as_upstream(), {slot}});
  ASSERT_TRUE(fetched.ok) << fetched.error;
  EXPECT_FALSE(second.perform(InstallSlots{}).ok) << "not while the server runs";
  ASSERT_TRUE(second.perform(FetchSlots{first.as_upstream(), {slot}}).ok);
  ASSERT_TRUE(second.perform(StopServer{}).ok);
  ASSERT_TRUE(second.perform(InstallSlots{}).ok);
  auto goal = second.following(first);
  goal.hot_standby_feedback = true;
  ASSERT_EQ(second.perform(StartServer{.goal = goal}).start, StartOutcome::ready);
  ASSERT_TRUE(streams(second));
  EXPECT_EQ(second.query("SHOW hot_standby_feedback"), "on");
  const auto copies = second.observe({.slots = true}).query->slots;
  ASSERT_THAT(copies, SizeIs(1));
  EXPECT_EQ(copies[0].plugin, "test_decoding");
  const auto at_leader = second.perform(ObserveLeaderSlots{first.as_upstream()});
  ASSERT_THAT(at_leader.slots, SizeIs(1));
  EXPECT_NE(at_leader.slots[0].catalog_xmin, 0);
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  ASSERT_TRUE(promote(second));
  const auto decoded = second.query(
      "SELECT string_agg(data, ';') FROM pg_logical_slot_get_changes('changes', NULL, NULL)");
  EXPECT_THAT(decoded, HasSubstr("INSERT: n[integer]:42"));
}

TEST_F(Situation, ACopyOfALogicalSlotIsAdvancedOnTheStandby) {
  for (auto* node : {&first, &second}) {
    node->settings.parameters["wal_level"] = "logical";
    node->apply();
  }
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  const SlotChange slot{.what = SlotChange::What::create,
                        .slot = "changes",
                        .logical = true,
                        .plugin = "test_decoding",
                        .database = "postgres",
                        .advance_to = {}};
  ASSERT_TRUE(first.perform(ChangeSlots{{slot}}).ok);
  ASSERT_TRUE(second.perform(FetchSlots{first.as_upstream(), {slot}}).ok);
  ASSERT_TRUE(second.perform(StopServer{}).ok);
  ASSERT_TRUE(second.perform(InstallSlots{}).ok);
  ASSERT_EQ(second.perform(StartServer{.goal = second.following(first)}).start,
            StartOutcome::ready);
  ASSERT_TRUE(streams(second));
  ASSERT_EQ(first.query("CREATE TABLE public.t AS SELECT 1 AS n"), "");
  const auto end = *parse_lsn(first.query("SELECT pg_current_wal_flush_lsn()"));
  ASSERT_TRUE(second.see(
      [&](const ServerFacts& facts) { return facts.query && facts.query->replayed >= end; }));
  auto advance = slot;
  advance.what = SlotChange::What::advance;
  advance.advance_to = end;
  const auto advanced = second.perform(ChangeSlots{{advance}});
  ASSERT_TRUE(advanced.ok) << advanced.error;
  EXPECT_EQ(second.observe({.slots = true}).query->slots[0].confirmed_flush_lsn, end);
}

}  // namespace
}  // namespace tanist::postgres

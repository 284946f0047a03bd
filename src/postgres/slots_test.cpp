// SPDX-License-Identifier: Apache-2.0
// Slots on real servers.
// tidy: table
#include "postgres/slots.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

// Trap 86: what was asked for is not taken for done.
TEST_F(Situation, ASlotInUseStaysAndIsDroppedWhenItIsFree) {
  ASSERT_TRUE(first.bootstrap());
  const SlotChange make{.what = SlotChange::What::create, .slot = "second"};
  ASSERT_TRUE(first.perform(ChangeSlots{{make}}).ok);
  auto goal = second.following(first);
  goal.upstream->slot = "second";
  ASSERT_TRUE(second.perform(CloneData{.source = first.as_upstream()}).ok);
  ASSERT_EQ(second.perform(StartServer{.goal = goal}).start, StartOutcome::ready);
  ASSERT_TRUE(streams(second));
  const auto slots = [&] { return first.observe({.slots = true}).query->slots; };
  ASSERT_TRUE(first.see([&](const ServerFacts&) { return slots().at(0).active; }));
  const SlotChange drop{.what = SlotChange::What::drop, .slot = "second"};
  first.perform(ChangeSlots{{drop}});
  ASSERT_EQ(slots().size(), 1U);
  ASSERT_TRUE(second.perform(StopServer{}).ok);
  ASSERT_TRUE(first.see([&](const ServerFacts&) { return !slots().at(0).active; }));
  EXPECT_TRUE(first.perform(ChangeSlots{{drop}}).ok);
  EXPECT_TRUE(slots().empty());
}

}  // namespace
}  // namespace tanist::postgres

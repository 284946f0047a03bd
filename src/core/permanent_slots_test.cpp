// SPDX-License-Identifier: Apache-2.0
// Reading of permanent slots and of matchers.
#include "core/permanent_slots.h"

#include <gmock/gmock.h>

namespace tanist {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Tree entry(std::initializer_list<Tree::Entry> fields) { return Tree::map(fields); }

TEST(PermanentSlots, AreReadInEachForm) {
  const auto slots = permanent_slots_from(
      entry({{"plain", Tree()},
             {"typed", entry({{"type", "physical"}, {"cluster_type", "standby"}})},
             {"changes", entry({{"type", "logical"}, {"database", "app"}, {"plugin", "pgoutput"}})},
             {"untyped", entry({{"database", "app"}, {"plugin", "test_decoding"}})}}));
  ASSERT_THAT(slots, SizeIs(4));
  EXPECT_EQ(slots.at("plain"), PermanentSlot{});
  EXPECT_EQ(slots.at("typed").cluster_type, "standby");
  EXPECT_TRUE(slots.at("changes").logical);
  EXPECT_EQ(slots.at("untyped").plugin, "test_decoding");
}

TEST(PermanentSlots, WithUnusableNamesOrValuesAreSkippedAndTold) {
  const auto bad = entry({{"With-Dash", Tree()},
                          {"half", entry({{"type", "logical"}, {"database", "app"}})},
                          {"word", "physical"},
                          {"other", entry({{"type", "sideways"}})}});
  EXPECT_THAT(permanent_slots_from(bad), IsEmpty());
  const auto warnings = permanent_slot_warnings(bad);
  ASSERT_THAT(warnings, SizeIs(4));
  EXPECT_THAT(warnings[0], HasSubstr("'With-Dash'"));
  EXPECT_THAT(permanent_slot_warnings(Tree("x")), SizeIs(1));
  EXPECT_THAT(permanent_slot_warnings(Tree()), IsEmpty());
}

TEST(IgnoredSlots, AgreeWithAMatcherInEveryFieldThatItGives) {
  SlotFacts slot;
  slot.name = "backup";
  slot.database = "app";
  slot.plugin = "pgoutput";
  slot.logical = true;
  const auto matchers = [](Tree matcher) { return Tree::list({std::move(matcher)}); };
  EXPECT_TRUE(is_ignored_slot(matchers(entry({{"name", "backup"}})), slot));
  EXPECT_TRUE(
      is_ignored_slot(matchers(entry({{"type", "logical"}, {"plugin", "pgoutput"}})), slot));
  EXPECT_FALSE(is_ignored_slot(matchers(entry({{"name", "backup"}, {"type", "physical"}})), slot));
  EXPECT_FALSE(is_ignored_slot(matchers(entry({})), slot)) << "nothing given, nothing meant";
  EXPECT_FALSE(is_ignored_slot(Tree(), slot));
}

}  // namespace
}  // namespace tanist

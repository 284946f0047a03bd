// SPDX-License-Identifier: Apache-2.0
// Tags: the boolean one beats the number, and what is published (contract config 4.10, dcs 4.3.1).
#include "core/tags.h"

#include <gtest/gtest.h>

#include <vector>

namespace tanist {
namespace {

Tags tags_of(std::initializer_list<Tree::Entry> entries) { return tags_from(Tree::map(entries)); }

TEST(Tags, DefaultsLetAMemberDoEverything) {
  const auto tags = tags_of({});
  EXPECT_FALSE(tags.nofailover());
  EXPECT_FALSE(tags.nosync());
  EXPECT_FALSE(tags.clonefrom);
  EXPECT_EQ(tags.failover_priority, 1);
  EXPECT_EQ(tags.sync_priority, 1);
}

TEST(Tags, TheVetoBeatsThePriority) {
  struct Row {
    Tree veto;
    Tree priority;
    std::int64_t effective;
  };
  const std::vector<Row> rows{{Tree(), 5, 5},  {Tree(), 0, 0},   {Tree(), -3, 0}, {true, 5, 0},
                              {true, 0, 0},    {false, 0, 1},    {false, 5, 5},   {false, "7", 7},
                              {"false", 5, 0}, {Tree(), "x", 1}, {"", 0, 1}};
  for (const auto& row : rows) {
    const auto failover = tags_of({{"nofailover", row.veto}, {"failover_priority", row.priority}});
    EXPECT_EQ(failover.failover_priority, row.effective) << text_form(row.veto);
    const auto sync = tags_of({{"nosync", row.veto}, {"sync_priority", row.priority}});
    EXPECT_EQ(sync.sync_priority, row.effective) << text_form(row.veto);
  }
}

TEST(Tags, OnlyNostreamIsReadAsAWord) {
  EXPECT_TRUE(tags_of({{"nostream", "on"}}).nostream);
  EXPECT_FALSE(tags_of({{"nostream", "false"}}).nostream);
  EXPECT_TRUE(tags_of({{"clonefrom", "false"}}).clonefrom);
  EXPECT_TRUE(tags_of({{"noloadbalance", "false"}}).noloadbalance);
}

TEST(Tags, ReplicatefromNamesAMember) {
  EXPECT_EQ(tags_of({{"replicatefrom", "b"}}).replicatefrom, MemberName("b"));
  EXPECT_EQ(tags_of({{"replicatefrom", ""}}).replicatefrom, MemberName());
}

TEST(Tags, WhatIsNoMapCountsAsEmpty) {
  for (const auto& tree : {Tree(), Tree("x"), Tree::list({1}), Tree(1)}) {
    EXPECT_EQ(tags_from(tree), tags_from(Tree::map()));
  }
}

TEST(PublishedTags, LeaveOutFalseOnes) {
  const auto configured = Tree::map({{"nofailover", false},
                                     {"noloadbalance", false},
                                     {"clonefrom", true},
                                     {"nosync", false},
                                     {"nostream", false},
                                     {"datacenter", ""},
                                     {"failover_priority", 1}});
  EXPECT_EQ(published_tags(configured), Tree::map({{"nofailover", false},
                                                   {"clonefrom", true},
                                                   {"datacenter", ""},
                                                   {"failover_priority", 1}}));
  EXPECT_EQ(published_tags(Tree("x")), Tree::map());
}

TEST(TagConflicts, AreToldInTheContractsWords) {
  EXPECT_EQ(tag_conflicts(Tree::map({{"nofailover", true}, {"failover_priority", 2}})),
            (std::vector<std::string>{"Conflicting configuration between nofailover: True and "
                                      "failover_priority: 2. Defaulting to nofailover: True"}));
  EXPECT_EQ(tag_conflicts(Tree::map({{"nosync", false}, {"sync_priority", 0}})).size(), 1U);
  EXPECT_TRUE(tag_conflicts(Tree::map({{"nosync", true}, {"sync_priority", 0}})).empty());
  EXPECT_TRUE(tag_conflicts(Tree::map({{"nofailover", false}, {"failover_priority", 1}})).empty());
  EXPECT_TRUE(tag_conflicts(Tree::map({{"nofailover", true}})).empty());
}

}  // namespace
}  // namespace tanist

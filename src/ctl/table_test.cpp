// SPDX-License-Identifier: Apache-2.0
// Tests of tables in their four formats.
#include "ctl/table.h"

#include <gtest/gtest.h>

namespace tanist::ctl {
namespace {

Table small() {
  return {.title = " T ", .columns = {{"Name"}, {"N", Align::right}}, .rows = {{"a", 1}, {"", 20}}};
}

TEST(Table, PrettyAlignsAndPutsTheTitleIntoTheTopRule) {
  EXPECT_EQ(to_text(small(), Format::pretty),
            "+ T ---+----+\n| Name |  N |\n+------+----+\n| a    |  1 |\n|      | 20 |\n"
            "+------+----+\n");
}

TEST(Table, PrettyOfNothingIsAHeadingBetweenTwoRules) {
  auto table = small();
  table.rows.clear();
  table.title.clear();
  EXPECT_EQ(to_text(table, Format::pretty), "+------+---+\n| Name | N |\n+------+---+\n");
}

TEST(Table, RowsArePartedByRulesWhereACellHasSeveralLines) {
  const Table table{.columns = {{"A"}}, .rows = {{"1\n2"}, {"3"}}};
  EXPECT_EQ(to_text(table, Format::pretty),
            "+---+\n| A |\n+---+\n| 1 |\n| 2 |\n+---+\n| 3 |\n+---+\n");
}

TEST(Table, ATitleThatIsTooLongIsCut) {
  const Table table{.title = " Cluster ", .columns = {{"A"}}};
  EXPECT_EQ(to_text(table, Format::pretty), "+ Cl+\n| A |\n+---+\n");
}

TEST(Table, MissingValuesAndBooleansLookLikePythons) {
  const Table table{.columns = {{"A"}, {"B"}}, .rows = {{Tree(), true}}};
  EXPECT_EQ(to_text(table, Format::tsv), "A\tB\nNone\tTrue\n");
}

TEST(Table, JsonLeavesOutWhatIsEmptyOnlyWhereAskedTo) {
  auto table = small();
  EXPECT_EQ(to_text(table, Format::json),
            "[{\"Name\": \"a\", \"N\": 1}, {\"Name\": \"\", \"N\": 20}]\n");
  table.omits_empty = true;
  EXPECT_EQ(to_text(table, Format::json), "[{\"Name\": \"a\", \"N\": 1}, {\"N\": 20}]\n");
}

TEST(Table, YamlIsFollowedByABlankLine) {
  EXPECT_EQ(to_text(small(), Format::yaml), "- N: 1\n  Name: a\n- N: 20\n  Name: ''\n\n");
  EXPECT_EQ(to_text({.columns = {{"A"}}}, Format::yaml), "[]\n\n");
}

TEST(Table, WidthsCountColumnsOfTheTerminal) {
  EXPECT_EQ(display_width("äö"), 2U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("e\xCC\x81"), 1U);
  EXPECT_EQ(display_width("\xFF\xE3"), 2U);
}

}  // namespace
}  // namespace tanist::ctl

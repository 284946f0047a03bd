// SPDX-License-Identifier: Apache-2.0
// Forks and summaries, and what is kept on real servers.
#include "postgres/salvage.h"

#include <gmock/gmock.h>

#include "postgres/server.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

HistoryLine line(std::uint32_t timeline, std::uint64_t lsn) {
  HistoryLine result;
  result.timeline = Timeline(timeline);
  result.switch_lsn = Lsn(lsn);
  return result;
}

TEST(Fork, IsWhereTheLeaderLeftOurTimeline) {
  const TimelinePath local{{}, Timeline(1), {}};
  EXPECT_EQ(fork_of(local, {{line(1, 0x500)}, Timeline(2), Lsn(0x900)}), Lsn(0x500));
}

TEST(Fork, OfTwoPromotionsIsTheEarlierOne) {
  const TimelinePath local{{line(1, 0x400)}, Timeline(2), {}};
  EXPECT_EQ(fork_of(local, {{line(1, 0x600)}, Timeline(2), Lsn(0x900)}), Lsn(0x400));
}

// Trap 58: the leader's history does not know our timeline.
TEST(Fork, OfATimelineThatTheLeaderNeverSawIsWhereWeBeganIt) {
  const TimelinePath local{{line(1, 0x400)}, Timeline(2), {}};
  EXPECT_EQ(fork_of(local, {{line(1, 0x600)}, Timeline(3), Lsn(0x900)}), Lsn(0x400));
}

TEST(Fork, OnTheSameTimelineIsTheLeadersEnd) {
  EXPECT_EQ(fork_of({{}, Timeline(1), {}}, {{}, Timeline(1), Lsn(0x700)}), Lsn(0x700));
}

TEST(Fork, IsNoneWhereNothingIsCommon) {
  EXPECT_EQ(fork_of({{}, Timeline(1), {}}, {{}, Timeline(2), Lsn(0x700)}), std::nullopt);
}

TEST(Statistics, AreReadFromTheirRow) {
  constexpr std::string_view table =
      "Transaction/COMMIT                 12 (  3.05)     408 (  1.1)\n"
      "Heap/INSERT                       100 ( 25.00)    5900\n";
  EXPECT_EQ(record_count(table, "Transaction/COMMIT"), 12U);
  EXPECT_EQ(record_count(table, "Transaction/ABORT"), 0U);
}

TEST(Commits, AreReadFromTheirLines) {
  const auto commits = commits_in(
      "rmgr: Transaction len (rec/tot):     34/    34, tx:        735, lsn: 0/015A, prev 0/0159, "
      "desc: COMMIT 2026-11-26 12:00:00.100000 UTC\n"
      "rmgr: Transaction len (rec/tot):     34/    34, tx:        736, lsn: 0/015A, prev 0/0159, "
      "desc: ABORT 2026-11-26 12:00:00.200000 UTC\n"
      "rmgr: Transaction len (rec/tot):    377/   377, tx:        737, lsn: 0/015B, prev 0/015A, "
      "desc: COMMIT 2026-11-26 12:00:00.300000 UTC; inval msgs: catcache 54\n");
  ASSERT_THAT(commits, SizeIs(2));
  EXPECT_EQ(commits[0].transaction, "735");
  EXPECT_EQ(commits[1].time, "2026-11-26 12:00:00.300000 UTC");
}

// ---- On real servers -------------------------------------------------------------------------

TEST_F(Situation, WhatARewindDiscardsIsKeptWithASummary) {
  diverge();
  ASSERT_TRUE(first.perform(RewindData{second.as_upstream()}).ok);
  const auto kept = salvages(first);
  ASSERT_THAT(kept, SizeIs(1));
  const auto folder = first.settings.data_dir + ".salvage/" + kept[0];
  const auto summary = content(folder + "/summary.txt");
  EXPECT_THAT(summary, AllOf(HasSubstr("timeline      1\n"), HasSubstr("first commit  20"),
                             HasSubstr("Transaction/COMMIT"), Not(HasSubstr("commits       0"))));
  EXPECT_TRUE(os::exists(folder + "/000000010000000000000003")) << summary;
  EXPECT_TRUE(follows_second());
}

TEST_F(Situation, WhatACopyDiscardsIsKeptTooButNothingThatTheSourceHas) {
  diverge();
  ASSERT_TRUE(first.perform(CloneData{.source = second.as_upstream()}).ok);
  EXPECT_THAT(salvages(first), SizeIs(1));
  ASSERT_TRUE(follows_second());
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  ASSERT_TRUE(first.perform(CloneData{.source = second.as_upstream()}).ok);
  EXPECT_THAT(salvages(first), SizeIs(1)) << "a standby that followed has nothing of its own";
}

TEST_F(Situation, SalvageKeepsToItsLimitsAndCanBeOff) {
  first.settings.salvage.bytes_max = 1024;
  first.settings.salvage.directory = cluster.folder / "elsewhere";
  first.apply();
  diverge();
  ASSERT_TRUE(first.perform(RewindData{second.as_upstream()}).ok);
  const auto kept = *os::list_folder(first.settings.salvage.directory);
  ASSERT_THAT(kept, SizeIs(1));
  const auto folder = first.settings.salvage.directory + "/" + kept[0];
  EXPECT_THAT(*os::list_folder(folder), ElementsAre("summary.txt"));
  EXPECT_THAT(content(folder + "/summary.txt"), HasSubstr("left out"));
}

}  // namespace
}  // namespace tanist::postgres

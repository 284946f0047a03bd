// SPDX-License-Identifier: Apache-2.0
// Reports in their three forms.
#include "ctl/report.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tanist::ctl {
namespace {

journal::Incident incident(std::int64_t reign) {
  journal::Incident out;
  out.at = "2026-11-26T13:00:10+00:00";
  out.reign = Revision(reign);
  out.old_leader = MemberName("a");
  out.new_leader = MemberName("b");
  out.cause = journal::Cause::silence;
  out.phases.lease = 5000;
  out.phases.race = 25;
  out.evidence = {"the lock of a ended"};
  out.voices = {{MemberName("c"), "x | y"}};
  return out;
}

journal::StoryLine line(std::int64_t second) {
  return {.member = MemberName("b"),
          .at = parse_timestamp("2026-11-26T13:00:00+00:00")->time + seconds(second),
          .text = "line " + std::to_string(second)};
}

TEST(Report, TheLastChangeHasTheLinesAroundIt) {
  Report report{.cluster = "demo", .incidents = {incident(1), incident(2)}};
  for (const auto second : {-100, -1, 1, 10, 39, 41}) report.timeline.push_back(line(second));
  const auto last = last_change_of(report);
  ASSERT_EQ(last.incidents.size(), 1U);
  EXPECT_EQ(last.incidents[0].reign, Revision(2));
  ASSERT_EQ(last.timeline.size(), 3U);
  EXPECT_EQ(last.timeline.front().text, "line 1");
  EXPECT_EQ(last.timeline.back().text, "line 39");
}

TEST(Report, DigestsFillWhatNoJournalTells) {
  auto known = incident(2);
  auto digest = incident(2);
  digest.phases.routing = 300;
  digest.cause = journal::Cause::released;
  const auto all = with_digests({known}, {incident(1), digest});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].reign, Revision(1));
  EXPECT_EQ(all[1].cause, journal::Cause::silence);
  EXPECT_EQ(all[1].phases.routing, 300);
}

TEST(Report, TextTellsCausePhasesAndReasons) {
  const auto text =
      to_text(Report{.cluster = "demo", .incidents = {incident(1)}, .timeline = {line(1)}},
              ReportFormat::text);
  for (const auto* part :
       {"b took over from a at 2026-11-26T13:00:10+00:00", "a fell silent", "the lock of a ended",
        "5000 ms", "25 ms", "5025 ms", "x | y", "2026-11-26T13:00:01.000 b          line 1"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Report, MarkdownKeepsItsTables) {
  const auto text =
      to_text(Report{.cluster = "demo", .incidents = {incident(1)}}, ReportFormat::markdown);
  EXPECT_NE(text.find("| c | x \\| y |"), std::string::npos) << text;
  EXPECT_NE(text.find("| lease | 5000 ms |"), std::string::npos) << text;
}

TEST(Report, JsonIsOneDocument) {
  const auto text =
      to_text(Report{.cluster = "demo", .incidents = {incident(1)}, .timeline = {line(1)}},
              ReportFormat::json);
  const auto tree = parse_json(text);
  ASSERT_TRUE(tree);
  const auto* first = &tree->find("incidents")->as_list()->front();
  EXPECT_EQ(*first->find("cause"), Tree("silence"));
  EXPECT_EQ(*first->find_path({"phases", "lease_ms"}), Tree(5000));
  EXPECT_EQ(*first->find("total_ms"), Tree(5025));
}

TEST(Report, AClockThatIsOffIsNamed) {
  Report report{.cluster = "demo", .incidents = {incident(1)}};
  report.clocks = {{MemberName("b"), std::chrono::microseconds(0), 5},
                   {MemberName("c"), std::chrono::microseconds(-1'500'000), 5}};
  const auto text = to_text(report, ReportFormat::text);
  EXPECT_EQ(text.find("clock of b"), std::string::npos);
  EXPECT_NE(text.find("clock of c: 1500.0 ms behind"), std::string::npos) << text;
}

}  // namespace
}  // namespace tanist::ctl

// SPDX-License-Identifier: Apache-2.0
// Entries come back from their text as they were.
#include "journal/entry.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/support/journal_records.h"

namespace tanist::journal {
namespace {

using testing::Given;

std::string text_of(const Entry& entry) {
  SecretMask mask;
  return text(entry, mask);
}

Result<Entry> read(std::string line) {
  line.pop_back();
  return parse_entry(line);
}

TEST(Entry, DecisionsComeBackWhole) {
  Given given("b");
  given.unlocked().answers("c", 0x3000000).silent("a");
  const auto entry = entry_of(record_of(given));
  const auto line = text_of(entry);
  const auto again = read(line);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->at, entry.at);
  EXPECT_EQ(again->instant, entry.instant);
  EXPECT_EQ(text_of(*again), line);
  const auto& before = std::get<Decided>(entry.body).observation;
  const auto& after = std::get<Decided>(again->body).observation;
  EXPECT_EQ(to_tree(after), to_tree(before));
}

TEST(Entry, ALineIsOneLineThatBeginsWithItsTime) {
  Given given("b");
  const auto line = text_of(entry_of(record_of(given)));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_EQ(time_of_line(line), wall_at(testing::at_ms(0)));
  EXPECT_EQ(time_of_line("{}"), std::nullopt);
  EXPECT_EQ(time_of_line(R"({"at":"soon"})"), std::nullopt);
}

TEST(Entry, DocumentsAreWrittenOnce) {
  Given given("b");
  given.view().config->value = Tree::map({{"marker", "only-once"}});
  given.memory().locked_view = std::make_shared<const ClusterView>(given.view());
  const auto line = text_of(entry_of(record_of(given)));
  const auto first = line.find("only-once");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(line.find("only-once", first + 1), std::string::npos);
}

TEST(Entry, NoSecretIsWritten) {
  const auto record = record_with_secret();
  ASSERT_NE(testing::find_task(record.decision, Task::write_config), nullptr);
  const auto line = text_of(entry_of(record));
  EXPECT_EQ(line.find("top-secret"), std::string::npos) << line;
  EXPECT_NE(line.find("********1"), std::string::npos);
}

TEST(Entry, SmallKindsComeBack) {
  const WallTime at(std::chrono::microseconds(1'700'000'000'000'001));
  for (const auto& body :
       {decltype(Entry::body)(Begun{1, "0.1.0", "demo", MemberName("a")}),
        decltype(Entry::body)(Ended{"promote_server", milliseconds(8), true, ""}),
        decltype(Entry::body)(Routed{}), decltype(Entry::body)(Dropped{3})}) {
    const auto line = text_of({at, Instant(seconds(5)), body});
    const auto again = read(line);
    ASSERT_TRUE(again) << line << again.error().message;
    EXPECT_EQ(again->at, at);
    EXPECT_EQ(again->body.index(), body.index());
    EXPECT_EQ(text_of(*again), line);
  }
}

// The form of the files of format 1. Do not change it: raise format_version.
TEST(Entry, GoldenLines) {
  const WallTime at(std::chrono::microseconds(1'700'000'000'000'000));
  const Instant instant(seconds(5));
  EXPECT_EQ(text_of({at, instant, Begun{1, "0.1.0", "demo", MemberName("a")}}),
            R"({"at":"2023-11-14T22:13:20+00:00","instant":5000000000,"begun":{"format":1,)"
            R"("version":"0.1.0","scope":"demo","member":"a"}})"
            "\n");
  EXPECT_EQ(text_of({at, instant, Ended{"take_lock", milliseconds(3), false, "no"}}),
            R"({"at":"2023-11-14T22:13:20+00:00","instant":5000000000,"ended":{"action":)"
            R"("take_lock","took_ns":3000000,"ok":false,"error":"no"}})"
            "\n");
}

TEST(Entry, OtherLinesAreRefused) {
  for (const auto* line :
       {"", "x", "[]", "{}", R"({"at":"2023-11-14T22:13:20+00:00"})",
        R"({"at":"2023-11-14T22:13:20+00:00","instant":1,"unheard":{}})",
        R"({"at":"soon","instant":1,"routed":{}})",
        R"({"at":"2023-11-14T22:13:20+00:00","instant":"1","routed":{}})",
        R"({"at":"2023-11-14T22:13:20+00:00","instant":1,"decided":{}})",
        R"({"at":"2023-11-14T22:13:20+00:00","instant":1,"decided":{"observation":{},)"
        R"("decision":{}}})",
        R"({"at":"2023-11-14T22:13:20+00:00","instant":1,"decided":{"observation":{"memory":)"
        R"({"locked_view":"@view"}},"decision":{}}})"}) {
    const auto entry = parse_entry(line);
    ASSERT_FALSE(entry) << line;
    EXPECT_EQ(entry.error().code, Errc::invalid) << line;
  }
  const auto newer =
      parse_entry(R"({"at":"2023-11-14T22:13:20+00:00","instant":1,"begun":{"format":2,"x":[]}})");
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Errc::refused);
}

}  // namespace
}  // namespace tanist::journal

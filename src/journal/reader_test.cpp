// SPDX-License-Identifier: Apache-2.0
// Reading of texts that are no whole journals.
#include "journal/reader.h"

#include <gtest/gtest.h>

#include "tests/support/journal_records.h"

namespace tanist::journal {
namespace {

const std::string good = R"({"at":"2023-11-14T22:13:20+00:00","instant":1,"dropped":{"entries":1}})"
                         "\n";

Result<ReadReport> read(std::string_view text) {
  return read_journal(text, [](const Entry&) {});
}

TEST(ReadJournal, LeavesOutWhatIsDamagedAndSaysWhere) {
  const auto report = read(good + "garbage\n" + good + std::string("\x00\xff{\n", 4) + good);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->entries, 3U);
  EXPECT_EQ(report->damaged, 2U);
  EXPECT_TRUE(report->text().starts_with("3 entries, 2 damaged lines left out (line 2: "))
      << report->text();
}

TEST(ReadJournal, TakesALastLineWithoutItsEnd) {
  const auto report = read(good + good.substr(0, good.size() - 1));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->entries, 2U);
  EXPECT_FALSE(report->torn);
}

TEST(ReadJournal, AnEmptyOneIsEmpty) {
  const auto report = read("");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->entries, 0U);
}

TEST(ReadJournal, OtherFilesAreNone) {
  for (const auto* text : {"hello\n", "{\n", "hello", "\n\n{}\n"}) {
    const auto report = read(text);
    ASSERT_FALSE(report) << text;
    EXPECT_EQ(report.error().code, Errc::invalid);
  }
}

TEST(ReadJournal, AFormOfTheFutureIsRefused) {
  const auto report =
      read(good + R"({"at":"2023-11-14T22:13:20+00:00","instant":1,"begun":{"format":99}})" + "\n");
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::refused);
}

TEST(ReadJournal, ALineBeyondTheLimitIsLeftOutWhole) {
  const auto report = read(std::string(line_bytes_max + 100, 'x') + "\n" + good);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->entries, 1U);
  EXPECT_EQ(report->damaged, 1U);
}

// Every prefix of a journal and every flipped byte of its first decision are read without harm.
TEST(ReadJournal, SurvivesEveryCutAndManyFlips) {
  testing::Given given("b");
  SecretMask mask;
  const auto line = text(entry_of(record_of(given.unlocked())), mask);
  for (std::size_t cut = 0; cut < line.size(); cut += 7) {
    const auto report = read(good + line.substr(0, cut));
    ASSERT_TRUE(report) << cut;
    EXPECT_EQ(report->entries, 1U);
  }
  for (std::size_t at = 0; at < line.size() - 1; at += 13) {
    auto flipped = good + line;
    flipped[good.size() + at] ^= 0x11;
    EXPECT_TRUE(read(flipped).has_value()) << at;
  }
}

TEST(ReadJournalFile, AMissingOneIsNotFound) {
  const auto report = read_journal_file("/nonexistent/journal", [](const Entry&) {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Errc::not_found);
}

}  // namespace
}  // namespace tanist::journal

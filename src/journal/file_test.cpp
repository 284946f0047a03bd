// SPDX-License-Identifier: Apache-2.0
// The journal on disk: bounded, continued after crashes, read whatever stands in it.
#include "journal/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "journal/reader.h"
#include "tests/support/journal_records.h"

namespace tanist::journal {
namespace {

class JournalFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "journal-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    options_.directory = folder_ + "/journal";
    options_.scope = "demo";
    options_.member = MemberName("a");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Entry entry(int number) {
    const Instant instant{seconds(number)};
    return {wall_at(instant), instant, Dropped{number}};
  }
  std::string newest() const { return newest_file(options_.directory); }
  std::string older() const { return older_file(options_.directory); }
  void append_raw(const std::string& text) const { std::ofstream(newest(), std::ios::app) << text; }

  // The numbers in the order of both files.
  std::vector<std::int64_t> numbers(ReadReport* report = nullptr) const {
    std::vector<std::int64_t> found;
    for (const auto& path : {older(), newest()}) {
      const auto read = read_journal_file(path, [&](const Entry& each) {
        if (const auto* dropped = std::get_if<Dropped>(&each.body)) {
          found.push_back(dropped->entries);
        }
      });
      if (read && report != nullptr) *report = *read;
    }
    return found;
  }

  std::string folder_;
  FileOptions options_;
};

TEST_F(JournalFile, ContinuesWhereAnEarlierProcessEnded) {
  ASSERT_TRUE(File(options_).append({entry(1), entry(2)}));
  ASSERT_TRUE(File(options_).append({entry(3)}));
  EXPECT_EQ(numbers(), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_F(JournalFile, IsForItsUserAlone) {
  ASSERT_TRUE(File(options_).append({entry(1)}));
  struct stat file{};
  struct stat directory{};
  ASSERT_EQ(stat(newest().c_str(), &file), 0);
  ASSERT_EQ(stat(options_.directory.c_str(), &directory), 0);
  EXPECT_EQ(file.st_mode & 0777U, 0600U);
  EXPECT_EQ(directory.st_mode & 0777U, 0700U);
}

TEST_F(JournalFile, TwoFilesAreKeptAndNeitherGrowsBeyondItsBound) {
  options_.file_bytes_max = 2000;
  File file(options_);
  for (int number = 1; number <= 200; ++number) {
    ASSERT_TRUE(file.append({entry(number)}));
    ASSERT_LE(std::filesystem::file_size(newest()), 2000U);
  }
  ASSERT_LE(std::filesystem::file_size(older()), 2000U);
  const auto found = numbers();
  ASSERT_GT(found.size(), 20U);
  EXPECT_LT(found.size(), 60U);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i], static_cast<std::int64_t>(200 - found.size() + 1 + i));
  }
}

TEST_F(JournalFile, ATornLineSpoilsNoOther) {
  ASSERT_TRUE(File(options_).append({entry(1)}));
  append_raw(R"({"at":"2026-11-2)");
  ReadReport report;
  EXPECT_EQ(numbers(&report), (std::vector<std::int64_t>{1}));
  EXPECT_TRUE(report.torn);
  EXPECT_EQ(report.damaged, 0U);
  ASSERT_TRUE(File(options_).append({entry(2)}));
  EXPECT_EQ(numbers(&report), (std::vector<std::int64_t>{1, 2}));
  EXPECT_FALSE(report.torn);
  EXPECT_EQ(report.damaged, 1U);
}

TEST_F(JournalFile, AFolderThatCannotBeMadeIsNamed) {
  options_.directory = "/proc/no-such-folder";
  const auto appended = File(options_).append({entry(1)});
  ASSERT_FALSE(appended);
  EXPECT_NE(appended.error().message.find("/proc/no-such-folder"), std::string::npos);
}

TEST_F(JournalFile, GoesOnWhenTheFolderIsThereAgain) {
  File file(options_);
  std::ofstream(options_.directory) << "in the way";
  ASSERT_FALSE(file.append({entry(1)}));
  std::filesystem::remove(options_.directory);
  ASSERT_TRUE(file.append({entry(2)}));
  EXPECT_EQ(numbers(), (std::vector<std::int64_t>{2}));
}

TEST_F(JournalFile, NewestLinesBeginAtTheTimeAndKeepTheirBound) {
  File file(options_);
  for (int number = 1; number <= 50; ++number) ASSERT_TRUE(file.append({entry(number)}));
  const auto since = newest_lines(options_.directory, entry(49).at, 1'000'000);
  ASSERT_TRUE(since);
  std::vector<std::int64_t> found;
  ASSERT_TRUE(read_journal(
      *since, [&](const Entry& each) { found.push_back(std::get<Dropped>(each.body).entries); }));
  EXPECT_EQ(found, (std::vector<std::int64_t>{49, 50}));
  const auto bounded = newest_lines(options_.directory, WallTime(), 500);
  ASSERT_TRUE(bounded);
  EXPECT_LE(bounded->size(), 500U);
  EXPECT_TRUE(bounded->starts_with(R"({"at":)"));
  EXPECT_EQ(newest_lines(folder_ + "/none", WallTime(), 500), std::string());
}

TEST_F(JournalFile, NewestLinesReachIntoTheOlderFile) {
  options_.file_bytes_max = 2000;
  File file(options_);
  for (int number = 1; number <= 200; ++number) ASSERT_TRUE(file.append({entry(number)}));
  const auto lines = newest_lines(options_.directory, WallTime(), 1'000'000);
  ASSERT_TRUE(lines);
  EXPECT_EQ(lines->size(),
            std::filesystem::file_size(older()) + std::filesystem::file_size(newest()));
}

}  // namespace
}  // namespace tanist::journal

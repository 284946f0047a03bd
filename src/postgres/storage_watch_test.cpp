// SPDX-License-Identifier: Apache-2.0
// What the lines of the canary mean.
#include "postgres/storage_watch.h"

#include <gmock/gmock.h>

#include "core/types.h"

namespace tanist::postgres {
namespace {

using testing::HasSubstr;

constexpr Duration silent_after = seconds{10};

Instant at(std::int64_t s) { return Instant(seconds{1000 + s}); }

struct Folders {
  WatchedFolder data;
  WatchedFolder wal;
  ServerContact contact;

  void line(std::string_view text, std::int64_t when) {
    take_canary_line(text, at(when), data, wal);
  }
  StorageFacts facts(std::int64_t when) const {
    return storage_of(data, wal, contact, at(when), silent_after);
  }
};

TEST(CanaryLines, GiveStateAndLatency) {
  Folders folders;
  EXPECT_EQ(folders.facts(0).state, StorageState::unknown);
  folders.line("data 1500", 0);
  folders.line("wal 90", 0);
  EXPECT_EQ(folders.facts(1).state, StorageState::good);
  EXPECT_EQ(folders.facts(1).data_us, 1500);
  EXPECT_EQ(folders.facts(1).wal_us, 90);
  folders.line("wal full", 2);
  EXPECT_EQ(folders.facts(2).state, StorageState::full);
  folders.line("data error 5", 2);
  EXPECT_EQ(folders.facts(2).state, StorageState::failing);
  EXPECT_THAT(folders.facts(2).detail, HasSubstr("Input/output error"));
  folders.line("data nonsense", 3);
  folders.line("other 1", 3);
  EXPECT_EQ(folders.facts(3).state, StorageState::failing);
}

TEST(CanaryLines, ThatDoNotComeMeanSilence) {
  Folders folders;
  folders.line("data 100", 0);
  folders.line("wal 100", 0);
  folders.line("data 100", 9);
  EXPECT_EQ(folders.facts(9).state, StorageState::good);
  const auto silent = folders.facts(10);
  EXPECT_EQ(silent.state, StorageState::silent);
  EXPECT_EQ(silent.since, at(0)) << "since the last write that ended";
  EXPECT_THAT(silent.detail, HasSubstr("WAL directory"));
}

TEST(CanaryLines, SayThatThereIsNothingToWatch) {
  Folders folders;
  folders.line("data 100", 0);
  folders.line("wal idle", 0);
  EXPECT_EQ(folders.facts(1).state, StorageState::good);
  folders.line("data idle", 2);
  EXPECT_EQ(folders.facts(3).state, StorageState::unknown);
}

TEST(Contact, IsLostWhenThePostmasterIsStoppedOrAnswersNobody) {  // trap 38
  Folders folders;
  folders.line("data 100", 0);
  folders.contact.unanswered_since = at(0);
  EXPECT_EQ(folders.facts(5).state, StorageState::good);
  folders.line("data 100", 9);
  EXPECT_EQ(folders.facts(10).state, StorageState::unreachable);
  EXPECT_EQ(folders.facts(10).since, at(0));
  EXPECT_THAT(folders.facts(10).detail, HasSubstr("answered none for 10 s"));
  folders.contact = {.stopped_since = at(9), .unanswered_since = {}};
  EXPECT_EQ(folders.facts(9).state, StorageState::unreachable) << "at once";
  EXPECT_THAT(folders.facts(9).detail, HasSubstr("stopped"));
}

// What the disk does is the cause, and has rules of its own.
TEST(Contact, CountsOnlyWhereTheStorageIsWell) {
  Folders folders;
  folders.contact.stopped_since = at(0);
  folders.line("data full", 0);
  EXPECT_EQ(folders.facts(1).state, StorageState::full);
  EXPECT_EQ(folders.facts(10).state, StorageState::silent);
}

}  // namespace
}  // namespace tanist::postgres

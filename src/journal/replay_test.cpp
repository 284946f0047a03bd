// SPDX-License-Identifier: Apache-2.0
// Decisions of a journal are made again, one sentence a test.
#include "journal/replay.h"

#include <gtest/gtest.h>

#include "tests/support/journal_records.h"

namespace tanist::journal {
namespace {

using testing::Given;

// Written and read, as from a file.
Decided through_text(const DecisionRecord& record) {
  SecretMask mask;
  auto line = text(entry_of(record), mask);
  line.pop_back();
  auto entry = parse_entry(line);
  EXPECT_TRUE(entry) << entry.error().message;
  return std::get<Decided>(std::move(entry->body));
}

TEST(Replay, ComesToTheSameDecisions) {
  std::vector<DecisionRecord> records;
  for (const auto* name : {"a", "b"}) {
    Given steady(name);
    Given lost(name);
    Given dead(name);
    Given empty(name);
    Given silent(name);
    records.push_back(record_of(steady));
    records.push_back(record_of(lost.unlocked().answers("c", 0x3000000).silent("a")));
    records.push_back(record_of(dead.crashed()));
    records.push_back(record_of(empty.empty_data()));
    records.push_back(record_of(silent.store_silent_since(testing::at_ms(-60'000))));
  }
  Given demoted("a");
  records.push_back(record_of(demoted.lost_lock()));
  for (const auto& record : records) {
    for (const auto& difference : decide_again(through_text(record))) {
      ADD_FAILURE() << name_of(record.decision.why.reason) << ": " << difference.path;
    }
  }
}

TEST(Replay, WorksWithoutTheSecrets) {
  EXPECT_TRUE(decide_again(through_text(record_with_secret())).empty());
}

TEST(Replay, ShowsWhatDiffers) {
  Given given("b");
  given.unlocked().answers("c", 0x3000000).silent("a");
  auto decided = through_text(record_of(given));
  decided.observation.peers.reports[0].wal_position = Lsn(0x9000000);  // now c has more
  const auto differences = decide_again(decided);
  ASSERT_FALSE(differences.empty());
  EXPECT_EQ(differences.front().path, "why.reason");
  EXPECT_EQ(differences.front().before, Tree("race_taking_lock"));
  EXPECT_EQ(differences.front().now, Tree("race_not_healthiest"));
}

}  // namespace
}  // namespace tanist::journal

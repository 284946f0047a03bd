// SPDX-License-Identifier: Apache-2.0
// The journal never holds the loop up, and counts what it could not write.
#include "agent/journal_keeper.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <future>

#include "journal/reader.h"
#include "os/clock.h"
#include "tests/support/given.h"

namespace tanist::agent {
namespace {

using testing::Given;

class JournalKeeperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "keeper-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    settings_.node.name = MemberName("b");
    settings_.node.scope = "demo";
    settings_.journal.directory = pattern + "/journal";
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  JournalKeeper make() {
    return JournalKeeper(
        io_.get_executor(), disk_, settings_,
        {.wall = os::wall_now, .now = os::now, .tell = [this](journal::Incident incident) {
           told_.push_back(std::move(incident));
         }});
  }
  void run(const JournalKeeper& keeper) {
    io_.restart();
    const auto until = os::now() + seconds(10);
    while (keeper.busy() && os::now() < until) io_.run_one_for(milliseconds(20));
    ASSERT_FALSE(keeper.busy());
  }
  std::vector<journal::Entry> entries() {
    std::vector<journal::Entry> found;
    const auto read =
        journal::read_journal_file(journal::newest_file(settings_.journal.directory),
                                   [&](const journal::Entry& entry) { found.push_back(entry); });
    EXPECT_TRUE(read) << read.error().message;
    return found;
  }
  static std::shared_ptr<const DecisionRecord> record(Observation obs) {
    auto decision = decide(obs);
    return std::make_shared<const DecisionRecord>(
        DecisionRecord{std::move(obs), std::move(decision)});
  }

  std::string folder_;
  Settings settings_;
  boost::asio::io_context io_;
  os::DiskPool disk_{1, 1};
  std::vector<journal::Incident> told_;
};

TEST_F(JournalKeeperTest, WritesDecisionsAndEndsOfInterest) {
  auto keeper = make();
  Given given("b");
  keeper.decided(record(given.build()));
  const Effect promotion{EffectId(1), Task::server, ServerAction(PromoteServer{}), Instant::max()};
  const Effect look{EffectId(2), Task::observe, ServerAction(ObserveServer{}), Instant::max()};
  keeper.started(promotion);
  keeper.started(look);
  ServerResult good;
  good.ok = true;
  keeper.ended({EffectId(2), good});
  keeper.ended({EffectId(1), good});
  run(keeper);
  const auto found = entries();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<journal::Begun>(found[0].body));
  EXPECT_TRUE(std::holds_alternative<journal::Decided>(found[1].body));
  EXPECT_EQ(std::get<journal::Ended>(found[2].body).action, "promote_server");
}

TEST_F(JournalKeeperTest, OfRoutineOnlyNewFailuresAreWritten) {
  auto keeper = make();
  std::uint64_t id = 0;
  const auto renew = [&](StoreVerdict verdict) {
    const Effect effect{EffectId(++id), Task::keep_lock, StoreAction(KeepLock{}), Instant::max()};
    keeper.started(effect);
    StoreResult result;
    result.verdict = verdict;
    result.detail = "no answer";
    keeper.ended({EffectId(id), result});
  };
  for (const auto verdict : {StoreVerdict::done, StoreVerdict::done, StoreVerdict::unknown,
                             StoreVerdict::unknown, StoreVerdict::done, StoreVerdict::done}) {
    renew(verdict);
  }
  run(keeper);
  const auto found = entries();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(std::get<journal::Ended>(found[1].body).error, "no answer");
  EXPECT_TRUE(std::get<journal::Ended>(found[2].body).ok);
}

TEST_F(JournalKeeperTest, AHangingDiskCostsEntriesAndNoTime) {
  auto keeper = make();
  std::promise<void> release;
  auto released = std::make_shared<std::shared_future<void>>(release.get_future());
  auto hang = [](os::DiskPool& disk,
                 std::shared_ptr<std::shared_future<void>> until) -> os::Awaitable<void> {
    auto work = [until] { until->wait(); };
    const auto limit = os::Limit{}.within(seconds(60));
    co_await os::on_disk(disk, limit, std::move(work));
  };
  os::start(io_.get_executor(), hang(disk_, released));
  io_.poll();
  const auto news = record(Given("b").build());
  const auto began = os::now();
  for (int i = 0; i < 1000; ++i) keeper.decided(news);
  EXPECT_LT(os::now() - began, milliseconds(500));
  release.set_value();
  run(keeper);
  std::int64_t decided = 0;
  std::int64_t dropped = 0;
  for (const auto& entry : entries()) {
    if (std::holds_alternative<journal::Decided>(entry.body)) ++decided;
    if (const auto* lost = std::get_if<journal::Dropped>(&entry.body)) dropped += lost->entries;
  }
  EXPECT_GT(decided, 100);
  EXPECT_GT(dropped, 100);
  EXPECT_EQ(decided + dropped, 1000);
}

TEST_F(JournalKeeperTest, AWonRaceIsToldOnceAndOnceMoreWhenItIsRouted) {
  settings_.journal.enabled = false;  // the digest does not need the file
  auto keeper = make();
  Given given("b");
  keeper.decided(record(given.build()));
  keeper.decided(record(given.unlocked().build()));
  given.leader("b").obs().lock.reign = Reign{LeaseId(7), Revision(200)};
  given.obs().lock.taken_at = given.obs().now;
  keeper.decided(record(given.build()));
  run(keeper);
  EXPECT_TRUE(told_.empty());
  given.runs_as_primary();
  keeper.decided(record(given.build()));
  run(keeper);
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].old_leader, MemberName("a"));
  EXPECT_EQ(told_[0].new_leader, MemberName("b"));
  EXPECT_EQ(told_[0].reign, Revision(200));
  keeper.routed();
  run(keeper);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_TRUE(told_[1].phases.routing.has_value());
  keeper.decided(record(given.build()));
  run(keeper);
  EXPECT_EQ(told_.size(), 2U);
  EXPECT_FALSE(std::filesystem::exists(settings_.journal.directory));
}

}  // namespace
}  // namespace tanist::agent

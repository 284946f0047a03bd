// SPDX-License-Identifier: Apache-2.0
// Rows as facts, the query by version, and the query on a real primary.
#include "postgres/monitoring_query.h"

#include <gmock/gmock.h>

#include "os/run_loop.h"
#include "sql/test_server.h"

namespace tanist::postgres {
namespace {

using testing::HasSubstr;
using testing::Not;

sql::Rows rows(std::vector<std::pair<std::string, sql::Value>> cells) {
  sql::Rows result;
  result.rows.emplace_back();
  for (auto& [column, value] : cells) {
    result.columns.push_back(column);
    result.rows[0].push_back(value);
  }
  return result;
}

TEST(MonitoringQuery, AsksOnlyForColumnsOfTheVersion) {
  const MonitoringParts all{.replication = true, .slots = true};
  EXPECT_THAT(monitoring_query(120000, all), Not(HasSubstr("written_lsn")));
  EXPECT_THAT(monitoring_query(120000, all), Not(HasSubstr("wal_status")));
  EXPECT_THAT(monitoring_query(130000, all), HasSubstr("w.written_lsn"));
  EXPECT_THAT(monitoring_query(160000, all), Not(HasSubstr("failover")));
  EXPECT_THAT(monitoring_query(170000, all), HasSubstr("failover, synced"));
  EXPECT_THAT(monitoring_query(150000, {}), Not(HasSubstr("pg_stat_replication")));
  EXPECT_THAT(monitoring_query(150000, {}), Not(HasSubstr("pg_replication_slots")));
}

TEST(MonitoringAnswerOf, AStandbyHasTheLargerOfReceivedAndWritten) {
  const auto answer = read_monitoring(150002, {},
                                      {rows({{"recovering", "t"},
                                             {"started", "2026-11-22 21:18:56.000000+00:00"},
                                             {"timeline", std::nullopt},
                                             {"location", std::nullopt},
                                             {"replayed", "0/5000"},
                                             {"received", "0/4000"},
                                             {"written", "0/6000"},
                                             {"replayed_at", "2026-11-22 21:18:56.120000+05:30"},
                                             {"paused", "t"},
                                             {"received_timeline", "26"},
                                             {"status", "streaming"},
                                             {"sender_port", "5433"}})});
  ASSERT_TRUE(answer);
  const auto& facts = answer->facts;
  EXPECT_TRUE(facts.in_recovery);
  EXPECT_EQ(facts.server_version, 150002);
  EXPECT_EQ(facts.timeline, Timeline());
  EXPECT_EQ(facts.location, Lsn());
  EXPECT_EQ(to_text(facts.received), "0/6000");
  EXPECT_EQ(to_text(facts.wal_position()), "0/6000");
  EXPECT_EQ(facts.postmaster_start_time, "2026-11-22 21:18:56+00:00");
  EXPECT_EQ(facts.replayed_timestamp, "2026-11-22 21:18:56.120000+05:30");
  EXPECT_TRUE(facts.replay_paused);
  EXPECT_EQ(facts.received_timeline, Timeline(26));
  EXPECT_EQ(facts.receiver_port, 5433);
}

TEST(MonitoringAnswerOf, ATimelineIsHexadecimal) {
  const auto answer = read_monitoring(
      150002, {}, {rows({{"recovering", "f"}, {"timeline", "0000001A"}, {"location", "1/0"}})});
  EXPECT_EQ(answer->facts.timeline, Timeline(26));
  EXPECT_EQ(answer->facts.wal_position(), Lsn(1ULL << 32));
}

TEST(MonitoringAnswerOf, SendersAndSlotsAreReadByName) {
  const auto answer = read_monitoring(170000, {.replication = true, .slots = true},
                                      {rows({{"recovering", "f"}}),
                                       rows({{"pid", "7"},
                                             {"usename", "rep"},
                                             {"application_name", "b"},
                                             {"address", "10.0.0.1"},
                                             {"state", "streaming"},
                                             {"sync_state", "quorum"},
                                             {"sync_priority", "1"},
                                             {"write_lsn", "0/3"},
                                             {"flush_lsn", "0/2"},
                                             {"replay_lsn", std::nullopt}}),
                                       rows({{"slot_name", "l"},
                                             {"slot_type", "logical"},
                                             {"active", "t"},
                                             {"plugin", "pgoutput"},
                                             {"database", "d"},
                                             {"xmin", std::nullopt},
                                             {"catalog_xmin", "725"},
                                             {"restart_lsn", "0/9"},
                                             {"confirmed_flush_lsn", "0/A"},
                                             {"wal_status", "lost"},
                                             {"failover", "t"},
                                             {"synced", "f"}})});
  ASSERT_TRUE(answer);
  const auto& sender = answer->facts.wal_senders.at(0);
  EXPECT_EQ(sender.pid, 7);
  EXPECT_EQ(sender.sync_state, "quorum");
  EXPECT_EQ(to_text(sender.flush_lsn), "0/2");
  EXPECT_EQ(sender.replay_lsn, Lsn());
  const auto& slot = answer->facts.slots.at(0);
  EXPECT_TRUE(slot.logical && slot.active && slot.failover && !slot.synced && !slot.has_xmin);
  EXPECT_EQ(slot.catalog_xmin, 725);
  EXPECT_EQ(to_text(slot.confirmed_flush_lsn), "0/A");
  EXPECT_EQ(slot.wal_status, "lost");
}

TEST(MonitoringAnswerOf, AnotherFormIsRefused) {
  EXPECT_FALSE(read_monitoring(150000, {}, {}));
  EXPECT_FALSE(read_monitoring(150000, {.slots = true}, {rows({{"recovering", "f"}})}));
  EXPECT_FALSE(read_monitoring(150000, {}, {sql::Rows{}}));
}

TEST(MonitoringOnARealServer, FindsSendersAndSlots) {
  TANIST_NEEDS_SERVER();
  const sql::TestServer server("wal_level=logical");
  boost::asio::io_context loop;
  os::DiskPool pool;
  sql::AddressBook addresses(pool);
  sql::ConnectRequest request;
  request.keywords = {{"host", server.address},
                      {"port", std::to_string(server.port)},
                      {"user", "postgres"},
                      {"dbname", "postgres"}};
  const auto connection =
      *os::run_until_done(loop, sql::Connection::open(&pool, &addresses, request, {}));
  const auto run = [&](const std::string& script) {
    auto answer = os::run_until_done(loop, connection->script(script, {}));
    EXPECT_TRUE(answer) << answer.error().message;
    return *answer;
  };
  run("SELECT pg_create_physical_replication_slot('p', true)");
  run("SELECT pg_create_logical_replication_slot('l', 'pgoutput')");
  run("SELECT pg_create_physical_replication_slot('t', true, true)");
  const MonitoringParts all{.replication = true, .slots = true};
  const auto version = connection->server_version();
  const auto answer = read_monitoring(version, all, run(monitoring_query(version, all)));
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->facts.in_recovery);
  EXPECT_EQ(answer->facts.timeline, Timeline(1));
  EXPECT_GT(answer->facts.location, Lsn());
  EXPECT_EQ(answer->facts.synchronous_commit, "on");
  EXPECT_THAT(answer->facts.postmaster_start_time,
              testing::ContainsRegex("^20[0-9-]+ [0-9:.]+[+-][0-9][0-9]:[0-9][0-9]$"));
  EXPECT_THAT(answer->configuration_loaded_at, Not(testing::IsEmpty()));
  ASSERT_EQ(answer->facts.slots.size(), 2U) << "the temporary one is left out";
  EXPECT_TRUE(answer->facts.wal_senders.empty());
}

}  // namespace
}  // namespace tanist::postgres

// SPDX-License-Identifier: Apache-2.0
// pg_controldata as PostgreSQL 15 printed it; the lines used are the same from 12 to 18.
#include "postgres/control_data.h"

#include <gtest/gtest.h>

namespace tanist::postgres {
namespace {

constexpr const char* recorded_15 = R"(pg_control version number:            1300
Catalog version number:               202209061
Database system identifier:           7711108385886975563
Database cluster state:               shut down
pg_control last modified:             Sun Nov 22 21:18:56 2026
Latest checkpoint location:           0/2000028
Latest checkpoint's REDO location:    0/2000028
Latest checkpoint's REDO WAL file:    000000010000000000000002
Latest checkpoint's TimeLineID:       1
Latest checkpoint's PrevTimeLineID:   1
Latest checkpoint's full_page_writes: on
Latest checkpoint's NextXID:          0:725
Latest checkpoint's oldestCommitTsXid:0
Time of latest checkpoint:            Sun Nov 22 21:18:56 2026
Minimum recovery ending location:     0/3000148
Min recovery ending loc's timeline:   7
Backup start location:                0/0
End-of-backup record required:        no
wal_level setting:                    replica
wal_log_hints setting:                on
max_connections setting:              100
max_worker_processes setting:         8
max_wal_senders setting:              10
max_prepared_xacts setting:           3
max_locks_per_xact setting:           64
Data page checksum version:           1
Mock authentication nonce:            d0ecf58ed6408a047ace0f5928bf4a3c3934d43f9a55b
)";

TEST(ControlDataText, IsRead) {
  const auto data = parse_control_data(recorded_15);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->system_id.value(), "7711108385886975563");
  EXPECT_EQ(data->state, ControlState::shut_down);
  EXPECT_EQ(to_text(data->checkpoint), "0/2000028");
  EXPECT_EQ(data->checkpoint_timeline, Timeline(1));
  EXPECT_EQ(data->redo_wal_file, "000000010000000000000002");
  EXPECT_EQ(to_text(data->min_recovery_end), "0/3000148");
  EXPECT_EQ(data->min_recovery_timeline, Timeline(7));
  EXPECT_TRUE(data->wal_log_hints);
  EXPECT_TRUE(data->checksums);
  EXPECT_EQ(data->max_connections, 100);
  EXPECT_EQ(data->max_worker_processes, 8);
  EXPECT_EQ(data->max_wal_senders, 10);
  EXPECT_EQ(data->max_prepared_xacts, 3);
  EXPECT_EQ(data->max_locks_per_xact, 64);
}

TEST(ControlDataText, OfOldServersHasCurrentBeforeTheSettings) {
  const auto data = parse_control_data(
      "Database system identifier: 7711108385886975563\n"
      "Database cluster state: in production\n"
      "Current max_connections setting: 55\n");
  ASSERT_TRUE(data);
  EXPECT_EQ(data->state, ControlState::in_production);
  EXPECT_EQ(data->max_connections, 55);
  EXPECT_EQ(data->max_wal_senders, 0);
}

TEST(ControlDataText, KnowsEveryState) {
  for (const auto& [state, name] : names_of(ControlState{})) {
    const auto data = parse_control_data(
        "Database system identifier: 7711108385886975563\n"
        "Database cluster state: " +
        std::string(name) + "\n");
    EXPECT_EQ(data->state, state) << name;
  }
}

// Trap 114.
TEST(ControlDataText, IsRefusedWhenDamagedOrForeign) {
  const std::string good = recorded_15;
  EXPECT_FALSE(parse_control_data(""));
  EXPECT_FALSE(parse_control_data("Datenbanksystemidentifikation: 7711108385886975563\n"));
  EXPECT_FALSE(parse_control_data(
      "WARNING: Calculated CRC checksum does not match value stored in file.\n" + good));
  EXPECT_FALSE(
      parse_control_data("Database system identifier: abc\nDatabase cluster state: shut down\n"));
}

}  // namespace
}  // namespace tanist::postgres

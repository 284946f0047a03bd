// SPDX-License-Identifier: Apache-2.0
// pg_waldump's texts: recorded from 15; the other versions' from their sources.
#include "postgres/wal_inspection.h"

#include <gmock/gmock.h>

namespace tanist::postgres {
namespace {

constexpr const char* shutdown_15 =
    "rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/02000028, prev "
    "0/0177A5A8, desc: CHECKPOINT_SHUTDOWN redo 0/2000028; tli 1; prev tli 1; fpw true; xid 0:725; "
    "oid 16387; multi 1; offset 0; oldest xid 716 in DB 1; oldest multi 1 in DB 1; oldest/newest "
    "commit timestamp xid: 0/0; oldest running xid 0; shutdown\n";
constexpr const char* switch_15 =
    "rmgr: XLOG        len (rec/tot):     24/    24, tx:          0, lsn: 0/0177A5A8, prev "
    "0/0177A530, desc: SWITCH \n";
constexpr const char* commit_15 =
    "rmgr: Transaction len (rec/tot):     34/    34, tx:        725, lsn: 0/02012980, prev "
    "0/02012940, desc: COMMIT 2026-11-22 21:19:01.849508 UTC\n";

Lsn lsn(std::string_view text) { return *parse_lsn(text); }

TEST(WalRecords, AreReadFromTheirLines) {
  const auto records =
      parse_wal_records(std::string("noise\n") + shutdown_15 + switch_15 + commit_15);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].manager, "XLOG");
  EXPECT_EQ(records[0].lsn, lsn("0/2000028"));
  EXPECT_EQ(records[0].previous, lsn("0/177A5A8"));
  EXPECT_TRUE(records[0].is_shutdown_checkpoint());
  EXPECT_FALSE(records[0].is_segment_switch());
  EXPECT_TRUE(records[1].is_segment_switch());
  EXPECT_FALSE(records[2].is_shutdown_checkpoint());
}

TEST(WalRecords, AnOnlineCheckpointIsNoShutdown) {
  const auto records = parse_wal_records(
      "rmgr: XLOG        len (rec/tot):    114/   114, tx:          0, lsn: 0/01529BC8, prev "
      "0/01529B90, desc: CHECKPOINT_ONLINE redo 0/1529B90; tli 1; online\n"
      "rmgr: XLOG        len (rec/tot):     24/    24, tx: 0, lsn: 0/1, prev 0/0, desc: xlog "
      "switch\n");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_FALSE(records[0].is_shutdown_checkpoint());
  EXPECT_TRUE(records[1].is_segment_switch());
}

TEST(WalRecords, BrokenLinesAreSkipped) {
  EXPECT_THAT(
      parse_wal_records("rmgr: XLOG lsn: x/y, prev 0/1, desc: a\nrmgr: XLOG lsn: 0/1, prev 0/0\n"),
      testing::IsEmpty());
}

// Trap 169.
TEST(CheckpointEnd, IsReadFromTheErrorOfEveryVersion) {
  for (const auto* error : {"pg_waldump: fatal: error in WAL record at 0/2000028: invalid record "
                            "length at 0/20000A0: wanted 24, got 0\n",
                            "pg_waldump: error: error in WAL record at 0/2000028: invalid record "
                            "length at 0/20000A0: wanted 24, got 0\n",
                            "pg_waldump: error: error in WAL record at 0/2000028: invalid record "
                            "length at 0/20000A0: expected at least 24, got 0\n",
                            "pg_waldump: error: error in WAL record at 0/02000028: invalid record "
                            "length at 0/020000A0: expected at least 24, got 0\n"}) {
    EXPECT_EQ(checkpoint_end(lsn("0/2000028"), shutdown_15, error), lsn("0/20000A0")) << error;
  }
}

TEST(CheckpointEnd, IsUnknownWhenAnythingIsOdd) {
  const std::string error =
      "pg_waldump: error: error in WAL record at 0/2000028: invalid record length at 0/20000A0: "
      "wanted 24, got 0\n";
  const auto at = lsn("0/2000028");
  EXPECT_EQ(checkpoint_end(at, std::string(shutdown_15) + commit_15, error), Lsn());
  EXPECT_EQ(checkpoint_end(at, "", error), Lsn());
  EXPECT_EQ(checkpoint_end(at, commit_15, error), Lsn());
  EXPECT_EQ(checkpoint_end(at, shutdown_15, ""), Lsn());
  EXPECT_EQ(checkpoint_end(at, shutdown_15, error + error), Lsn());
  EXPECT_EQ(checkpoint_end(at, shutdown_15, "pg_waldump: error: could not find file \"x\"\n"),
            Lsn());
  EXPECT_EQ(checkpoint_end(
                at, shutdown_15,
                "pg_waldump: error: error in WAL record at 0/2000028: invalid magic number 0000 "
                "in log segment 000000010000000000000003, offset 0\n"),
            Lsn());
}

TEST(WalReadingEnds, NameAPositionOrAPage) {
  const auto one = [](const char* line) { return parse_wal_reading_ends(line).at(0); };
  EXPECT_EQ(one("pg_waldump: error: error in WAL record at 0/12980: invalid record length at "
                "0/129A8: wanted 24, got 0")
                .position,
            lsn("0/129A8"));
  EXPECT_EQ(one("pg_waldump: error: error in WAL record at 0/12980: record with incorrect "
                "prev-link 0/5 at 0/129A8")
                .position,
            lsn("0/129A8"));
  EXPECT_EQ(one("pg_waldump: error: error in WAL record at 0/12980: invalid resource manager ID 55 "
                "at 0/129A8")
                .position,
            lsn("0/129A8"));
  const auto page =
      one("pg_waldump: error: error in WAL record at 0/12980: unexpected pageaddr 0/1000000 in log "
          "segment 000000010000000000000003, offset 8192");
  EXPECT_EQ(page.position, std::nullopt);
  EXPECT_EQ(page.segment, "000000010000000000000003");
  EXPECT_EQ(page.offset, 8192U);
  const auto page_16 =
      one("pg_waldump: error: error in WAL record at 0/12980: unexpected pageaddr 0/1000000 in WAL "
          "segment 000000010000000000000003, LSN 0/3002000, offset 8192");
  EXPECT_EQ(page_16.segment, "000000010000000000000003");
  EXPECT_EQ(page_16.offset, 8192U);
}

TEST(WalReadingEnds, OtherErrorsAreNone) {
  EXPECT_THAT(
      parse_wal_reading_ends("pg_waldump: error: could not find file \"x\": No such file\n\n"),
      testing::IsEmpty());
  EXPECT_THAT(
      parse_wal_reading_ends("error in WAL record at nowhere: x\nerror in WAL record at 0/1"),
      testing::IsEmpty());
}

TEST(SegmentStart, IsReadFromTheFilesName) {
  EXPECT_EQ(segment_start("000000010000000000000003", 16 << 20), lsn("0/3000000"));
  EXPECT_EQ(segment_start("0000000A00000002000000FF", 16 << 20), lsn("2/FF000000"));
  EXPECT_EQ(segment_start("00000001000000010000003F", 64 << 20), lsn("1/FC000000"));
  EXPECT_EQ(segment_start("00000001000000000000000G", 16 << 20), std::nullopt);
  EXPECT_EQ(segment_start("00000002.history", 16 << 20), std::nullopt);
}

}  // namespace
}  // namespace tanist::postgres

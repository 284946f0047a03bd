// SPDX-License-Identifier: Apache-2.0
// Commands of the archive and what they are run for.
#include "postgres/archive.h"

#include <gmock/gmock.h>

namespace tanist::postgres {
namespace {

using testing::ElementsAre;

TEST(Archive, CommandsGetPathAndFileAndKeepOtherPercentSigns) {
  EXPECT_EQ(expand_wal_command("cp %p /a/%f %r %% %x %", "/d/pg_wal/S", "S"),
            "cp /d/pg_wal/S /a/S 000000010000000000000001 % %x %");
}

TEST(Archive, OnlySegmentsAreWaitingAndInOrder) {
  EXPECT_THAT(segments_waiting({"000000010000000000000003.ready", "00000002.history.ready",
                                "000000010000000000000001.done",
                                "000000010000000000000002.partial.ready", "x.ready", ".ready"}),
              ElementsAre("000000010000000000000002.partial", "000000010000000000000003"));
}

TEST(Archive, FindsTheSegmentThatPgRewindLacks) {
  EXPECT_EQ(missing_segment("pg_rewind: error: could not open file "
                            "\"/d/pg_wal/000000010000000000000002\": No such file or directory"),
            "000000010000000000000002");
  EXPECT_EQ(missing_segment("could not open file \"/d/pg_wal/x\": y"), std::nullopt);
  EXPECT_EQ(missing_segment("could not open file \"/d/pg_wal/00000001"), std::nullopt);
}

}  // namespace
}  // namespace tanist::postgres

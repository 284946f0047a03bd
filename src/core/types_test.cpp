// SPDX-License-Identifier: Apache-2.0
// Text forms of positions, identifiers and slot names.
#include "core/types.h"

#include <gtest/gtest.h>

namespace tanist {
namespace {

TEST(Lsn, IsWrittenAsPostgresWritesIt) {
  EXPECT_EQ(to_text(Lsn(0)), "0/0");
  EXPECT_EQ(to_text(Lsn(0x5000060)), "0/5000060");
  EXPECT_EQ(to_text(Lsn(0xABCDEF0123456789)), "ABCDEF01/23456789");
}

TEST(Lsn, IsReadInEitherCase) {
  EXPECT_EQ(parse_lsn("0/5000060"), Lsn(0x5000060));
  EXPECT_EQ(parse_lsn("abcdef01/23456789"), Lsn(0xABCDEF0123456789));
  EXPECT_EQ(parse_lsn("FFFFFFFF/FFFFFFFF"), Lsn(0xFFFFFFFFFFFFFFFF));
}

TEST(Lsn, AnythingElseIsRefused) {
  for (const auto* text :
       {"", "/", "0", "0/", "/0", "x/0", "0/0/0", "1FFFFFFFF/0", "-1/0", " 0/0", "0/0 ", "0x1/0"}) {
    const auto lsn = parse_lsn(text);
    ASSERT_FALSE(lsn) << text;
    EXPECT_EQ(lsn.error().code, Errc::invalid);
  }
}

TEST(SystemId, HasTenDigitsAtLeast) {
  EXPECT_TRUE(is_valid(SystemId("7415318112345678901")));
  EXPECT_TRUE(is_valid(SystemId("1234567890")));
  for (const auto* text : {"", "123456789", "12345678901a", "-1234567890"}) {
    EXPECT_FALSE(is_valid(SystemId(text))) << text;
  }
}

TEST(SlotName, FollowsTheMemberName) {
  EXPECT_EQ(slot_name_of(MemberName("pg-1.Example_Org")), "pg_1_example_org");
  EXPECT_EQ(slot_name_of(MemberName("a b")), "au0032b");
  EXPECT_EQ(slot_name_of(MemberName("\xC3\xA9")), "u0233");
  EXPECT_EQ(slot_name_of(MemberName("\xF0\x9F\x98\x80")), "u128512");
  EXPECT_EQ(slot_name_of(MemberName(std::string(70, 'a'))), std::string(63, 'a'));
  EXPECT_EQ(slot_name_of(MemberName("\xFF\xC3")), "u0255u0195");
}

TEST(ServerState, KeepsItsPlaceInTheMetric) {
  EXPECT_EQ(static_cast<int>(ServerState::running), 5);
  EXPECT_EQ(static_cast<int>(ServerState::crashed), 14);
  EXPECT_EQ(name_of(ServerState::creating_replica), "creating replica");
}

}  // namespace
}  // namespace tanist

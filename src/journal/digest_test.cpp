// SPDX-License-Identifier: Apache-2.0
// The digests of changes of leadership: their format in the store, and their bounds.
#include "journal/digest.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tanist::journal {
namespace {

Incident lost_leader() {
  Incident incident;
  incident.at = "2026-11-26T13:00:10.123456+00:00";
  incident.reign = Revision(1234);
  incident.old_leader = MemberName("n1");
  incident.new_leader = MemberName("n2");
  incident.cause = Cause::silence;
  incident.phases.lease = 4870;
  incident.phases.race = 38;
  incident.phases.promote = 210;
  incident.phases.routing = 190;
  incident.writable = true;
  incident.timeline = Timeline(4);
  incident.taken_over_at = Lsn(67108864);
  incident.published = Lsn(67108864);
  incident.evidence = {"the lock of n1 ended without a release"};
  incident.voices = {{MemberName("n2"), "took the lock"}};
  return incident;
}

// Golden (docs/store-format.md): members of other versions have written, and will read, this.
TEST(Digests, KeepTheirFormatInTheStore) {
  constexpr auto* text =
      R"([{"at":"2026-11-26T13:00:10.123456+00:00","reign":1234,"old_leader":"n1",)"
      R"("new_leader":"n2","cause":"silence","phases":{"lease_ms":4870,)"
      R"("lease_is_estimated":false,"race_ms":38,"promote_ms":210,"routing_ms":190},)"
      R"("writable":true,"timeline":4,"taken_over_at":67108864,"published":67108864,)"
      R"("evidence":["the lock of n1 ended without a release"],)"
      R"("voices":[{"member":"n2","text":"took the lock"}]}])";
  EXPECT_EQ(with_digest(Tree(), lost_leader()), text);
  const auto read = digests_in(*parse_json(text));
  ASSERT_EQ(read.size(), 1U);
  EXPECT_EQ(read[0], lost_leader());
}

TEST(Digests, OneOfAReignReplacesTheOther) {
  auto incident = lost_leader();
  const auto once = with_digest(Tree(), incident);
  incident.phases.routing = 7;
  const auto twice = digests_in(*parse_json(with_digest(*parse_json(once), incident)));
  ASSERT_EQ(twice.size(), 1U);
  EXPECT_EQ(twice[0], incident);
}

TEST(Digests, AreBoundedInNumberAndSize) {
  auto incident = lost_leader();
  incident.evidence.assign(100, std::string(10'000, 'x'));
  std::string text = "null";
  for (int i = 1; i <= 50; ++i) {
    incident.reign = Revision(i);
    text = with_digest(*parse_json(text), incident);
    ASSERT_LE(text.size(), digests_bytes_max);
  }
  const auto digests = digests_in(*parse_json(text));
  EXPECT_LE(digests.size(), digests_max);
  EXPECT_GE(digests.size(), 5U);
  EXPECT_EQ(digests.back().reign, Revision(50));
}

TEST(Digests, WhatOthersWroteBadlyIsLeftOut) {
  EXPECT_TRUE(digests_in(*parse_json(R"({"a":1})")).empty());
  EXPECT_TRUE(digests_in(*parse_json(R"([1,{},{"reign":"x"}])")).empty());
}

}  // namespace
}  // namespace tanist::journal

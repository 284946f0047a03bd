// SPDX-License-Identifier: Apache-2.0
// Evidence that WAL arrives at a replica.
#include "core/receiving.h"

#include <gtest/gtest.h>

#include "tests/support/given.h"

namespace tanist {
namespace {

using testing::at_ms;
using testing::Given;

constexpr Duration ttl = seconds(30);

// A replica whose receiver is gone, behind what the leader has published.
Observation silent_replica(Instant now = at_ms(0)) {
  Given given("b");
  given.optime(0x4000000);
  auto obs = given.build();
  obs.now = now;
  obs.local.server.query->receiver_status.clear();
  return obs;
}

class Evidence : public ::testing::Test {
 protected:
  // The position that silent_replica() has is no news from here on.
  Evidence() { receiving_.look(silent_replica()); }

  bool renews(const Observation& obs) {
    const auto before = receiving_.until();
    receiving_.look(obs);
    return receiving_.until() > before;
  }

  Receiving receiving_;
};

TEST_F(Evidence, NothingReceivedIsNone) {
  EXPECT_EQ(receiving_.until(), at_ms(0) + ttl);  // the first position was news
  EXPECT_FALSE(renews(silent_replica(at_ms(5000))));
}

TEST_F(Evidence, StreamingIsOne) {
  auto obs = silent_replica(at_ms(5000));
  obs.local.server.query->receiver_status = "streaming";
  EXPECT_TRUE(renews(obs));
  EXPECT_EQ(receiving_.until(), at_ms(5000) + ttl);
}

TEST_F(Evidence, WaitingForWalIsNone) {
  auto obs = silent_replica(at_ms(5000));
  obs.local.server.query->receiver_status = "waiting";
  EXPECT_FALSE(renews(obs));
}

TEST_F(Evidence, PositionThatMovesIsOne) {
  auto obs = silent_replica(at_ms(5000));
  obs.local.server.query->replayed = Lsn(0x3000100);
  EXPECT_TRUE(renews(obs));
  EXPECT_FALSE(renews(obs));
}

TEST_F(Evidence, HavingAllThatTheLeaderPublishedIsOne) {
  Given given("b");
  given.optime(0x3000000);
  auto obs = given.build();
  obs.now = at_ms(5000);
  obs.local.server.query->receiver_status.clear();
  EXPECT_TRUE(renews(obs));
}

TEST_F(Evidence, WithoutAKnownLeaderSilenceProvesNothing) {
  Given given("b");
  given.optime(0x4000000).unlocked();
  auto obs = given.build();
  obs.now = at_ms(5000);
  obs.local.server.query->receiver_status.clear();
  EXPECT_TRUE(renews(obs));
  obs = silent_replica(at_ms(6000));
  obs.store.current = false;
  EXPECT_TRUE(renews(obs));
}

TEST_F(Evidence, FromAnArchiveLastsFiveMinutes) {
  auto obs = silent_replica(at_ms(5000));
  obs.local.server.query->restore_command = "cp /archive/%f %p";
  obs.local.server.query->replayed = Lsn(0x3000100);
  EXPECT_TRUE(renews(obs));
  EXPECT_EQ(receiving_.until(), at_ms(5000) + std::chrono::minutes(5));
}

TEST_F(Evidence, ServerThatDoesNotAnswerGivesNone) {
  auto obs = silent_replica(at_ms(5000));
  obs.local.server.query.reset();
  EXPECT_FALSE(renews(obs));
}

}  // namespace
}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Which ttl a member works with: what etcd and its neighbours allow (safety 1.6 and 6).
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/loop/loop.h"
#include "tests/support/given.h"

namespace tanist::agent {
namespace {

using testing::at_ms;
using testing::Given;

// A member of a cluster whose `config` key asks for the shortest lease.
class ShortLease {
 public:
  ShortLease() : loop_(*Loop::make(start(), at_ms(0))) { world_.view().config->value = config(); }

  static Tree config(int ttl = 3) {
    return Tree::map({{"ttl", ttl}, {"loop_wait", 1}, {"retry_timeout", 1}});
  }
  void election_timeout(Duration timeout, std::int64_t ms) {
    StoreHealth health;
    health.view_current = true;
    health.election_timeout = timeout;
    step(HealthChanged{health}, ms);
  }
  void show_view(std::int64_t ms) {
    step(ViewArrived{std::make_shared<const ClusterView>(world_.view())}, ms);
  }
  void show_ttl(int ttl, std::int64_t ms) {
    auto& key = *world_.view().config;
    key.value = config(ttl);
    key.revision = Revision(key.revision.value() + 1);
    show_view(ms);
  }
  void come_by(std::int64_t ms) { step(TimerFired{}, ms); }
  std::int64_t ttl() const { return loop_.observation().timing.ttl.count(); }
  std::size_t warnings() const { return warnings_; }

  Given world_{"b"};

 private:
  static LoopStart start() {
    LoopStart start;
    start.node.name = MemberName("b");
    start.node.api_url = Given::api_of("b");
    start.node.conn_url = Given::url_of("b");
    start.config = config();
    return start;
  }
  void step(const Event& event, std::int64_t ms) {
    for (const auto& line : loop_.step(event, at_ms(ms), WallTime()).log) {
      warnings_ += line.text.find("is not safe") != std::string::npos ? 1 : 0;
    }
  }

  Loop loop_;
  std::size_t warnings_ = 0;
};

TEST(ShortLeases, ThreeSecondsAreSafeBesideAFastEtcd) {
  ShortLease member;
  member.show_view(0);
  member.election_timeout(milliseconds(500), 10);
  EXPECT_EQ(member.ttl(), 3);
  EXPECT_EQ(member.warnings(), 0U);
}

TEST(ShortLeases, ASlowEtcdRaisesThemAndIsNamedOnce) {
  ShortLease member;
  member.show_view(0);
  EXPECT_EQ(member.ttl(), 3);  // not known yet
  member.election_timeout(seconds(1), 10);
  EXPECT_EQ(member.ttl(), 4);
  member.show_view(20);
  member.election_timeout(seconds(1), 30);
  EXPECT_EQ(member.ttl(), 4);
  EXPECT_EQ(member.warnings(), 1U);
}

TEST(ShortLeases, APatroniMemberMakesItsMinimaCountUntilItIsLongGone) {
  ShortLease member;
  member.show_view(0);
  member.election_timeout(milliseconds(500), 10);
  auto& neighbour = member.world_.view().members.begin()->second;
  const auto version = neighbour.tanist_version;
  neighbour.tanist_version.clear();
  member.show_view(1'000);
  EXPECT_EQ(member.ttl(), 20);
  neighbour.tanist_version = version;
  member.show_view(20'900);
  EXPECT_EQ(member.ttl(), 20);
  member.show_view(21'100);
  EXPECT_EQ(member.ttl(), 3);
}

// Safety 6: who waits for the end of another's lease may not count on the shorter one yet.
TEST(LoweredTtl, CountsOneOldTtlLaterForWhoDoesNotLead) {
  ShortLease member;
  member.election_timeout(milliseconds(500), 0);
  member.show_view(0);
  member.show_ttl(30, 1'000);
  EXPECT_EQ(member.ttl(), 30);  // longer at once
  member.show_ttl(5, 2'000);
  EXPECT_EQ(member.ttl(), 30);
  member.come_by(31'900);
  EXPECT_EQ(member.ttl(), 30);
  member.come_by(32'000);
  EXPECT_EQ(member.ttl(), 5);
}

}  // namespace
}  // namespace tanist::agent

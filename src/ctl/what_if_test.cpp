// SPDX-License-Identifier: Apache-2.0
// Who would take over, and why the others would not, one sentence a test.
#include "ctl/what_if.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/support/given.h"

namespace tanist::ctl {
namespace {

using testing::Given;

class WhatIfTest : public ::testing::Test {
 protected:
  WhatIfTest() {
    given_.optime(0x3000000);
    status_["a"] = R"({"state":"running","role":"primary","timeline":1,)"
                   R"("xlog":{"location":50331748}})";  // 0/3000064
    replica("b", 0x3000064);
    replica("c", 0x3000000);
  }
  void replica(const std::string& name, std::uint64_t position, const std::string& tags = "{}") {
    status_[name] = R"({"state":"running","role":"replica","timeline":1,"tags":)" + tags +
                    R"(,"xlog":{"received_location":)" + std::to_string(position) +
                    R"(,"replayed_location":)" + std::to_string(position) + "}}";
    given_.member(name).tags = tags_from(*parse_json(tags));
  }
  WhatIf ask(const std::string& failing) {
    LiveCluster cluster;
    cluster.reading = {"demo", std::make_shared<const ClusterView>(given_.view()), settings_};
    for (const auto& [name, body] : status_) {
      cluster.status.emplace(MemberName(name), *parse_json(body));
    }
    cluster.incidents = incidents_;
    return what_if(cluster, MemberName(failing));
  }
  static const Prospect& of(const WhatIf& answer, const std::string& name) {
    return *std::ranges::find(answer.prospects, MemberName(name), &Prospect::member);
  }

  Given given_{"a"};
  ClusterSettings settings_;
  std::map<std::string, std::string> status_;
  std::vector<journal::Incident> incidents_;
};

TEST_F(WhatIfTest, WhoHasMostTakesOver) {
  const auto answer = ask("a");
  EXPECT_TRUE(answer.is_leader);
  EXPECT_TRUE(of(answer, "b").takes_over);
  EXPECT_FALSE(of(answer, "c").takes_over);
  EXPECT_EQ(of(answer, "c").why, "Wal position of b is ahead of my wal position");
  EXPECT_EQ(answer.prospects.front().member, MemberName("b"));
}

TEST_F(WhatIfTest, EqualsMayBothTakeOver) {
  replica("c", 0x3000064);
  const auto answer = ask("a");
  EXPECT_TRUE(of(answer, "b").takes_over);
  EXPECT_TRUE(of(answer, "c").takes_over);
  EXPECT_NE(to_text(answer).find("b or c"), std::string::npos);
}

TEST_F(WhatIfTest, PriorityDecidesAmongEquals) {
  replica("c", 0x3000064, R"({"failover_priority":2})");
  const auto answer = ask("a");
  EXPECT_FALSE(of(answer, "b").takes_over);
  EXPECT_TRUE(of(answer, "c").takes_over);
}

TEST_F(WhatIfTest, TagsForbid) {
  replica("b", 0x3000064, R"({"nofailover":true})");
  const auto answer = ask("a");
  EXPECT_EQ(of(answer, "b").why, "its tags forbid it (nofailover, or failover_priority 0)");
  EXPECT_TRUE(of(answer, "c").takes_over);
}

TEST_F(WhatIfTest, LagForbids) {
  given_.optime(0x3000000 + 2 * 1048576);
  const auto answer = ask("a");
  EXPECT_EQ(of(answer, "b").why, "My wal position exceeds maximum replication lag");
  EXPECT_NE(to_text(answer).find("takes over  nobody"), std::string::npos);
}

TEST_F(WhatIfTest, OnlySynchronousMembersTakeOver) {
  settings_.synchronous_mode = SynchronousMode::priority;
  given_.sync_key("a", {"c"});
  const auto answer = ask("a");
  EXPECT_FALSE(of(answer, "b").takes_over);
  EXPECT_EQ(of(answer, "b").why, "it is not listed as synchronous in the store");
  EXPECT_TRUE(of(answer, "c").takes_over);
  EXPECT_TRUE(answer.keeps_acknowledged);
}

TEST_F(WhatIfTest, SilentMembersAreNotCountedOn) {
  status_.erase("b");
  const auto answer = ask("a");
  EXPECT_FALSE(of(answer, "b").takes_over);
  EXPECT_TRUE(of(answer, "c").takes_over);
}

TEST_F(WhatIfTest, ALivingPrimaryElsewhereStopsAll) {
  status_["b"] = status_["a"];
  EXPECT_FALSE(of(ask("a"), "c").takes_over);
}

TEST_F(WhatIfTest, InPauseNobodyTakesOver) {
  settings_.pause = true;
  const auto answer = ask("a");
  EXPECT_FALSE(of(answer, "b").takes_over);
  ASSERT_FALSE(answer.remarks.empty());
}

TEST_F(WhatIfTest, LossIsWhatTheSuccessorLacks) {
  EXPECT_EQ(ask("a").lost_bytes_now, 0U);
  status_.erase("b");
  EXPECT_EQ(ask("a").lost_bytes_now, 0x64U);
}

TEST_F(WhatIfTest, TimeIsTheLeaseAndWhatEarlierChangesTook) {
  const auto guessed = ask("a");
  EXPECT_FALSE(guessed.is_measured);
  EXPECT_GE(guessed.outage_ms_min, 25'000);
  journal::Incident incident;
  incident.cause = journal::Cause::silence;
  incident.phases.race = 40;
  incident.phases.promote = 360;
  incidents_ = {incident};
  const auto measured = ask("a");
  EXPECT_TRUE(measured.is_measured);
  EXPECT_EQ(measured.outage_ms_min, 30'000 - 5'000 + 400);
  EXPECT_EQ(measured.outage_ms_max, 30'000 + 400 + 2'000);
}

TEST_F(WhatIfTest, WithoutAReplicaTheLeaderStays) {
  const auto answer = ask("b");
  EXPECT_FALSE(answer.is_leader);
  EXPECT_TRUE(answer.prospects.empty());
  EXPECT_EQ(to_text(answer), "If b fails now: a stays the leader, nobody takes over.\n");
}

TEST_F(WhatIfTest, TheOnlySynchronousStandbyIsMissed) {
  settings_.synchronous_mode = SynchronousMode::priority;
  given_.sync_key("a", {"b"});
  const auto answer = ask("b");
  ASSERT_EQ(answer.remarks.size(), 1U);
  EXPECT_NE(answer.remarks.front().find("only synchronous standby"), std::string::npos);
}

}  // namespace
}  // namespace tanist::ctl

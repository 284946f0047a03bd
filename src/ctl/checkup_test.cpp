// SPDX-License-Identifier: Apache-2.0
// What `doctor` takes for wrong, rule by rule.
#include "ctl/checkup.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"

namespace tanist::ctl {
namespace {

constexpr const char* sane = R"({"ttl":30,"loop_wait":10,"retry_timeout":10})";

MemberView member(const std::string& name) {
  MemberView out{.name = MemberName(name),
                 .state = ServerState::running,
                 .tanist_version = "0.1.0",
                 .timeline = Timeline(4),
                 .xlog_location = Lsn(1000),
                 .replication_state = name == "a1" ? "" : "streaming"};
  out.data = Tree::map();
  return out;
}

// a1 leads, a2 follows.
struct Cluster {
  ClusterView view;
  Cluster() {
    config(sane);
    view.leader = LeaderView{.name = MemberName("a1")};
    for (const auto* name : {"a1", "a2"}) view.members[MemberName(name)] = member(name);
    view.status = StatusView{.optime = Lsn(1000)};
  }
  void config(std::string_view text) { view.config = ConfigView{*parse_json(text), true, {}}; }
  MemberView& of(const char* name) { return view.members.at(MemberName(name)); }
  Reading reading() const {
    return {"shop", std::make_shared<ClusterView>(view),
            cluster_settings_from(view.config->value).value_or(ClusterSettings())};
  }
};

std::string gravest(const Findings& findings) {
  const auto at = std::ranges::max_element(findings, {}, &Finding::grade);
  return at == findings.end() ? "nothing" : std::string(name_of(at->grade)) + ": " + at->subject;
}

store::StoreReport store_of(std::vector<store::EndpointReport> endpoints, Duration timeout) {
  return {std::move(endpoints), timeout};
}

TEST(DoctorOnTheStore, AnEndpointThatDoesNotAnswerIsWrong) {
  const auto report = store_of(
      {{.address = "a:1", .version = "3.5.30"}, {.address = "b:1", .trouble = "no answer"}},
      seconds(1));
  EXPECT_EQ(gravest(judge_store(report)), "wrong: etcd b:1");
}

TEST(DoctorOnTheStore, DifferentVersionsAreAWarning) {
  const auto report =
      store_of({{.address = "a:1", .version = "3.5.30"}, {.address = "b:1", .version = "3.5.29"}},
               seconds(1));
  EXPECT_EQ(gravest(judge_store(report)), "warning: etcd");
}

TEST(DoctorOnTheStore, AnAlarmIsWrongAndABadVersionAWarning) {
  store::EndpointReport bad{.address = "a:1", .warnings = {"etcd 3.4.23 may ..."}};
  const store::EndpointReport good{.address = "b:1"};
  EXPECT_EQ(gravest(judge_store(store_of({bad, good}, seconds(1)))), "warning: etcd a:1");
  bad.warnings = {"etcd reports memberID:1 alarm:NOSPACE"};
  EXPECT_EQ(gravest(judge_store(store_of({bad, good}, seconds(1)))), "wrong: etcd a:1");
}

TEST(DoctorOnTimes, ATtlThatTheElectionTimeoutMakesUnsafeIsWrong) {
  Cluster cluster;
  EXPECT_EQ(gravest(judge_timing(store_of({}, seconds(1)), cluster.reading())), "ok: setting ttl");
  // ttl/6 + 2 ET + 1.3 s = 3.8 s
  cluster.config(R"({"ttl":3,"loop_wait":1,"retry_timeout":1})");
  EXPECT_EQ(gravest(judge_timing(store_of({}, seconds(1)), cluster.reading())),
            "wrong: setting ttl");
  EXPECT_EQ(gravest(judge_timing(store_of({}, milliseconds(500)), cluster.reading())),
            "ok: setting ttl");
}

TEST(DoctorOnCertificates, ExpiredAndSoonExpiringOnesAreWrong) {
  const WallTime now = parse_timestamp("2031-05-01T00:00:00Z")->time;
  CertificateFile file{.setting = "restapi.certfile",
                       .path = "/x.crt",
                       .from = now - std::chrono::days(10),
                       .until = now + std::chrono::days(31)};
  const auto judged = [&] { return judge_certificates({file}, now, std::chrono::days(30))[0]; };
  EXPECT_EQ(judged().grade, Grade::good);
  file.until = now + std::chrono::days(29);
  EXPECT_EQ(judged().grade, Grade::wrong);
  file.until = now;
  EXPECT_NE(judged().text.find("expired on 2031-05-01"), std::string::npos) << judged().text;
  file.until = now + std::chrono::days(300);
  file.from = now + std::chrono::days(1);
  EXPECT_EQ(judged().grade, Grade::wrong);
}

TEST(DoctorOnSettings, ASaneDocumentIsGood) {
  EXPECT_EQ(gravest(judge_settings(Cluster().reading())), "ok: dynamic configuration");
}

TEST(DoctorOnSettings, WrongTypesAndTimesThatDoNotFitAreWrong) {
  Cluster cluster;
  cluster.config(R"({"ttl":30,"maximum_lag_on_failover":"much"})");
  EXPECT_EQ(gravest(judge_settings(cluster.reading())), "wrong: setting maximum_lag_on_failover");
  cluster.config(R"({"ttl":20,"loop_wait":10,"retry_timeout":10})");
  EXPECT_EQ(gravest(judge_settings(cluster.reading())), "wrong: dynamic configuration");
  cluster.view.config.reset();
  EXPECT_EQ(gravest(judge_settings({"shop", std::make_shared<ClusterView>(cluster.view), {}})),
            "wrong: dynamic configuration");
}

TEST(DoctorOnSettings, APauseIsAWarning) {
  Cluster cluster;
  cluster.config(R"({"ttl":30,"pause":true})");
  EXPECT_EQ(gravest(judge_settings(cluster.reading())), "warning: setting pause");
}

TEST(DoctorOnSettings, StrictModeWithoutEnoughReplicasIsWrong) {
  Cluster cluster;
  cluster.config(
      R"({"synchronous_mode":true,"synchronous_mode_strict":true,"synchronous_node_count":2})");
  EXPECT_EQ(gravest(judge_settings(cluster.reading())), "wrong: setting synchronous_node_count");
}

TEST(DoctorOnReplication, AHealthyClusterIsGood) {
  EXPECT_EQ(gravest(judge_replication(Cluster().reading())).substr(0, 3), "ok:");
}

TEST(DoctorOnReplication, NoLeaderIsWrong) {
  Cluster cluster;
  cluster.view.leader.reset();
  EXPECT_EQ(gravest(judge_replication(cluster.reading())), "wrong: leader");
}

TEST(DoctorOnReplication, AnotherTimelineTooMuchLagAndAStoppedServerAreWrong) {
  for (const auto harm : {+[](MemberView& replica) { replica.timeline = Timeline(3); },
                          +[](MemberView& replica) { replica.state = ServerState::stopped; }}) {
    Cluster cluster;
    harm(cluster.of("a2"));
    EXPECT_EQ(gravest(judge_replication(cluster.reading())), "wrong: replication to a2");
  }
  Cluster cluster;
  cluster.view.status->optime = Lsn(1000 + 1048576 + 1);
  EXPECT_EQ(gravest(judge_replication(cluster.reading())), "wrong: replication to a2");
}

TEST(DoctorOnReplication, NobodyWhoCouldTakeOverIsWrong) {
  Cluster cluster;
  cluster.of("a2").tags = tags_from(*parse_json(R"({"nofailover":true})"));
  EXPECT_EQ(gravest(judge_replication(cluster.reading())), "wrong: failover");
}

TEST(DoctorOnReplication, WhatWaitsForARestartIsAWarning) {
  Cluster cluster;
  cluster.of("a2").pending_restart = true;
  EXPECT_EQ(gravest(judge_replication(cluster.reading())), "warning: member a2");
}

TEST(DoctorOnMembers, ClocksThatDifferAreAWarning) {
  MemberAnswer answer{
      .document = Tree::map(), .clock_ahead = seconds(2), .uncertainty = milliseconds(500)};
  EXPECT_EQ(gravest(judge_member(member("a1"), answer)), "ok: member a1");
  answer.clock_ahead = -seconds(3);
  EXPECT_EQ(gravest(judge_member(member("a1"), answer)), "warning: member a1");
}

TEST(DoctorOnMembers, SilenceAndAStrangerAtTheAddressAreWrong) {
  EXPECT_EQ(gravest(judge_member(member("a1"), {.trouble = "refused"})), "wrong: member a1");
  const auto stranger = Tree::map({{"patroni", Tree::map({{"name", "a2"}})}});
  EXPECT_EQ(gravest(judge_member(member("a1"), {.document = stranger})), "wrong: member a1");
}

TEST(DoctorOnVersions, DifferentMajorVersionsAreWrong) {
  const auto answers = [](int first, int second) {
    return std::map<MemberName, MemberAnswer>{
        {MemberName("a1"), {.document = Tree::map({{"server_version", first}})}},
        {MemberName("a2"), {.document = Tree::map({{"server_version", second}})}}};
  };
  EXPECT_EQ(gravest(judge_versions(answers(150004, 150004))), "nothing");
  EXPECT_EQ(gravest(judge_versions(answers(150004, 150005))), "warning: versions");
  EXPECT_EQ(gravest(judge_versions(answers(150004, 160000))), "wrong: versions");
}

TEST(HttpDate, IsRead) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            parse_timestamp("1994-11-06T08:49:37Z")->time);
  EXPECT_EQ(parse_http_date("Sun, 06 Foo 1994 08:49:37 GMT"), std::nullopt);
  EXPECT_EQ(parse_http_date(""), std::nullopt);
}

}  // namespace
}  // namespace tanist::ctl

// SPDX-License-Identifier: Apache-2.0
// `GET /metrics` (contract rest 10): names, order, types and labels as dashboards know them.
#include "rest/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <vector>

namespace tanist::rest {
namespace {

constexpr std::string_view labels = R"({scope="demo",name="n1"})";

Status replica() {
  Status status;
  status.document = Tree::map(
      {{"xlog", Tree::map({{"received_location", std::int64_t{67108864}},
                           {"replayed_location", std::int64_t{67108000}},
                           {"paused", false}})},
       {"patroni", Tree::map({{"version", "4.1.4"}, {"scope", "demo"}, {"name", "n1"}})}});
  status.state = ServerState::running;
  status.role = Role::replica;
  status.server_version = 160004;
  status.replication_state = "streaming";
  status.postmaster_start_time = 1657656955.179243;
  status.replayed_timestamp = 1657656960;
  status.timeline = Timeline(7);
  status.store_last_seen = 1657656999;
  status.cluster_unlocked = false;
  return status;
}

std::string metrics_of(const Status& status, const ServerCounters& counters = {},
                       const Figures& figures = {}) {
  return render_metrics({status, counters, figures});
}

// The sample lines, without their labels: "name value".
std::vector<std::string> samples(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#")) continue;
    const auto at = line.find(labels);
    if (at != std::string::npos) line.erase(at, labels.size());
    out.push_back(line);
  }
  return out;
}

TEST(Metrics, AllKnownSeriesComeFirstAndInOrder) {
  const std::vector<std::string> expected{
      "patroni_version 040104",
      "patroni_postgres_running 1",
      "patroni_postmaster_start_time 1657656955.179243",
      "patroni_primary 0",
      "patroni_xlog_location 0",
      "patroni_standby_leader 0",
      "patroni_replica 1",
      "patroni_sync_standby 0",
      "patroni_quorum_standby 0",
      "patroni_xlog_received_location 67108864",
      "patroni_xlog_replayed_location 67108000",
      "patroni_xlog_replayed_timestamp 1657656960",
      "patroni_xlog_paused 0",
      "patroni_postgres_streaming 1",
      "patroni_postgres_in_archive_recovery 0",
      "patroni_postgres_server_version 160004",
      "patroni_cluster_unlocked 0",
      "patroni_failsafe_mode_is_active 0",
      "patroni_failsafe_mode_enabled 0",
      "patroni_failsafe_member 0",
      "patroni_postgres_timeline 7",
      "patroni_dcs_last_seen 1657656999",
      "patroni_pending_restart 0",
      "patroni_is_paused 0",
      "patroni_postgres_state 5",
      "patroni_failover_priority 1",
  };
  auto got = samples(metrics_of(replica()));
  ASSERT_GE(got.size(), expected.size());
  got.resize(expected.size());
  EXPECT_EQ(got, expected);
}

TEST(Metrics, FlagsFollowTheStatus) {
  Status status = replica();
  status.document = Tree::map({{"xlog", Tree::map({{"location", std::int64_t{1} << 40}})}});
  status.role = Role::primary;
  status.sync_standby = status.quorum_standby = status.wal_paused = true;
  status.cluster_unlocked = status.failsafe_active = status.failsafe_enabled = true;
  status.failsafe_member = status.pending_restart = status.paused = true;
  status.replication_state = "in archive recovery";
  status.tags.failover_priority = 0;
  const auto text = metrics_of(status);
  for (const std::string name :
       {"primary", "sync_standby", "quorum_standby", "xlog_paused", "postgres_in_archive_recovery",
        "cluster_unlocked", "failsafe_mode_is_active", "failsafe_mode_enabled", "failsafe_member",
        "pending_restart", "is_paused"}) {
    EXPECT_NE(text.find("\npatroni_" + name + "{scope=\"\",name=\"\"} 1\n"), std::string::npos)
        << name;
  }
  EXPECT_NE(text.find("patroni_xlog_location{scope=\"\",name=\"\"} 1099511627776\n"),
            std::string::npos);
  EXPECT_NE(text.find("patroni_postgres_streaming{scope=\"\",name=\"\"} 0\n"), std::string::npos);
  EXPECT_NE(text.find("patroni_failover_priority{scope=\"\",name=\"\"} 0\n"), std::string::npos);
}

TEST(Metrics, EachSeriesIsHelpTypeAndOneSample) {
  const auto text = metrics_of(replica());
  EXPECT_NE(text.find("# TYPE patroni_xlog_location counter\npatroni_xlog_location"),
            std::string::npos);
  EXPECT_NE(text.find("# TYPE patroni_version gauge\npatroni_version"), std::string::npos);
  EXPECT_TRUE(text.starts_with("# HELP patroni_version ")) << text.substr(0, 80);
  EXPECT_TRUE(text.ends_with("\n"));
  EXPECT_FALSE(text.ends_with("\n\n"));
}

TEST(Metrics, StateListsItsValuesBetweenHelpAndType) {
  const auto text = metrics_of(replica());
  const auto values = text.find(
      "# Values: 0=initdb, 1=initdb_failed, 2=custom_bootstrap, 3=custom_bootstrap_failed, "
      "4=creating_replica, 5=running, 6=starting, 7=bootstrap_starting, 8=start_failed, "
      "9=restarting, 10=restart_failed, 11=stopping, 12=stopped, 13=stop_failed, 14=crashed\n"
      "# TYPE patroni_postgres_state gauge\n");
  EXPECT_NE(values, std::string::npos);
  EXPECT_LT(text.find("# HELP patroni_postgres_state"), values);
}

TEST(Metrics, UnknownsAreZeroAndUnknownStateMinusOne) {
  const auto text = metrics_of(Status{});
  EXPECT_NE(text.find("patroni_version{scope=\"\",name=\"\"} 0\n"), std::string::npos);
  EXPECT_NE(text.find("patroni_postmaster_start_time{scope=\"\",name=\"\"} 0\n"),
            std::string::npos);
  EXPECT_NE(text.find("patroni_xlog_received_location{scope=\"\",name=\"\"} 0\n"),
            std::string::npos);
  EXPECT_NE(text.find("patroni_postgres_state{scope=\"\",name=\"\"} -1\n"), std::string::npos);
}

TEST(Metrics, ReplicationStateIsMissingForServersTooOldOrUnknown) {
  auto status = replica();
  status.server_version = 90599;
  const auto text = metrics_of(status);
  EXPECT_EQ(text.find("patroni_postgres_streaming"), std::string::npos);
  EXPECT_EQ(text.find("patroni_postgres_in_archive_recovery"), std::string::npos);
}

TEST(Metrics, LabelsCannotBreakTheFormat) {
  auto status = replica();
  status.document.set("patroni", Tree::map({{"scope", "a\"b\\c\nd"}, {"name", "n"}}));
  EXPECT_NE(metrics_of(status).find(R"({scope="a\"b\\c\nd",name="n"})"), std::string::npos);
}

TEST(Metrics, DocumentsOfAnyShapeAreSurvived) {
  Status status;
  for (const Tree& document :
       {Tree(), Tree(5), Tree::list({1}), Tree::map({{"patroni", 1}, {"xlog", "x"}}),
        Tree::map({{"patroni", Tree::map({{"version", "x..y.99999999999999999999"}})}})}) {
    status.document = document;
    EXPECT_FALSE(metrics_of(status).empty());
  }
}

TEST(Metrics, TheGuardsStateIsANumber) {
  auto status = replica();
  const auto series = std::string("tanist_guard_state{scope=\"demo\",name=\"n1\"} ");
  EXPECT_NE(metrics_of(status).find(series + "0\n"), std::string::npos);
  const std::pair<const char*, const char*> rows[] = {
      {"disarmed", "1\n"}, {"armed", "2\n"}, {"latched", "3\n"}};
  for (const auto& [state, value] : rows) {
    status.document.set("tanist", Tree::map({{"guard", Tree::map({{"state", state}})}}));
    EXPECT_NE(metrics_of(status).find(series + value), std::string::npos) << state;
  }
}

TEST(Metrics, OwnSeriesFollow) {
  const auto text = metrics_of(replica(), {.connections = 3, .requests = 12});
  const auto own = text.find("tanist_rest_requests_total{scope=\"demo\",name=\"n1\"} 12\n");
  EXPECT_NE(own, std::string::npos);
  EXPECT_LT(text.find("patroni_failover_priority"), own);
}

TEST(Metrics, OwnSeriesTellOfLoopStoreAndLease) {
  Figures figures;
  figures.step.add(milliseconds(2));
  figures.cycle.add(milliseconds(10));
  figures.cycle.add(milliseconds(30));
  figures.renewal.add(milliseconds(7));
  figures.renewal.add(milliseconds(5));
  figures.lease_margin_least = milliseconds(12500);
  figures.guard_firings = 2;
  figures.count(Reason::leader_steady);
  figures.count(Reason::leader_steady);
  figures.count(Reason::observing);
  figures.certificate_ends[0] = WallTime(seconds(1800000000));
  const auto status = replica();
  MetricsSource source{status, {}, figures};
  source.lease_margin = milliseconds(20250);
  source.certificate_expires = WallTime(seconds(1900000000));
  const auto got = samples(render_metrics(source));
  for (const std::string line :
       {"tanist_cycle_seconds_last 0.03", "tanist_cycle_seconds_sum 0.04",
        "tanist_cycle_seconds_count 2", "tanist_loop_step_seconds_longest 0.002",
        "tanist_store_renewal_seconds_last 0.005", "tanist_store_renewal_seconds_longest 0.007",
        "tanist_store_renewal_seconds_count 2", "tanist_lease_margin_seconds 20.25",
        "tanist_lease_margin_seconds_least 12.5", "tanist_guard_firings_total 2",
        "tanist_rest_certificate_expiry_seconds 1900000000",
        R"(tanist_certificate_expiry_seconds{scope="demo",name="n1",section="etcd3"} 1800000000)",
        R"(tanist_decisions_total{scope="demo",name="n1",reason="observing"} 1)",
        R"(tanist_decisions_total{scope="demo",name="n1",reason="leader_steady"} 2)"}) {
    EXPECT_EQ(std::ranges::count(got, line), 1) << line;
  }
}

TEST(Metrics, SeriesWithoutAValueAreLeftOut) {
  const auto text = metrics_of(replica());
  for (const auto* name : {"tanist_lease_margin_seconds", "tanist_rest_certificate_expiry_seconds",
                           "section=\"", "reason=\""}) {
    EXPECT_EQ(text.find(name), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace tanist::rest

// SPDX-License-Identifier: Apache-2.0
// Health checks and probes (contract rest 5 and 6, safety 3.6).
#include "rest/health.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tanist::rest {
namespace {

constexpr Instant now{seconds(1000)};
constexpr Moment leased{now, now + seconds(10)};
constexpr Moment unleased{now, std::nullopt};

Status replica() {
  Status status;
  status.state = status.internal_state = ServerState::running;
  status.role = Role::replica;
  status.in_recovery = true;
  status.replication_state = "streaming";
  status.received = Lsn(1000);
  status.replayed = Lsn(900);
  status.optime = Lsn(1000);
  status.view_valid = true;
  status.next_run = now + seconds(5);
  status.good_until = now + seconds(30);
  status.receiving_until = now + seconds(30);
  return status;
}

Status primary() {
  auto status = replica();
  status.role = Role::primary;
  status.in_recovery = false;
  status.replication_state.clear();
  status.location = Lsn(1000);
  status.received = status.replayed = Lsn();
  status.holds_lock = true;
  return status;
}

Status standby_leader() {
  auto status = replica();
  status.role = Role::standby_leader;
  status.standby_cluster = true;
  status.holds_lock = true;
  return status;
}

int check(const Status& status, std::string_view target, const Moment& moment = leased) {
  const auto split = split_target(target);
  return health_code(split.path, Query(split.query), status, moment);
}

const std::vector<std::string> primary_paths{"/", "/primary", "/read-write", "/master", "/leader"};

TEST(HealthCheck, PrimaryPathsNeedLockLeaseAndAWritableServer) {  // trap 121
  for (const auto& path : primary_paths) {
    EXPECT_EQ(check(primary(), path), 200) << path;
    EXPECT_EQ(check(replica(), path), 503) << path;
  }
}

TEST(HealthCheck, PrimaryPathsFailTheMomentTheLeaseEnds) {
  for (const auto& path : primary_paths) {
    EXPECT_EQ(check(primary(), path, {now, now}), 503) << path;
    EXPECT_EQ(check(primary(), path, {now, now + Duration(1)}), 200) << path;
    EXPECT_EQ(check(primary(), path, unleased), 503) << path;
  }
}

TEST(HealthCheck, PrimaryPathsFailFromTheDecisionToDemoteOn) {
  auto status = primary();
  status.demoting = true;
  for (const auto& path : primary_paths) EXPECT_EQ(check(status, path), 503) << path;
}

TEST(HealthCheck, PrimaryPathsFailBeforeThePromotionIsDone) {
  auto status = primary();
  status.in_recovery = true;
  status.role = Role::replica;
  for (const auto& path : primary_paths) EXPECT_EQ(check(status, path), 503) << path;
}

TEST(HealthCheck, PrimaryPathsFailWithoutTheLock) {
  auto status = primary();
  status.holds_lock = false;
  for (const auto& path : primary_paths) EXPECT_EQ(check(status, path), 503) << path;
}

TEST(HealthCheck, PausedLeaderCountsByItsLock) {
  auto status = primary();
  status.paused = true;
  status.in_recovery = true;
  for (const auto& path : primary_paths) EXPECT_EQ(check(status, path), 200) << path;
  for (const auto& path : primary_paths) EXPECT_EQ(check(status, path, unleased), 503) << path;
}

struct CutOffCase {
  Role role;
  std::string path;
  int code;
};

TEST(HealthCheck, PausedWithoutValidViewTheRoleDecides) {
  const std::vector<CutOffCase> cases{
      {Role::primary, "/primary", 200},        {Role::primary, "/leader", 200},
      {Role::primary, "/standby-leader", 503}, {Role::standby_leader, "/primary", 503},
      {Role::standby_leader, "/leader", 200},  {Role::standby_leader, "/standby_leader", 200},
      {Role::replica, "/leader", 503},         {Role::promoted, "/primary", 503}};
  for (const auto& one : cases) {
    auto status = primary();
    status.holds_lock = false;
    status.paused = true;
    status.view_valid = false;
    status.role = one.role;
    EXPECT_EQ(check(status, one.path, unleased), one.code) << one.path << int(one.role);
    status.paused = false;
    EXPECT_EQ(check(status, one.path, unleased), 503) << one.path << int(one.role);
  }
}

TEST(HealthCheck, PausedWithoutValidViewADemotingPrimaryFails) {
  auto status = primary();
  status.paused = true;
  status.view_valid = false;
  status.demoting = true;
  EXPECT_EQ(check(status, "/primary"), 503);
}

TEST(HealthCheck, StandbyLeaderIsLeaderButNotPrimary) {
  EXPECT_EQ(check(standby_leader(), "/leader"), 200);
  EXPECT_EQ(check(standby_leader(), "/standby-leader"), 200);
  EXPECT_EQ(check(standby_leader(), "/standby_leader"), 200);
  EXPECT_EQ(check(standby_leader(), "/primary"), 503);
  EXPECT_EQ(check(standby_leader(), "/"), 503);
  EXPECT_EQ(check(standby_leader(), "/read-only"), 200);
  EXPECT_EQ(check(standby_leader(), "/standby-leader", unleased), 503);
}

TEST(HealthCheck, StandbyLeaderStillNamedReplicaIsNoReplica) {
  auto status = standby_leader();
  status.role = Role::replica;
  EXPECT_EQ(check(status, "/standby-leader"), 200);
  EXPECT_EQ(check(status, "/replica"), 503);
  status.role = Role::primary;
  EXPECT_EQ(check(status, "/standby-leader"), 503);
}

TEST(HealthCheck, ReplicaNeedsRoleStateAndNoTagAgainstIt) {
  EXPECT_EQ(check(replica(), "/replica"), 200);
  EXPECT_EQ(check(primary(), "/replica"), 503);
  auto stopped = replica();
  stopped.state = ServerState::stopped;
  EXPECT_EQ(check(stopped, "/replica"), 503);
  auto tagged = replica();
  tagged.tags.noloadbalance = true;
  EXPECT_EQ(check(tagged, "/replica"), 503);
  EXPECT_EQ(check(tagged, "/read-only"), 503);
}

struct LagCase {
  std::string lag;
  int code;
};

TEST(HealthCheck, LagLimitIsReadWithUnits) {
  const std::vector<LagCase> cases{
      {"100", 200},  {"99", 503},       {"0", 503},      {"100B", 200},   {"0x64", 200},
      {"0144", 200}, {"0143", 503},     {"0.05kB", 503}, {"1kB", 200},    {"1KB", 200},
      {"1kb", 200},  {"nonsense", 200}, {"-1", 503},     {"9999TB", 200}, {"99.6", 200},
      {"1e2", 200},  {"%201kB", 200}};
  for (const auto& one : cases) {
    EXPECT_EQ(check(replica(), "/replica?lag=" + one.lag), one.code) << one.lag;
  }
}

TEST(HealthCheck, WithoutLagParameterLagDoesNotMatter) {
  auto status = replica();
  status.replayed = Lsn(1);
  EXPECT_EQ(check(status, "/replica"), 200);
}

TEST(HealthCheck, LagIsMeasuredAgainstTheFurthestKnownPosition) {
  auto status = replica();
  status.latest_end = Lsn(2000);
  EXPECT_EQ(check(status, "/replica?lag=500"), 503);
  status.optime = status.latest_end = Lsn();
  EXPECT_EQ(check(status, "/replica?lag=0"), 200);
}

TEST(HealthCheck, LagDoesNotWrapAtTheEndOfTheNumbers) {
  auto status = replica();
  status.optime = Lsn(UINT64_MAX);
  status.replayed = Lsn(UINT64_MAX - 1);
  EXPECT_EQ(check(status, "/replica?lag=8000000000000000000"), 200);
  status.replayed = Lsn();
  EXPECT_EQ(check(status, "/replica?lag=8000000000000000000"), 503);
}

TEST(HealthCheck, ReplicationStateMustBeEqual) {
  EXPECT_EQ(check(replica(), "/replica?replication_state=streaming"), 200);
  EXPECT_EQ(check(replica(), "/replica?replication_state=in%20archive%20recovery"), 503);
  EXPECT_EQ(check(replica(), "/replica?replication_state="), 200);
}

TEST(HealthCheck, TagsMustExistAndBeEqual) {
  auto status = replica();
  status.tags.published = Tree::map(
      {{"zone", "A"}, {"clonefrom", true}, {"weight", 5}, {"ratio", 1.5}, {"word", "True"}});
  const std::vector<LagCase> cases{{"tag_zone=A", 200},
                                   {"tag_zone=a", 503},
                                   {"tag_clonefrom=true", 200},
                                   {"tag_clonefrom=True", 503},
                                   {"tag_weight=5", 200},
                                   {"tag_ratio=1.5", 200},
                                   {"tag_word=True", 200},
                                   {"tag_word=true", 503},
                                   {"tag_nofailover=false", 503},
                                   {"tag_missing=x", 503},
                                   {"tag_zone=A&tag_weight=6", 503},
                                   {"tag_zone=", 200}};
  for (const auto& one : cases) {
    EXPECT_EQ(check(status, "/replica?" + one.lag), one.code) << one.lag;
    EXPECT_EQ(check(status, "/health?" + one.lag), one.code) << one.lag;
    EXPECT_EQ(check(status, "/read-only?" + one.lag), one.code) << one.lag;
  }
}

TEST(HealthCheck, TagsDoNotApplyToPrimaryPaths) {
  for (const auto& path : primary_paths) {
    EXPECT_EQ(check(primary(), path + "?tag_zone=nowhere"), 200) << path;
  }
  EXPECT_EQ(check(standby_leader(), "/standby-leader?tag_zone=nowhere"), 200);
}

TEST(HealthCheck, PathsMatchBySubstringInTheContractsOrder) {
  EXPECT_EQ(check(primary(), "/x/primary/y"), 200);
  EXPECT_EQ(check(primary(), "/primary-replica"), 200);
  EXPECT_EQ(check(primary(), "/replica-standby-leader"), 503);
  EXPECT_EQ(check(standby_leader(), "/replica-standby-leader"), 200);
  EXPECT_EQ(check(replica(), "/asynchronous-replica"), 200);
  EXPECT_EQ(check(replica(), "/replicas-are-healthy"), 200);
}

TEST(HealthCheck, HealthFollowsTheServerOnly) {
  auto status = replica();
  status.view_valid = false;
  EXPECT_EQ(check(status, "/health", unleased), 200);
  EXPECT_EQ(check(status, "/healthz", unleased), 200);
  status.state = ServerState::starting;
  EXPECT_EQ(check(status, "/health"), 503);
}

TEST(HealthCheck, ReadOnlyTakesPrimaryAndReplica) {
  EXPECT_EQ(check(primary(), "/read-only"), 200);
  EXPECT_EQ(check(replica(), "/read-only"), 200);
  EXPECT_EQ(check(primary(), "/read-only", unleased), 503);
  EXPECT_EQ(check(replica(), "/read-only?lag=1"), 503);
}

struct SyncCase {
  bool sync;
  bool quorum;
  std::string path;
  int code;
};

TEST(HealthCheck, SynchronousPathsFollowTheStandbysPart) {
  const std::vector<SyncCase> cases{{true, false, "/sync", 200},
                                    {true, false, "/synchronous", 200},
                                    {true, false, "/async", 503},
                                    {true, false, "/asynchronous", 503},
                                    {true, false, "/quorum", 503},
                                    {true, false, "/read-only-sync", 200},
                                    {true, false, "/read-only-synchronous", 200},
                                    {true, false, "/read-only-quorum", 503},
                                    {false, true, "/quorum", 200},
                                    {false, true, "/read-only-quorum", 200},
                                    {false, true, "/sync", 503},
                                    {false, true, "/read-only-sync", 503},
                                    {false, true, "/async", 503},
                                    {false, false, "/async", 200},
                                    {false, false, "/asynchronous", 200},
                                    {false, false, "/sync", 503},
                                    {false, false, "/read-only-sync", 503},
                                    {false, false, "/read-only-quorum", 503},
                                    {false, false, "/read-only-async", 503}};
  for (const auto& one : cases) {
    auto status = replica();
    status.sync_standby = one.sync;
    status.quorum_standby = one.quorum;
    EXPECT_EQ(check(status, one.path), one.code) << one.path << one.sync << one.quorum;
    status.view_valid = false;
    EXPECT_EQ(check(status, one.path), 503) << one.path << " without a valid view";
  }
}

TEST(HealthCheck, SynchronousPathsMatchExactly) {
  auto status = replica();
  status.sync_standby = true;
  EXPECT_EQ(check(status, "/sync/"), 503);
  EXPECT_EQ(check(status, "/synchron"), 503);
  EXPECT_EQ(check(status, "sync"), 503);
}

TEST(HealthCheck, PrimaryIsPartOfReadOnlySynchronousPools) {
  EXPECT_EQ(check(primary(), "/read-only-sync"), 200);
  EXPECT_EQ(check(primary(), "/read-only-quorum"), 200);
  EXPECT_EQ(check(primary(), "/read-only-sync", unleased), 503);
}

TEST(HealthCheck, UnknownPathsFail) {
  for (const std::string path : {"/patroni", "/cluster", "/config", "/liveness", "/metrics", "*"}) {
    EXPECT_EQ(check(primary(), path), 503) << path;
  }
}

TEST(HealthCheck, EverythingFailsOnceTheLoopIsDead) {
  auto status = primary();
  status.good_until = now;
  status.paused = true;
  for (const auto& path : primary_paths) EXPECT_EQ(check(status, path), 503) << path;
  auto other = replica();
  other.good_until = now;
  for (const std::string path : {"/replica", "/health", "/read-only", "/async"}) {
    EXPECT_EQ(check(other, path), 503) << path;
  }
  EXPECT_EQ(liveness_code(status, now), 503);
  EXPECT_EQ(readiness_code(Query(), status, leased), 503);
}

TEST(HealthCheck, BeforeTheFirstPublicationEverythingFails) {
  const Status nothing;
  for (const auto& path : primary_paths) EXPECT_EQ(check(nothing, path), 503) << path;
  EXPECT_EQ(liveness_code(nothing, now), 503);
}

TEST(Liveness, ToleranceIsTtlOnARunningPrimaryAndTwiceThatElsewhere) {
  auto leader = primary();
  leader.next_run = now - leader.ttl;
  EXPECT_EQ(liveness_code(leader, now), 503);
  EXPECT_EQ(liveness_code(leader, now - Duration(1)), 200);
  auto follower = replica();
  follower.next_run = now - follower.ttl;
  EXPECT_EQ(liveness_code(follower, now), 200);
  follower.next_run = now - 2 * follower.ttl;
  EXPECT_EQ(liveness_code(follower, now), 503);
}

TEST(Liveness, PauseCountsAsAlive) {
  auto status = primary();
  status.next_run = now - seconds(500);
  status.paused = true;
  EXPECT_EQ(liveness_code(status, now), 200);
}

int ready(const Status& status, std::string_view query = "", const Moment& moment = unleased) {
  return readiness_code(Query(query), status, moment);
}

TEST(Readiness, HolderOfTheLockIsReady) {
  EXPECT_EQ(ready(primary(), "", leased), 200);
  EXPECT_EQ(ready(primary(), "", unleased), 503);
}

TEST(Readiness, OthersHaveToRunAndStream) {
  EXPECT_EQ(ready(replica()), 200);
  auto starting = replica();
  starting.internal_state = ServerState::starting;
  EXPECT_EQ(ready(starting), 503);
  auto archive = replica();
  archive.replication_state = "in archive recovery";
  EXPECT_EQ(ready(archive), 503);
}

TEST(Readiness, LagIsLimitedByParameterOrSetting) {
  EXPECT_EQ(ready(replica(), "lag=99"), 503);
  EXPECT_EQ(ready(replica(), "lag=100"), 200);
  EXPECT_EQ(ready(replica(), "lag=0&mode=write"), 200);
  EXPECT_EQ(ready(replica(), "lag=0&mode=apply"), 503);
  auto status = replica();
  status.lag_bytes_max_on_failover = 50;
  EXPECT_EQ(ready(status), 503);
  EXPECT_EQ(ready(status, "lag=unreadable"), 503);
}

TEST(Readiness, WithoutAnyReferenceFailsafeDecides) {
  auto status = replica();
  status.view_valid = false;
  EXPECT_EQ(ready(status), 503);
  status.failsafe_active = true;
  EXPECT_EQ(ready(status), 200);
  status.failsafe_active = false;
  status.latest_end = Lsn(950);
  EXPECT_EQ(ready(status, "lag=100"), 200);
}

TEST(HealthCheck, ReplicaThatReceivesNothingAnyMoreIsNotHealthy) {
  auto status = replica();
  status.sync_standby = true;
  status.receiving_until = now;
  for (const auto* path : {"/replica", "/read-only", "/sync", "/read-only-sync"}) {
    EXPECT_EQ(check(status, path, unleased), 503) << path;
  }
  EXPECT_EQ(check(status, "/health", unleased), 200);
  status.receiving_until = now + Duration(1);
  EXPECT_EQ(check(status, "/replica", unleased), 200);
}

}  // namespace
}  // namespace tanist::rest

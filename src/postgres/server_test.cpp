// SPDX-License-Identifier: Apache-2.0
// The driver on real servers: bootstrap, copies, promotion, rewind, stops, fence, reload.
// tidy: table
#include "postgres/server.h"

#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/rewind_verdict.h"
#include "os/file.h"
#include "postgres/test_pair.h"

namespace tanist::postgres {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// ---- Bootstrap -------------------------------------------------------------------------------

TEST_F(ServerTest, MakesAClusterWithItsRolesAndTellsOfIt) {
  ASSERT_TRUE(first.perform(InitializeData{}).ok);
  const auto started = first.perform(StartServer{.goal = TestNode::primary()});
  ASSERT_EQ(started.start, StartOutcome::ready) << started.error;
  const auto finished = first.perform(FinishBootstrap{});
  ASSERT_TRUE(finished.ok) << finished.error;
  const auto facts = first.observe({.control_data = true, .replication = true, .slots = true});
  ASSERT_TRUE(facts.query) << facts.query_error;
  EXPECT_FALSE(facts.query->in_recovery);
  EXPECT_EQ(facts.query->timeline, Timeline(1));
  EXPECT_NE(facts.query->location, Lsn());
  EXPECT_EQ(facts.data, DataDirectory::present);
  EXPECT_EQ(facts.major_version, facts.query->server_version / 10000);
  EXPECT_EQ(facts.control->state, ControlState::in_production);
  EXPECT_THAT(first.told->started, testing::ElementsAre(*facts.postmaster));
  EXPECT_EQ(first.query("SELECT current_user", "rewinder"), "rewinder");
  EXPECT_EQ(first.query("SELECT rolreplication FROM pg_roles WHERE rolname = 'replicator'"), "t");
  EXPECT_TRUE(os::exists(first.in_data("postgresql.conf.backup")));
}

TEST_F(ServerTest, InitializesNothingWhereSomethingIs) {
  std::filesystem::create_directories(first.settings.data_dir);
  std::ofstream(first.in_data("mine")) << "precious";
  EXPECT_THAT(first.perform(InitializeData{}).error, HasSubstr("is not empty"));
  EXPECT_TRUE(os::exists(first.in_data("mine")));
}

TEST_F(ServerTest, StartsNoPrimaryThatIsNotAllowed) {
  ASSERT_TRUE(first.perform(InitializeData{}).ok);
  first.told->primary_refused = "the deadline has passed";
  const auto started = first.perform(StartServer{.goal = TestNode::primary()});
  EXPECT_EQ(started.start, StartOutcome::not_started);
  EXPECT_THAT(started.error, HasSubstr("the deadline has passed"));
  EXPECT_THAT(first.told->started, IsEmpty());
}

TEST_F(ServerTest, LaunchesByThePrefixWithItsDescriptors) {
  ASSERT_TRUE(first.perform(InitializeData{}).ok);
  const os::Descriptor page(memfd_create("page", MFD_CLOEXEC));
  const auto script = "echo launched >/proc/self/fd/" + std::to_string(page.get()) +
                      "; exec \"$@\" " + std::to_string(page.get()) + ">&-";
  first.told->prefix = {{"/bin/bash", "-c", script, "launcher"}, {page.get()}};
  EXPECT_EQ(first.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
  char words[8]{};
  EXPECT_EQ(pread(page.get(), words, sizeof words, 0), 8);
  EXPECT_EQ(std::string(words, 8), "launched");
}

// ---- Standbys --------------------------------------------------------------------------------

TEST_F(ServerTest, ACopyStreamsFromItsSource) {
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  ASSERT_TRUE(streams(second));
  const auto facts = second.observe({.local_timeline = true});
  EXPECT_EQ(facts.query->received_timeline, Timeline(1));
  EXPECT_TRUE(facts.standby_signal);
  const auto source = first.observe({.replication = true});
  ASSERT_THAT(source.query->wal_senders, SizeIs(1));
  EXPECT_EQ(source.query->wal_senders[0].application_name, "second");
  EXPECT_EQ(second.perform(CompareGoal{second.following(first)}).difference, GoalDifference::none);
  EXPECT_EQ(judge_divergence(examine(second, first)).divergence, Divergence::none);
}

TEST_F(ServerTest, AFailedCopyLeavesNothingBehind) {
  second.settings.create_replica_methods = {"broken"};
  second.settings.replica_methods["broken"] = Tree::map(
      {{"command", Tree("sh -c 'mkdir -p " + second.settings.data_dir + "/half; exit 3'")},
       {"no_params", Tree(true)}});
  second.apply();
  const auto cloned = second.perform(CloneData{.source = first.as_upstream()});
  EXPECT_FALSE(cloned.ok);
  EXPECT_THAT(cloned.error, HasSubstr("exit code 3"));
  EXPECT_FALSE(os::exists(second.settings.data_dir));
}

TEST_F(ServerTest, FallsBackToTheNextMethod) {
  ASSERT_TRUE(first.bootstrap());
  second.settings.create_replica_methods = {"broken", "basebackup"};
  second.settings.replica_methods["broken"] = Tree::map({{"command", Tree("false")}});
  second.apply();
  EXPECT_TRUE(second.perform(CloneData{.source = first.as_upstream()}).ok);
  EXPECT_TRUE(os::exists(second.in_data("standby.signal")));
}

TEST_F(ServerTest, PromotesOnlyWhenAllowedAtThatMoment) {
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  second.told->primary_refused = "lost";
  EXPECT_THAT(second.perform(PromoteServer{.goal = TestNode::primary()}).error, HasSubstr("lost"));
  EXPECT_TRUE(streams(second));
  second.told->primary_refused = "";
  EXPECT_TRUE(promote(second));
  EXPECT_EQ(second.observe().query->timeline, Timeline(2));
}

// ---- Divergence ------------------------------------------------------------------------------

TEST_F(ServerTest, ACleanlyStoppedPrimaryWhoseEndWasReceivedFollowsAsItIs) {
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  ASSERT_TRUE(streams(second));
  fail_over(first, second, StopMode::fast);
  const auto facts = examine(first, second);
  EXPECT_EQ(facts.error, "");
  EXPECT_EQ(judge_divergence(facts).divergence, Divergence::none) << judge_divergence(facts).reason;
  const auto located = first.perform(LocateShutdown{});
  EXPECT_EQ(located.shutdown_checkpoint, facts.local_lsn);
  EXPECT_EQ(located.shutdown_end, facts.checkpoint_end);
  EXPECT_EQ(located.shutdown_timeline, Timeline(1));
  ASSERT_EQ(first.perform(StartServer{.goal = first.following(second)}).start, StartOutcome::ready);
  EXPECT_TRUE(streams(first));
}

TEST_F(ServerTest, ADivergedPrimaryIsRewoundAndStreams) {
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  ASSERT_TRUE(streams(second));
  ASSERT_TRUE(second.perform(StopServer{}).ok);
  ASSERT_EQ(first.query("CREATE TABLE public.only_here AS SELECT generate_series(1, 1000) AS n"),
            "");
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  auto alone = second.following(first);
  alone.upstream.reset();
  ASSERT_EQ(second.perform(StartServer{.goal = alone}).start, StartOutcome::ready);
  ASSERT_TRUE(promote(second));
  ASSERT_EQ(second.query("CREATE TABLE public.won AS SELECT generate_series(1, 100) AS n"), "");
  ASSERT_EQ(second.query("CHECKPOINT"), "");
  const auto verdict = judge_divergence(examine(first, second));
  EXPECT_EQ(verdict.divergence, Divergence::diverged) << verdict.reason;
  const auto rewound = first.perform(RewindData{second.as_upstream()});
  ASSERT_TRUE(rewound.ok) << rewound.error;
  const auto facts = first.observe();
  EXPECT_FALSE(facts.rewind_interrupted);
  EXPECT_TRUE(facts.standby_signal);
  EXPECT_THAT(*os::read_file(first.in_data("postgresql.conf.backup")), HasSubstr(first.address));
  ASSERT_EQ(first.perform(StartServer{.goal = first.following(second)}).start, StartOutcome::ready);
  ASSERT_TRUE(streams(first));
  EXPECT_EQ(first.query("SELECT count(*) FROM public.won"), "100");
  EXPECT_THAT(first.query("SELECT FROM public.only_here"), HasSubstr("does not exist"));
}

TEST_F(ServerTest, ACrashedPrimaryIsRecoveredInSingleUserModeAndRewound) {
  ASSERT_TRUE(first.bootstrap());
  copy(first, second);
  ASSERT_TRUE(streams(second));
  fail_over(first, second, StopMode::immediate);
  EXPECT_THAT(examine(first, second).error, HasSubstr("in production"));
  const auto recovered = first.perform(RecoverData{});
  ASSERT_TRUE(recovered.ok) << recovered.error;
  EXPECT_EQ(first.observe().control->state, ControlState::shut_down);
  const auto verdict = judge_divergence(examine(first, second));
  EXPECT_EQ(verdict.divergence, Divergence::diverged) << verdict.reason;
  const auto rewound = first.perform(RewindData{second.as_upstream()});
  ASSERT_TRUE(rewound.ok) << rewound.error;
  ASSERT_EQ(first.perform(StartServer{.goal = first.following(second)}).start, StartOutcome::ready);
  EXPECT_TRUE(streams(first));
}

TEST_F(ServerTest, ARewindThatCannotBeginChangesNothing) {
  ASSERT_TRUE(first.bootstrap());
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  EXPECT_THAT(first.perform(RewindData{second.as_upstream()}).error,
              HasSubstr("Can not use second"));
  EXPECT_FALSE(first.observe().rewind_interrupted);
  EXPECT_EQ(first.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
}

TEST_F(ServerTest, HalfRewoundDataIsNeitherStartedNorRewound) {
  ASSERT_TRUE(first.bootstrap());
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  ASSERT_EQ(mkfifo(first.in_data("tanist.rewind_in_progress").c_str(), 0600), 0);
  const auto started = first.perform(StartServer{.goal = TestNode::primary()});
  EXPECT_EQ(started.start, StartOutcome::not_started);
  EXPECT_THAT(first.perform(RewindData{second.as_upstream()}).error, HasSubstr("mixture"));
  EXPECT_THAT(first.perform(RecoverData{}).error, HasSubstr("pg_rewind did not end"));
}

// ---- Stopping --------------------------------------------------------------------------------

TEST_F(ServerTest, EveryStopModeEndsIt) {
  ASSERT_TRUE(first.bootstrap());
  for (const auto mode : {StopMode::smart, StopMode::fast, StopMode::immediate}) {
    ASSERT_EQ(first.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
    first.told->progress.clear();
    const auto stopped = first.perform(StopServer{.mode = mode, .limit = seconds{20}});
    EXPECT_TRUE(stopped.ok) << stopped.error;
    ASSERT_FALSE(first.told->progress.empty());
    EXPECT_TRUE(first.told->progress.back().safe_point);
    const auto facts = first.observe();
    EXPECT_FALSE(facts.postmaster);
    const auto state =
        mode == StopMode::immediate ? ControlState::in_production : ControlState::shut_down;
    EXPECT_EQ(facts.control->state, state);
  }
  EXPECT_TRUE(first.perform(StopServer{}).ok);  // again: there already
}

TEST_F(ServerTest, ASmartStopThatTakesTooLongBecomesAnImmediateOne) {
  ASSERT_TRUE(first.bootstrap());
  sql::ConnectRequest request;
  request.keywords = {{"host", first.address},
                      {"port", std::to_string(first.port)},
                      {"user", "postgres"},
                      {"dbname", "postgres"}};
  request.password = Secret("postgres-password");
  const auto client = os::run_until_done(
      cluster.loop, sql::Connection::open(&cluster.pool, &cluster.addresses, request,
                                          os::Limit{}.within(seconds{5})));
  ASSERT_TRUE(client);
  EXPECT_TRUE(first.perform(StopServer{.mode = StopMode::smart, .limit = milliseconds{300}}).ok);
  EXPECT_EQ(first.observe().control->state, ControlState::in_production);
}

TEST_F(ServerTest, TheFenceEndsItAndBreaksAStopOff) {
  ASSERT_TRUE(first.bootstrap());
  std::optional<ServerResult> stop;
  std::optional<ServerResult> fence;
  first.server->start(EffectId(1001), StopServer{.mode = StopMode::smart},
                      [&](ServerResult result) { stop = std::move(result); });
  first.server->start(EffectId(1002), FenceServer{},
                      [&](ServerResult result) { fence = std::move(result); });
  EXPECT_FALSE(fence);
  while (!stop || !fence) cluster.loop.run_one();
  EXPECT_TRUE(fence->ok) << fence->error;
  EXPECT_FALSE(first.observe().postmaster);
}

TEST_F(ServerTest, OneActionAtATimeInTheServersLane) {
  ASSERT_TRUE(first.bootstrap());
  std::optional<ServerResult> one;
  std::optional<ServerResult> other;
  first.server->start(EffectId(1001), StopServer{}, [&](ServerResult result) { one = result; });
  first.server->start(EffectId(1002), StopServer{}, [&](ServerResult result) { other = result; });
  while (!one || !other) cluster.loop.run_one();
  EXPECT_TRUE(one->ok);
  EXPECT_THAT(other->error, HasSubstr("under way"));
}

TEST_F(ServerTest, ANewDriverAdoptsARunningServer) {
  ASSERT_TRUE(first.bootstrap());
  const auto identity = first.observe().postmaster;
  first.server.reset();
  first.apply();
  std::optional<std::optional<ProcessIdentity>> found;
  first.server->look_for_postmaster([&](std::optional<ProcessIdentity> who) { found = who; });
  while (!found) cluster.loop.run_one();
  EXPECT_EQ(*found, identity);
  EXPECT_TRUE(first.observe().query);
  EXPECT_TRUE(first.perform(StopServer{}).ok);
}

// ---- Reload ----------------------------------------------------------------------------------

TEST_F(ServerTest, AReloadChangesWhatItCanAndTellsWhatWaits) {
  ASSERT_TRUE(first.bootstrap());
  const ReloadServer reload{.goal = TestNode::primary()};
  EXPECT_EQ(first.perform(reload).difference, GoalDifference::none);
  first.settings.parameters["work_mem"] = "7MB";
  first.apply();
  EXPECT_EQ(first.perform(reload).difference, GoalDifference::reload);
  EXPECT_EQ(first.query("SHOW work_mem"), "7MB");
  first.settings.parameters["max_connections"] = "30";
  first.apply();
  const auto result = first.perform(reload);
  EXPECT_EQ(result.difference, GoalDifference::restart);
  ASSERT_THAT(result.pending_restart, SizeIs(1));
  EXPECT_EQ(result.pending_restart[0], (PendingRestart{"max_connections", "20", "30"}));
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  ASSERT_EQ(first.perform(StartServer{.goal = TestNode::primary()}).start, StartOutcome::ready);
  EXPECT_EQ(first.query("SHOW max_connections"), "30");
  EXPECT_THAT(first.observe().pending_restart, IsEmpty());
}

// ---- Slots -----------------------------------------------------------------------------------

TEST_F(ServerTest, MakesAndDropsSlots) {
  ASSERT_TRUE(first.bootstrap());
  const SlotChange make{.what = SlotChange::What::create, .slot = "second"};
  EXPECT_TRUE(first.perform(ChangeSlots{{make, make}}).ok);
  ASSERT_THAT(first.observe({.slots = true}).query->slots, SizeIs(1));
  const SlotChange drop{.what = SlotChange::What::drop, .slot = "second"};
  EXPECT_TRUE(first.perform(ChangeSlots{{drop, drop}}).ok);
  EXPECT_THAT(first.observe({.slots = true}).query->slots, IsEmpty());
}

// ---- Data ------------------------------------------------------------------------------------

TEST_F(ServerTest, DataIsRemovedOrSetAsideOnlyWithoutAServer) {
  ASSERT_TRUE(first.bootstrap());
  EXPECT_FALSE(first.perform(EmptyData{"test"}).ok);
  EXPECT_FALSE(first.perform(SetDataAside{}).ok);
  ASSERT_TRUE(first.perform(StopServer{}).ok);
  EXPECT_TRUE(first.perform(SetDataAside{}).ok);
  EXPECT_TRUE(os::exists(first.settings.data_dir + ".failed/PG_VERSION"));
  EXPECT_EQ(first.observe().data, DataDirectory::absent_or_empty);
  ASSERT_TRUE(first.perform(InitializeData{}).ok);
  EXPECT_TRUE(first.perform(EmptyData{"test"}).ok);
  EXPECT_FALSE(os::exists(first.settings.data_dir));
}

}  // namespace
}  // namespace tanist::postgres

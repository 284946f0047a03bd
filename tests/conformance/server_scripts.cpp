// SPDX-License-Identifier: Apache-2.0
// The simulator's servers and real ones, through the same scripts of actions: what comes of them
// has to be the same line by line.
#include <gtest/gtest.h>

#include "server_subject.h"
#include "sql/test_server.h"

namespace tanist::conformance {
namespace {

void expect_same(int nodes, const std::function<void(ServerScript&)>& script) {
  TANIST_NEEDS_SERVER();
  const auto told_by = [&](const std::unique_ptr<ServerSubject>& subject) {
    ServerScript told(*subject);
    script(told);
    return told.transcript();
  };
  const auto real = told_by(real_servers(nodes));
  const auto modelled = told_by(modelled_servers(nodes));
  EXPECT_NE(real, "");
  EXPECT_EQ(real, modelled) << "the first is what the real one said";
}

Lsn received(const ServerFacts& facts) { return facts.query ? facts.query->received : Lsn(); }

TEST(ServerConformance, StopsLeaveTheirStateInTheControlFile) {
  expect_same(2, [](ServerScript& s) {
    s.make_cluster(2);
    s.observe("a primary", 0);
    s.observe("a standby", 1);
    s.perform("stop the standby", 1, StopServer{});
    s.observe("it is down", 1);
    s.perform("stop the primary", 0, StopServer{});
    s.observe("it is down", 0);
    s.perform("stop it again", 0, StopServer{});
    s.perform("where it ended", 0, LocateShutdown{});
    s.start("start the primary", 0, ServerScript::primary());
    s.observe("it runs", 0);
    s.start("start it again", 0, ServerScript::primary());
    s.start("start the standby without a source", 1, ServerScript::alone());
    s.observe("it runs", 1);
    s.perform("stop it at once", 1, StopServer{.mode = StopMode::immediate});
    s.observe("a standby stopped at once", 1);
    s.perform("stop at once", 0, StopServer{.mode = StopMode::immediate});
    s.observe("a primary stopped at once", 0);
    s.perform("where it ended", 0, LocateShutdown{});
    s.perform("recover", 0, RecoverData{});
    s.observe("recovered", 0);
    s.start("start it", 0, ServerScript::primary());
    s.write("it takes writes", 0);
    s.subject().kill(0);
    s.observe("killed", 0);
    s.start("start it after that", 0, ServerScript::primary());
    s.write("it takes writes", 0);
    s.perform("fence", 0, FenceServer{});
    s.observe("fenced", 0);
  });
}

TEST(ServerConformance, APromotionBeginsATimelineThatOthersFollow) {
  expect_same(3, [](ServerScript& s) {
    s.make_cluster(3);
    s.write("write", 0);
    s.perform("stop the primary", 0, StopServer{});
    s.promote(1);
    s.observe("the new primary", 1);
    s.perform("its history", 1, ReadHistory{Timeline(2)});
    s.perform("checkpoint", 1, CheckpointServer{});
    s.observe("after the checkpoint", 1);
    s.write("it takes writes", 1);
    s.examine("the other standby", 2, 1);
    s.perform("the other follows by reload", 2, ReloadServer{.goal = s.following(1)});
    s.await("it streams on the new timeline", 2, [](const ServerFacts& facts) {
      return facts.query && facts.query->receiver_status == "streaming" &&
             facts.query->received_timeline == Timeline(2);
    });
    s.perform("the same goal again", 2, CompareGoal{s.following(1)});
    s.observe("the other standby", 2);
    s.examine("the old primary", 0, 1);
    s.start("the old primary follows", 0, s.following(1));
    s.await_streaming("it streams", 0);
    s.observe("the old primary", 0);
    s.observe("the new primary", 1);
    s.perform("stop the new primary", 1, StopServer{});
    s.promote(2);
    s.perform("the history of the third timeline", 2, ReadHistory{Timeline(3)});
  });
}

// The receivers of a primary that is stopped have its shutdown checkpoint.
TEST(ServerConformance, AFastStopWaitsForItsReceivers) {
  expect_same(2, [](ServerScript& s) {
    s.make_cluster(2);
    for (int i = 0; i < 3; ++i) s.write("write", 0);
    s.perform("stop the primary", 0, StopServer{});
    const auto end = s.perform("where it ended", 0, LocateShutdown{});
    s.say("it lies on the first timeline", end.shutdown_timeline == Timeline(1));
    s.say("the checkpoint has an end", end.shutdown_end > end.shutdown_checkpoint);
    s.await("the standby has all of it", 1,
            [&](const ServerFacts& facts) { return received(facts) >= end.shutdown_end; });
    s.say("and no more", received(s.facts(1)) == end.shutdown_end);
    s.say("the control file names it", s.facts(0).control->checkpoint == end.shutdown_checkpoint);
    const auto wal = s.perform("the end of its log", 0, LocateWalEnd{});
    s.say("is the end of the checkpoint", wal.wal_end == end.shutdown_end);
  });
}

TEST(ServerConformance, AForkIsFoundAndRewound) {
  expect_same(2, [](ServerScript& s) {
    s.make_cluster(2);
    s.perform("stop the standby", 1, StopServer{});
    s.write("only here", 0);
    s.perform("stop the primary", 0, StopServer{});
    s.start("the standby is alone", 1, ServerScript::alone());
    s.examine("before the promotion", 0, 1);
    s.promote(1);
    s.write("only there", 1);
    s.examine("the fork", 0, 1);
    s.start("it follows as it is", 0, s.following(1));
    s.subject().pass(seconds(2));
    s.observe("it does not stream", 0);
    s.examine("the fork as a standby", 0, 1);
    s.perform("rewind under a running server", 0, RewindData{s.subject().upstream(1)});
    s.perform("stop it", 0, StopServer{});
    s.perform("checkpoint there", 1, CheckpointServer{});
    s.perform("rewind", 0, RewindData{s.subject().upstream(1)});
    s.observe("rewound", 0);
    s.start("it follows", 0, s.following(1));
    s.await_streaming("it streams", 0);
    s.examine("no fork any more", 0, 1);
  });
}

TEST(ServerConformance, ACrashedPrimaryIsRecoveredBeforeItIsJudged) {
  expect_same(2, [](ServerScript& s) {
    s.make_cluster(2);
    s.write("write", 0);
    s.perform("stop the standby", 1, StopServer{});
    s.write("only here", 0);
    s.subject().kill(0);
    s.observe("killed", 0);
    s.start("the standby is alone", 1, ServerScript::alone());
    s.promote(1);
    s.perform("checkpoint", 1, CheckpointServer{});
    s.examine("not judged yet", 0, 1);
    s.perform("recover", 0, RecoverData{});
    s.observe("recovered", 0);
    s.examine("judged", 0, 1);
    s.perform("rewind from nobody", 0, RewindData{s.subject().upstream(0)});
    s.perform("rewind", 0, RewindData{s.subject().upstream(1)});
    s.start("it follows", 0, s.following(1));
    s.await_streaming("it streams", 0);
  });
}

TEST(ServerConformance, SynchronousStandbysAndSlotsAreShown) {
  expect_same(3, [](ServerScript& s) {
    s.make_cluster(3);
    const auto named = [&](const std::string& names) {
      auto goal = ServerScript::primary();
      goal.synchronous_standby_names = names;
      s.perform("name " + names, 0, ReloadServer{.goal = goal});
      s.await("it is in force", 0, [&](const ServerFacts& facts) {
        return facts.query && facts.query->synchronous_standby_names == names;
      });
      s.subject().pass(milliseconds(500));
      s.observe("senders", 0);
    };
    named("n2");
    s.write("a write is acknowledged", 0);
    named("2 (n2,n3)");
    named("n3,n2");
    named("ANY 1 (n2,n3)");
    s.write("a write is acknowledged", 0);
    const SlotChange make{.what = SlotChange::What::create, .slot = "n2"};
    s.perform("make a slot", 0, ChangeSlots{{make, make}});
    auto with_slot = s.following(0);
    with_slot.upstream->slot = "n2";
    s.perform("use it", 1, ReloadServer{.goal = with_slot});
    s.await("it is in use", 0, [](const ServerFacts& facts) {
      return facts.query && facts.query->slots.size() == 1 && facts.query->slots[0].active;
    });
    s.await_streaming("it streams", 1);
    s.subject().pass(milliseconds(500));
    s.observe("with a slot", 0);
    s.perform("stop the standby", 1, StopServer{});
    s.observe("without it", 0);
    const SlotChange drop{.what = SlotChange::What::drop, .slot = "n2"};
    s.perform("drop it", 0, ChangeSlots{{drop, drop}});
    s.observe("in the end", 0);
  });
}

}  // namespace
}  // namespace tanist::conformance

int main(int count, char** arguments) {
  tanist::sql::become_postgres(arguments);
  testing::InitGoogleTest(&count, arguments);
  return RUN_ALL_TESTS();
}

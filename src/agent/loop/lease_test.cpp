// SPDX-License-Identifier: Apache-2.0
// The end of the lock while the store is silent: what consent moves and what it does not
// (safety 3.4), and how the key is taken again.
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/loop/loop.h"
#include "tests/support/given.h"

namespace tanist::agent {
namespace {

using testing::at_ms;
using testing::Given;

// A leader "a" of two members, stepped through an outage of its store.
class Outage {
 public:
  Outage() : loop_(*Loop::make(start(), at_ms(0))) {
    world_.cluster().failsafe_mode = true;
    world_.without_member("c").without_member("a");
    world_.view().config->value =
        Tree::map({{"ttl", 30}, {"loop_wait", 10}, {"failsafe_mode", true}});
    show_view(0);
    health(true, 0);
    finish(Task::keep_lock, renewed(30'000, 0), 10);
    observe(40);
  }

  // All consent; when etcd is back, the lease has ended there. Nothing is current yet.
  void outlast_the_lease() {
    silence(6000);
    consent(true, 6100);
    tick(12'000);
    finish(Task::keep_lock, lease_gone(), 20'000);
  }
  // The view is, and a renewal tells once more that the lease has ended.
  void come_back() {
    health(true, 20'200);
    tick(21'000);
    finish(Task::keep_lock, lease_gone(), 21'100);
  }
  void silence(std::int64_t ms) {
    health(false, ms);
    step(RenewalUnanswered{}, ms);
  }
  void health(bool current, std::int64_t ms) {
    StoreHealth health;
    health.view_current = current;
    step(HealthChanged{health}, ms);
  }
  void show_view(std::int64_t ms) {
    step(ViewArrived{std::make_shared<const ClusterView>(world_.view())}, ms);
  }
  void show_unlocked_view(std::int64_t ms) {
    world_.view().leader.reset();
    world_.view().revision = Revision(200);
    show_view(ms);
  }
  void show_view_of_successors_end(std::int64_t ms) {
    const LeaderView successor{MemberName("b"), Revision(150), Revision(150), LeaseId(5)};
    world_.view().lost_leader = LostLeader{successor, Revision(190), true, true, ""};
    show_unlocked_view(ms);
  }
  void show_unlocked_view_with_status_of(Timeline timeline, std::int64_t ms) {
    world_.view().status->timeline = timeline;
    show_unlocked_view(ms);
  }
  void show_own_key(std::int64_t revision, std::int64_t ms) {
    world_.member("a").revision = Revision(revision);
    show_view(ms);
  }
  void consent(bool all, std::int64_t ms) {
    finish(Task::ask_failsafe, ServerResult{.ok = all}, ms);
  }
  void tick(std::int64_t ms) { step(TimerFired{}, ms); }
  // The disk hangs, and "b" could take over.
  void hang(std::int64_t ms) {
    world_.member("b").replication_state = "streaming";
    show_view(ms);
    StorageFacts storage;
    storage.state = StorageState::silent;
    storage.since = storage.flushed_since = at_ms(ms - 60'000);
    storage.sessions_waiting = 1;
    step(StorageObserved{storage}, ms);
  }
  // The agent is told to leave, and its server ends without a clean shutdown.
  void leave(std::int64_t ms) {
    step(ShutdownRequested{}, ms);
    finish(Task::server, ServerResult{.ok = true}, ms + 1);
    world_.crashed();
    step(PostmasterExited{ProcessIdentity{4242, 1}}, ms + 2);
    observe(ms + 30);
  }

  // The fence that the near end of the lease begins has passed its safe point.
  void fence_passes_its_safe_point(std::int64_t ms) {
    StorageFacts storage;
    storage.state = StorageState::silent;
    storage.since = storage.flushed_since = at_ms(ms - 60'000);
    step(StorageObserved{storage}, ms);  // nobody waits any more
    step(StopProgressed{StopProgress{.safe_point = true}}, ms);
  }
  // The agent is told to leave, and loses its lock when its server has no session left.
  void lose_lock_past_the_safe_point(std::int64_t ms) {
    step(ShutdownRequested{}, ms);
    step(StopProgressed{StopProgress{.safe_point = true}}, ms + 1);
    tick(ms + 6000);
    finish(Task::keep_lock, lease_gone(), ms + 6010);
  }
  void end_of_stop(std::int64_t ms) { finish(Task::server, ServerResult{.ok = true}, ms); }
  void view_with_position(std::uint64_t lsn, std::int64_t ms) {
    auto& member = world_.view().members.at(MemberName("b"));
    member.xlog_location = member.replay_lsn = Lsn(lsn);
    member.revision = Revision(member.revision.value() + 1);
    show_view(ms);
  }
  void view_with_state(ServerState state, std::int64_t ms) {
    world_.view().members.at(MemberName("b")).state = state;
    view_with_position(0x3000000, ms);
  }
  void view_with_request(std::int64_t ms) {
    world_.requested("a", "b");
    view_with_position(0x3000001, ms);
  }
  // Every decision is made on a memory of its own.
  std::shared_ptr<const Memory> last_decision() const { return loop_.observation().memory; }

  // The end, at `ms`, of an observation that began at `began_ms`.
  void observe(std::int64_t ms, std::int64_t began_ms) {
    auto facts = world_.obs().local.server;
    facts.observed_at = at_ms(began_ms);
    ServerResult seen{.ok = true};
    seen.facts = std::make_shared<const ServerFacts>(std::move(facts));
    finish(Task::observe, seen, ms);
  }
  void observe(std::int64_t ms) { observe(ms, ms); }

  bool ordered(Task task) const { return orders_.contains(task); }
  template <class Result>
  void finish(Task task, Result result, std::int64_t ms) {
    const auto at = orders_.find(task);
    ASSERT_NE(at, orders_.end()) << name_of(task);
    const auto id = at->second;
    orders_.erase(at);
    step(EffectFinished{id, std::move(result)}, ms);
  }

  const Lock& lock() const { return loop_.observation().lock; }
  std::optional<Instant> armed_until() const { return armed_until_; }
  bool fenced() const { return orders_.contains(Task::fence); }

  static StoreResult renewed(std::int64_t until, std::int64_t sent) {
    StoreResult result;
    result.verdict = StoreVerdict::done;
    result.lease = Given::lease_of("a");
    result.lease_until = at_ms(until);
    result.sent_at = at_ms(sent);
    result.reign = Reign{result.lease, Revision(10)};
    return result;
  }
  static StoreResult lease_gone() {
    StoreResult result;
    result.verdict = StoreVerdict::refused;
    result.lease_gone = true;
    return result;
  }

 private:
  static LoopStart start() {
    LoopStart start;
    start.node.name = MemberName("a");
    start.node.storage_demote_after = seconds(30);
    start.node.api_url = Given::api_of("a");
    start.node.conn_url = Given::url_of("a");
    start.config = Tree::map({{"failsafe_mode", true}});
    start.adoption = Adoption{Reign{Given::lease_of("a"), Revision(10)}, at_ms(20'000), true};
    start.guard = GuardState::armed;
    return start;
  }
  void step(const Event& event, std::int64_t ms) {
    const auto effects = loop_.step(event, at_ms(ms), WallTime{});
    for (const auto& effect : effects.start) orders_[effect.task] = effect.id;
    for (const auto& order : effects.guard) {
      if (order.what == GuardOrder::What::arm) armed_until_ = order.deadline;
    }
  }

  Given world_{"a"};
  Loop loop_;
  std::map<Task, EffectId> orders_;
  std::optional<Instant> armed_until_;
};

// A server that hangs is observed for longer than a short loop_wait.
TEST(Cycle, AnObservationUnderWayServesTheNextOneToo) {
  Outage outage;
  outage.tick(10'000);
  ASSERT_TRUE(outage.ordered(Task::observe));
  outage.tick(20'000);
  outage.observe(20'500, 10'000);
  EXPECT_FALSE(outage.ordered(Task::observe));
}

TEST(GivenUpLock, IsNotRenewedWhenItsServerIsFenced) {
  Outage world;
  world.hang(1000);
  world.tick(6000);
  ASSERT_NE(world.lock().given_up, Revision(0));
  world.tick(24'990);  // the next renewal would be due 10 ms before the end
  world.tick(29'600);
  ASSERT_TRUE(world.fenced());
  ASSERT_TRUE(world.lock().reign);
  world.fence_passes_its_safe_point(29'650);
  world.tick(29'991);
  EXPECT_FALSE(world.ordered(Task::keep_lock));
}

TEST(Cycle, APositionThatMovedIsNoNews) {
  Outage world;
  world.view_with_state(ServerState::running, 100);
  world.tick(200);
  const auto before = world.last_decision();
  world.view_with_position(0x3000100, 300);
  EXPECT_EQ(world.last_decision(), before);
  world.view_with_state(ServerState::crashed, 400);
  auto after = world.last_decision();
  EXPECT_NE(after, before);
  world.tick(450);
  world.view_with_request(500);
  EXPECT_NE(world.last_decision(), after);
  after = world.last_decision();
  world.view_with_position(0x3000200, 600);
  EXPECT_NE(world.last_decision(), after) << "a switchover looks at positions";
}

TEST(Cycle, ARenewalAsAlwaysIsNoNews) {
  Outage world;
  world.tick(5000);
  const auto before = world.last_decision();
  world.finish(Task::keep_lock, Outage::renewed(35'000, 5000), 5010);
  EXPECT_EQ(world.lock().until, at_ms(35'000));
  EXPECT_EQ(world.last_decision(), before);
  world.tick(9'990);
  world.finish(Task::keep_lock, Outage::lease_gone(), 10'010);
  EXPECT_NE(world.last_decision(), before);
}

// The process is heard to end later than the stop that ended it: seed 5.
TEST(Stop, PastItsSafePointNothingIsFenced) {
  Outage world;
  world.lose_lock_past_the_safe_point(1000);
  EXPECT_FALSE(world.lock().reign);
  EXPECT_FALSE(world.fenced());
  world.end_of_stop(7020);
  EXPECT_FALSE(world.fenced());
}

TEST(FailsafeLoop, ConsentOfAllMovesTheEndByATtlFromTheQuestion) {
  Outage outage;
  outage.silence(6000);
  ASSERT_TRUE(outage.ordered(Task::ask_failsafe));
  outage.consent(true, 7000);
  EXPECT_EQ(outage.lock().until, at_ms(36'000));
  EXPECT_TRUE(outage.lock().by_failsafe);
  EXPECT_EQ(outage.armed_until(), at_ms(36'000));
}

// Safety 5.3. The member's own lease is the one on which the lock hangs.
TEST(GivenUpLock, EndsWithItsLease) {
  Outage world;
  world.hang(1000);
  world.tick(6000);
  EXPECT_FALSE(world.ordered(Task::keep_lock));
  EXPECT_NE(world.lock().given_up, Revision(0));
  world.tick(30'000);
  EXPECT_FALSE(world.lock().reign);
  EXPECT_TRUE(world.fenced());
  world.tick(31'000);
  EXPECT_FALSE(world.ordered(Task::keep_lease));
  EXPECT_FALSE(world.ordered(Task::release_stray_lock));
  world.show_unlocked_view(31'500);
  world.tick(31'501);
  EXPECT_TRUE(world.ordered(Task::keep_lease));
}

// Whoever has taken the lock since has our word that we are no primary (seed 30212).
TEST(ReleasedLock, IsGivenUpAlsoWhenNobodyAnswers) {
  Outage world;
  world.leave(1000);
  ASSERT_TRUE(world.ordered(Task::release_lock));
  ASSERT_TRUE(world.lock().reign);
  world.finish(Task::release_lock, StoreResult{.verdict = StoreVerdict::unknown}, 11'000);
  EXPECT_FALSE(world.lock().reign);
}

TEST(PublishedMember, IsWrittenAgainWhenItsKeyVanished) {
  Outage world;  // whose view has no member "a" at any time
  ASSERT_TRUE(world.ordered(Task::put_member));
  world.finish(Task::put_member, StoreResult{.verdict = StoreVerdict::done}, 60);
  world.tick(5'000);
  EXPECT_FALSE(world.ordered(Task::put_member));
  world.tick(10'100);
  EXPECT_TRUE(world.ordered(Task::put_member));
}

// Seed 10440 of the simulator: a write whose answer was lost was applied after the one that
// followed it, and a replica that streamed no more said for ever that it does.
TEST(PublishedMember, IsWrittenAgainWhenAnEarlierWriteCameLater) {
  Outage world;
  ASSERT_TRUE(world.ordered(Task::put_member));
  world.finish(Task::put_member,
               StoreResult{.verdict = StoreVerdict::done, .revision = Revision(300)}, 60);
  world.show_own_key(300, 100);
  world.tick(10'100);
  EXPECT_FALSE(world.ordered(Task::put_member));
  world.show_own_key(301, 10'200);
  world.tick(20'100);
  EXPECT_TRUE(world.ordered(Task::put_member));
}

TEST(FailsafeLoop, RefusalMovesNothing) {
  Outage outage;
  outage.silence(6000);
  outage.consent(false, 7000);
  EXPECT_EQ(outage.lock().until, at_ms(30'000));
}

TEST(FailsafeLoop, ConsentAfterTheEndRevivesNothing) {
  Outage outage;
  outage.silence(6000);
  outage.consent(true, 30'000);
  EXPECT_FALSE(outage.lock().reign);
  EXPECT_TRUE(outage.fenced());
}

TEST(FailsafeLoop, MembersAreAskedAgainWhileTheStoreIsSilent) {
  Outage outage;
  outage.silence(6000);
  outage.consent(true, 6100);
  outage.tick(10'000);
  EXPECT_FALSE(outage.ordered(Task::ask_failsafe));
  outage.tick(11'000);
  EXPECT_TRUE(outage.ordered(Task::ask_failsafe));
}

TEST(FailsafeLoop, LockIsTakenAgainWhenTheStoreIsBackAndItsLeaseEnded) {
  Outage outage;
  outage.outlast_the_lease();
  EXPECT_FALSE(outage.ordered(Task::retake_lock));  // nothing to compare with yet
  EXPECT_TRUE(outage.lock().reign);
  outage.show_unlocked_view(20'100);
  outage.come_back();
  ASSERT_TRUE(outage.ordered(Task::retake_lock));
  auto taken = Outage::renewed(51'000, 21'000);
  taken.reign = Reign{LeaseId(77), Revision(201)};
  outage.finish(Task::retake_lock, taken, 21'200);
  EXPECT_EQ(outage.lock().reign->create_revision, Revision(201));
  EXPECT_FALSE(outage.lock().by_failsafe);
  EXPECT_FALSE(outage.fenced());
}

// It would find the new reign, and call both lost: seed 51121.
TEST(VanishedLock, IsNotRenewedWhileItIsTakenAgain) {
  Outage outage;
  outage.tick(6000);
  StoreResult vanished;
  vanished.verdict = StoreVerdict::refused;
  outage.finish(Task::keep_lock, vanished, 6010);
  ASSERT_TRUE(outage.ordered(Task::retake_lock));
  outage.show_unlocked_view(6020);
  EXPECT_FALSE(outage.ordered(Task::keep_lock));
  auto taken = Outage::renewed(36'000, 6010);
  taken.reign = Reign{LeaseId(77), Revision(201)};
  outage.finish(Task::retake_lock, taken, 6030);
  EXPECT_EQ(outage.lock().reign->create_revision, Revision(201));
  EXPECT_FALSE(outage.fenced());
  outage.tick(12'000);
  EXPECT_TRUE(outage.ordered(Task::keep_lock));
}

// The machine was suspended with its clock: others led meanwhile, and left (seed 4002505).
TEST(FailsafeLoop, LockThatOthersHeldMeanwhileIsNotTakenAgain) {
  Outage outage;
  outage.outlast_the_lease();
  outage.show_view_of_successors_end(20'100);
  outage.come_back();
  EXPECT_FALSE(outage.ordered(Task::retake_lock));
  EXPECT_FALSE(outage.lock().reign);
  EXPECT_TRUE(outage.fenced());
}

// They came and went unseen, and `/history` does not tell the number of their timeline.
TEST(FailsafeLoop, LaterTimelineInStatusTellsOfOthersThatLed) {  // seed 9305762
  Outage outage;
  outage.outlast_the_lease();
  outage.show_unlocked_view_with_status_of(Timeline(2), 20'100);
  outage.come_back();
  EXPECT_FALSE(outage.ordered(Task::retake_lock));
  EXPECT_TRUE(outage.fenced());
}

TEST(FailsafeLoop, LockInOtherHandsIsAnImmediateStop) {
  Outage outage;
  outage.silence(6000);
  outage.consent(true, 6100);
  outage.tick(12'000);
  auto refused = Outage::lease_gone();
  refused.holder = LeaderView{MemberName("b"), Revision(150), Revision(150), LeaseId(5)};
  outage.finish(Task::keep_lock, refused, 20'000);
  EXPECT_TRUE(outage.fenced());
}

TEST(FailsafeLoop, WithoutConsentALeaseThatIsGoneIsAnImmediateStop) {
  Outage outage;
  outage.silence(6000);
  outage.tick(12'000);
  outage.finish(Task::keep_lock, Outage::lease_gone(), 13'000);
  EXPECT_TRUE(outage.fenced());
}

}  // namespace
}  // namespace tanist::agent

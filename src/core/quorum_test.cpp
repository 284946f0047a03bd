// SPDX-License-Identifier: Apache-2.0
// The machine of synchronous replication, tried whole against a slow twin that remembers who holds
// which acknowledged commit (trap 73). The twin knows nothing of the machine's arithmetic.
#include "core/quorum.h"

#include <gtest/gtest.h>

#include <bit>
#include <deque>
#include <map>
#include <string>
#include <unordered_set>
#include <vector>

namespace tanist {
namespace {

// Sets of the other nodes as bits; the primary holds every commit and is in no set.
using Mask = unsigned;
// Bit m set: some acknowledged commit is held by exactly the nodes of mask m (and the primary).
using Holders = std::uint32_t;

NameSet names_of_mask(Mask mask) {
  NameSet names;
  for (unsigned i = 0; i < 5; ++i) {
    if ((mask >> i & 1U) != 0) names.emplace(std::string(1, static_cast<char>('b' + i)));
  }
  return names;
}

Mask mask_of(const NameSet& names) {
  Mask mask = 0;
  for (const auto& name : names) mask |= 1U << static_cast<unsigned>(name.value()[0] - 'b');
  return mask;
}

std::int64_t size_of(Mask mask) { return std::popcount(mask); }

struct World {
  Mask voters = 0;
  std::int64_t quorum = 0;
  Mask names = 0;
  std::int64_t count = 0;
  Mask ready = 0;
  Holders before = 0;  // commits acknowledged before the setting took effect

  SyncState state() const {
    return {{names_of_mask(voters), quorum}, {names_of_mask(names), count}, names_of_mask(ready)};
  }
  std::uint64_t code() const {
    return static_cast<std::uint64_t>(before) | std::uint64_t{voters} << 32 |
           std::uint64_t{names} << 37 | std::uint64_t{ready} << 42 |
           static_cast<std::uint64_t>(quorum) << 47 | static_cast<std::uint64_t>(count) << 51;
  }
};

// Who may hold a commit that is acknowledged under the setting in effect: `count` of the names.
Holders acknowledged_now(const World& world) {
  Holders out = 0;
  for (Mask mask = 0; mask < 16; ++mask) {
    if ((mask & ~world.names) == 0 && size_of(mask) == world.count) out |= 1U << mask;
  }
  return out;
}

// A commit that more nodes hold asks for nothing that the one that fewer hold does not.
Holders hardest(Holders holders) {
  Holders out = holders;
  for (Mask a = 0; a < 16; ++a) {
    for (Mask b = 0; b < 16; ++b) {
      const bool both = (holders >> a & 1U) != 0 && (holders >> b & 1U) != 0;
      if (a != b && both && (a & b) == a) out &= ~(1U << b);
    }
  }
  return out;
}

// Every group that can elect without the primary holds every acknowledged commit.
bool nothing_can_be_lost(const World& world) {
  const auto commits = world.before | acknowledged_now(world);
  for (Mask group = 1; group < 16; ++group) {
    const bool elects = (group & ~world.voters) == 0 && size_of(group) >= world.quorum + 1;
    if (!elects) continue;
    for (Mask held = 0; held < 16; ++held) {
      if ((commits >> held & 1U) != 0 && (group & held) == 0) return false;
    }
  }
  return true;
}

World with_setting(const World& world, const SyncSetting& setting) {
  World next = world;
  next.before = hardest(world.before | acknowledged_now(world));
  next.names = mask_of(setting.names);
  next.count = setting.count;
  next.ready = mask_of(still_ready(world.state().setting, setting, world.state().ready));
  return next;
}

World with_ready(const World& world, Mask node) {
  World next = world;
  next.ready |= node;
  next.before = 0;
  for (Mask held = 0; held < 16; ++held) {
    if ((world.before >> held & 1U) != 0) next.before |= 1U << (held | node);
  }
  next.before = hardest(next.before);
  return next;
}

World after(const World& world, const SyncStep& step) {
  if (const auto* setting = std::get_if<SyncSetting>(&step)) return with_setting(world, *setting);
  World next = world;
  if (const auto* key = std::get_if<SyncKey>(&step)) {
    next.voters = mask_of(key->voters);
    next.quorum = key->quorum;
  }
  return next;
}

// Node `winner` is elected and promoted; the old primary becomes one of the others, in its place.
World elected(const World& world, Mask winner) {
  const MemberName old("old");
  const auto me = *names_of_mask(winner).begin();
  auto key = inherited_key(old, world.state().key, me);
  const auto place = [&](NameSet names) {
    if (names.erase(old) != 0) names.insert(me);
    return mask_of(names);
  };
  World next;
  next.voters = place(key.voters);
  next.quorum = key.quorum;
  next.names = place(setting_for(key).names);
  next.count = setting_for(key).count;
  const auto commits = world.before | acknowledged_now(world);
  for (Mask held = 0; held < 16; ++held) {
    if ((commits >> held & 1U) != 0) next.before |= 1U << (held | winner);
  }
  next.before = hardest(next.before);
  if (next.quorum == 0) next.ready = next.voters;  // each alone could have been elected
  return next;
}

// Nobody counts as ready who lacks a commit from before.
bool ready_is_true(const World& world) {
  for (Mask held = 0; held < 16; ++held) {
    if ((world.before >> held & 1U) != 0 && (world.ready & ~held) != 0) return false;
  }
  return true;
}

SyncGoal goal_of(Mask mask, std::int64_t wanted, bool all) {
  const auto count = all ? size_of(mask) : std::min(wanted, size_of(mask));
  return {names_of_mask(mask), count, all};
}

// All worlds that any row of goals can lead to, with standbys getting ready or not, the machine
// interrupted after each step, and whoever can be elected being elected.
class Everything {
 public:
  Everything(Mask nodes, std::vector<SyncGoal> goals) : nodes_(nodes), goals_(std::move(goals)) {
    visit(World{});
    while (!open_.empty() && ok_) {
      const World world = open_.front();
      open_.pop_front();
      for (const auto& goal : goals_) visit(after(world, next_sync_step(world.state(), goal)));
      for (Mask node = 1; node <= nodes_; node <<= 1U) {
        if ((world.names & node & ~world.ready) != 0) visit(with_ready(world, node));
        if (world.voters != 0) visit(elected(world, node));
      }
    }
  }
  const std::vector<World>& worlds() const { return all_; }
  bool ok() const { return ok_; }

 private:
  void visit(const World& world) {
    if (!seen_.insert(world.code()).second) return;
    all_.push_back(world);
    open_.push_back(world);
    if (nothing_can_be_lost(world) && ready_is_true(world)) return;
    ok_ = false;
    ADD_FAILURE() << "a commit can be lost: voters " << world.voters << " quorum " << world.quorum
                  << " names " << world.names << " count " << world.count << " ready "
                  << world.ready << " before " << world.before;
  }

  Mask nodes_;
  std::vector<SyncGoal> goals_;
  std::unordered_set<std::uint64_t> seen_;
  std::deque<World> open_;
  std::vector<World> all_;
  bool ok_ = true;
};

std::vector<SyncGoal> quorum_goals(Mask nodes, std::int64_t wanted) {
  std::vector<SyncGoal> goals;
  for (Mask mask = 0; mask <= nodes; ++mask) goals.push_back(goal_of(mask, wanted, false));
  return goals;
}

std::vector<SyncGoal> priority_goals(Mask nodes) {
  std::vector<SyncGoal> goals;
  for (Mask mask = 0; mask <= nodes; ++mask) goals.push_back(goal_of(mask, 0, true));
  return goals;
}

// Whatever was, the goal is reached when standbys get ready one after the other. Worlds on the way
// to the same goal that were tried before are not tried again.
class Arrival {
 public:
  explicit Arrival(SyncGoal goal) : goal_(std::move(goal)) {}

  void expect_from(World world) {
    for (int i = 0; i < 40; ++i) {
      world.before = 0;  // the machine does not know it
      if (!arrived_.insert(world.code()).second) return;
      const auto step = next_sync_step(world.state(), goal_);
      if (std::holds_alternative<SyncDone>(step)) return expect_goal(world);
      if (std::holds_alternative<SyncWait>(step)) {
        const Mask missing = world.names & ~world.ready;
        ASSERT_NE(missing, 0U) << "waits for nobody: voters " << world.voters << " q "
                               << world.quorum << " names " << world.names << " goal "
                               << mask_of(goal_.names);
        world.ready |= missing & (~missing + 1);
      } else {
        world = after(world, step);
      }
    }
    ADD_FAILURE() << "never arrives";
  }

 private:
  void expect_goal(const World& world) const {
    EXPECT_EQ(names_of_mask(world.voters), goal_.names);
    EXPECT_EQ(names_of_mask(world.names), goal_.names);
    EXPECT_EQ(world.quorum, static_cast<std::int64_t>(goal_.names.size()) - goal_.count);
  }

  SyncGoal goal_;
  std::unordered_set<std::uint64_t> arrived_;
};

void expect_arrival_everywhere(const std::vector<World>& worlds,
                               const std::vector<SyncGoal>& goals) {
  for (const auto& goal : goals) {
    Arrival arrival(goal);
    for (const auto& world : worlds) {
      arrival.expect_from(world);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(Quorum, NoCommitIsLostInFourNodesWhateverTheModesAndCountsBecome) {
  auto goals = priority_goals(7);
  for (const std::int64_t wanted : {1, 2, 3}) {
    for (auto& goal : quorum_goals(7, wanted)) goals.push_back(std::move(goal));
  }
  const Everything everything(7, goals);
  EXPECT_TRUE(everything.ok());
  expect_arrival_everywhere(everything.worlds(), goals);
}

TEST(Quorum, NoCommitIsLostInFiveNodesWhateverTheModesAndCountsBecome) {
  auto goals = priority_goals(15);
  for (const std::int64_t wanted : {1, 2, 3, 4}) {
    for (auto& goal : quorum_goals(15, wanted)) goals.push_back(std::move(goal));
  }
  const Everything everything(15, goals);
  EXPECT_TRUE(everything.ok());
  expect_arrival_everywhere(everything.worlds(), goals);
}

// ---- the order that operators see (contract ha 17.4) ----

SyncSetting setting(Mask names, std::int64_t count) { return {names_of_mask(names), count}; }
SyncKey key(Mask voters, std::int64_t quorum) { return {names_of_mask(voters), quorum}; }

TEST(Quorum, ServerWaitsForStandbysBeforeTheyCanBeElected) {
  const auto goal = goal_of(7, 2, false);
  EXPECT_EQ(next_sync_step({}, goal), SyncStep(setting(7, 2)));
  EXPECT_EQ(next_sync_step({{}, setting(7, 2), {}}, goal), SyncStep(SyncWait{}));
  EXPECT_EQ(next_sync_step({{}, setting(7, 2), names_of_mask(7)}, goal), SyncStep(key(7, 1)));
}

TEST(Quorum, DeadVoterIsNoLongerWaitedForBeforeItIsNoVoter) {
  const auto goal = goal_of(3, 2, false);
  EXPECT_EQ(next_sync_step({key(7, 1), setting(7, 2), names_of_mask(7)}, goal),
            SyncStep(setting(3, 2)));
  EXPECT_EQ(next_sync_step({key(7, 1), setting(3, 2), names_of_mask(3)}, goal),
            SyncStep(key(3, 0)));
}

TEST(Quorum, ReturningVoterIsCountedBeforeItIsWaitedFor) {
  const auto goal = goal_of(7, 2, false);
  EXPECT_EQ(next_sync_step({key(3, 0), setting(3, 2), {}}, goal), SyncStep(key(7, 1)));
  EXPECT_EQ(next_sync_step({key(7, 1), setting(3, 2), {}}, goal), SyncStep(setting(7, 2)));
}

TEST(Quorum, PriorityModeNamesNobodyWhoIsNotProven) {
  const auto goal = goal_of(3, 0, true);
  EXPECT_EQ(next_sync_step({key(1, 0), setting(1, 1), names_of_mask(1)}, goal),
            SyncStep(setting(3, 2)));
  EXPECT_EQ(next_sync_step({key(1, 0), setting(3, 2), names_of_mask(1)}, goal),
            SyncStep(SyncWait{}));
  EXPECT_EQ(next_sync_step({key(1, 0), setting(3, 2), names_of_mask(3)}, goal),
            SyncStep(key(3, 0)));
}

TEST(Quorum, PriorityModeUnpublishesBeforeTheServerStopsWaiting) {
  const auto goal = goal_of(2, 0, true);
  EXPECT_EQ(next_sync_step({key(1, 0), setting(1, 1), names_of_mask(1)}, goal),
            SyncStep(key(0, 0)));
}

TEST(Quorum, UnsafeKeyOfSomebodyElseIsEmptiedFirst) {
  EXPECT_EQ(next_sync_step({key(7, 0), setting(7, 1), {}}, goal_of(7, 1, false)),
            SyncStep(key(0, 0)));
}

}  // namespace
}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Pause and resumption of poolers (safety 5.1).
#include "core/pooler_pause.h"

#include <gtest/gtest.h>

#include "core/decide.h"
#include "tests/support/given.h"

namespace tanist {
namespace {

using testing::at_ms;
using testing::find_task;
using testing::Given;

TaskEnd ended(std::int64_t ms, bool ok, std::int64_t revision = 0) {
  return {.ok = ok,
          .verdict = ok ? StoreVerdict::done : StoreVerdict::unknown,
          .error = {},
          .at = at_ms(ms),
          .revision = Revision(revision)};
}

// The leader "a" at the step of its switchover that pauses.
Given switching_over() {
  Given given("a");
  given.node().paused_poolers = {"10.0.0.9:6432"};
  given.node().pooler_databases = {"app"};
  Job job;
  job.kind = JobKind::demote_handing_over;
  job.label = "switchover: demote";
  while (current_step(job) != Step::pause_poolers) ++job.step;
  job.step_began = at_ms(-100);
  given.memory().job = job;
  return given;
}

// The state of the step, and what it ordered.
struct Taken {
  bool done = false;
  Decision decision;
};
Taken take_step(Given& given) {
  const auto obs = given.build();
  Draft draft(obs);
  const auto state = pause_poolers(draft);
  return {std::holds_alternative<StepDone>(state), draft.finish(because(Reason::observing))};
}

const TellPoolers* told(const Decision& decision, Task task) {
  const auto* started = find_task(decision, task);
  const auto* agent = started != nullptr ? std::get_if<AgentAction>(&started->body) : nullptr;
  return agent != nullptr ? std::get_if<TellPoolers>(agent) : nullptr;
}

const Commit* record(const Decision& decision) {
  return testing::find_store<Commit>(decision, Task::write_poolers);
}

// What whoever leads next has to resume stands in the store first.
TEST(PoolerPause, IsRecordedBeforeItBegins) {
  auto given = switching_over();
  const auto first = take_step(given);
  EXPECT_FALSE(first.done);
  ASSERT_NE(record(first.decision), nullptr);
  EXPECT_EQ(record(first.decision)->reign, given.build().lock.reign);
  EXPECT_NE(record(first.decision)->writes.front().value->find("10.0.0.9:6432"), std::string::npos);
  EXPECT_EQ(told(first.decision, Task::pause_poolers), nullptr);

  given.memory().job->step_started = true;
  given.obs().ends[Task::write_poolers] = ended(-50, true, 130);
  const auto second = take_step(given);
  EXPECT_FALSE(second.done);
  ASSERT_NE(told(second.decision, Task::pause_poolers), nullptr);
  EXPECT_EQ(told(second.decision, Task::pause_poolers)->what, TellPoolers::What::pause);
  EXPECT_EQ(find_task(second.decision, Task::pause_poolers)->until, at_ms(1000)) << "safety 5.1";
}

TEST(PoolerPause, EndsWhateverThePoolersSay) {
  auto given = switching_over();
  given.memory().job->step_started = true;
  given.obs().ends[Task::write_poolers] = ended(-50, true, 130);
  given.obs().ends[Task::pause_poolers] = ended(-10, false);
  EXPECT_TRUE(take_step(given).done);
}

TEST(PoolerPause, DoesNotBeginUnlessTheRecordIsConfirmed) {
  auto given = switching_over();
  given.memory().job->step_started = true;
  given.obs().ends[Task::write_poolers] = ended(-50, false);
  const auto taken = take_step(given);
  EXPECT_TRUE(taken.done);
  EXPECT_EQ(told(taken.decision, Task::pause_poolers), nullptr);
}

TEST(PoolerPause, IsLeftOutWhereAMemberWouldNotResume) {
  auto given = switching_over();
  given.member("c").tanist_version.clear();  // a Patroni
  EXPECT_TRUE(take_step(given).done);
  auto not_configured = switching_over();
  not_configured.node().paused_poolers.clear();
  EXPECT_TRUE(take_step(not_configured).done);
}

Given leader_after_pause(const std::string& me = "a") {
  Given given(me);
  given.view().poolers = PoolersView{{"10.0.0.9:6432"}, {"app"}, Revision(90)};
  return given;
}

// Also one that paused nothing itself and has no pooler configured.
TEST(PoolerResumption, IsTheDutyOfWhoeverLeads) {
  auto given = leader_after_pause();
  const auto decision = decide(given.build());
  const auto* resumed = told(decision, Task::resume_poolers);
  ASSERT_NE(resumed, nullptr);
  EXPECT_EQ(resumed->what, TellPoolers::What::resume);
  EXPECT_EQ(resumed->hosts, std::vector<std::string>{"10.0.0.9:6432"});
  EXPECT_EQ(resumed->databases, std::vector<std::string>{"app"});
  EXPECT_EQ(told(decide(leader_after_pause("b").build()), Task::resume_poolers), nullptr);
}

TEST(PoolerResumption, WaitsUntilTheServerTakesWrites) {
  auto given = leader_after_pause();
  given.runs_as_standby();
  EXPECT_EQ(told(decide(given.build()), Task::resume_poolers), nullptr);
}

TEST(PoolerResumption, ForgetsTheRecordOnceAllHaveConfirmed) {
  auto given = leader_after_pause();
  given.obs().ends[Task::resume_poolers] = ended(-10, true);
  const auto decision = decide(given.build());
  ASSERT_NE(record(decision), nullptr);
  EXPECT_EQ(record(decision)->expect.front().revision, Revision(90));
  EXPECT_FALSE(record(decision)->writes.front().value.has_value());
  EXPECT_EQ(told(decision, Task::resume_poolers), nullptr);
  // The view shows it a moment longer.
  given.obs().ends[Task::write_poolers] = ended(-5, true, 91);
  const auto later = decide(given.build());
  EXPECT_EQ(record(later), nullptr);
  EXPECT_EQ(told(later, Task::resume_poolers), nullptr);
}

// An order to pause may overtake the first resumption on its way.
TEST(PoolerResumption, IsRepeatedOnceItIsCertainThatNothingIsOnItsWay) {
  auto given = leader_after_pause();
  given.obs().lock.taken_at = at_ms(-2000);
  given.obs().ends[Task::resume_poolers] = ended(-1900, true);
  const auto soon = decide(given.build());
  EXPECT_EQ(told(soon, Task::resume_poolers), nullptr);
  EXPECT_EQ(record(soon), nullptr);
  EXPECT_LE(soon.wake_at, at_ms(3000));
  given.obs().lock.taken_at = at_ms(-5000);
  EXPECT_NE(told(decide(given.build()), Task::resume_poolers), nullptr);
  given.obs().ends[Task::resume_poolers] = ended(-10, true);
  given.obs().lock.taken_at = at_ms(-5010);
  EXPECT_NE(record(decide(given.build())), nullptr);
}

TEST(PoolerResumption, IsRepeatedOnceASecondUntilConfirmed) {
  auto given = leader_after_pause();
  given.obs().ends[Task::resume_poolers] = ended(-900, false);
  const auto soon = decide(given.build());
  EXPECT_EQ(told(soon, Task::resume_poolers), nullptr);
  EXPECT_LE(soon.wake_at, at_ms(100));
  given.obs().ends[Task::resume_poolers] = ended(-1000, false);
  EXPECT_NE(told(decide(given.build()), Task::resume_poolers), nullptr);
}

// The old leader, when its switchover came to nothing: an earlier confirmation proves nothing.
TEST(PoolerResumption, ConcernsThePauseThatIsRecorded) {
  auto given = leader_after_pause();
  given.obs().ends[Task::resume_poolers] = ended(-60'000, true);
  given.obs().ends[Task::write_poolers] = ended(-1000, true, 90);
  EXPECT_NE(told(decide(given.build()), Task::resume_poolers), nullptr);
}

}  // namespace
}  // namespace tanist

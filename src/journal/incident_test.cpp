// SPDX-License-Identifier: Apache-2.0
// Changes of leadership out of stories, one sentence a test.
#include "journal/incident.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace tanist::journal {
namespace {

WallTime ms(std::int64_t value) {
  return WallTime(std::chrono::hours(500'000)) + milliseconds(value);
}

const MemberName a("a");
const MemberName b("b");
const MemberName c("c");

StoryLine decision(const MemberName& member, std::int64_t at, Reason reason) {
  StoryLine line{.member = member, .at = ms(at), .text = std::string(name_of(reason))};
  line.is_decision = true;
  line.reason = reason;
  line.alive = true;
  line.in_recovery = true;
  line.is_streaming = true;
  line.store_is_current = true;
  line.has_view = true;
  line.leader = a;
  line.ttl = seconds(5);
  line.view_at = ms(at);
  line.position = Lsn(1000);
  line.optime = Lsn(1000);
  return line;
}

StoryLine leading(std::int64_t at, Reason reason) {
  auto line = decision(a, at, reason);
  line.in_recovery = false;
  line.is_streaming = false;
  line.reign = Revision(10);
  line.taken_at = ms(-100'000);
  return line;
}

StoryLine vacant(const MemberName& member, std::int64_t at, Reason reason, bool released = false) {
  auto line = decision(member, at, reason);
  line.leader = {};
  line.is_streaming = false;
  line.lost =
      LostLeader{LeaderView{a, Revision(10), Revision(10), {}}, Revision(55), released, true, ""};
  return line;
}

StoryLine winning(std::int64_t at, std::int64_t taken_at, bool writable) {
  auto line = decision(b, at, Reason::leader_promoting_after_race);
  line.leader = b;
  line.is_streaming = false;
  line.reign = Revision(60);
  line.taken_at = ms(taken_at);
  line.in_recovery = !writable;
  line.timeline = Timeline(writable ? 2 : 1);
  return line;
}

// a falls silent; b sees its stream break at 100, the lock end at 5100, and wins.
Stories silent_leader() {
  Stories stories;
  stories[a] = {leading(-50'000, Reason::leader_steady)};
  auto broken = decision(b, 100, Reason::following_leader);
  broken.is_streaming = false;
  auto routed = decision(b, 5600, Reason::observing);
  routed.is_decision = false;
  routed.is_routed = true;
  stories[b] = {decision(b, -60'000, Reason::following_leader),
                broken,
                vacant(b, 5100, Reason::race_asking_peers),
                winning(5130, 5125, false),
                winning(5300, 5125, true),
                routed};
  auto loser = vacant(c, 5110, Reason::race_not_healthiest);
  loser.remarks = {"Wal position of b is ahead of my wal position"};
  stories[c] = {decision(c, -60'000, Reason::following_leader), loser};
  return stories;
}

Incident only(const Stories& stories) {
  const auto incidents = incidents_in(stories);
  EXPECT_EQ(incidents.size(), 1U);
  return incidents.empty() ? Incident() : incidents.front();
}

// What the member is told to have said; empty if nothing.
std::string voice_in(const Incident& incident, const MemberName& member) {
  const auto voice = std::ranges::find(incident.voices, member, &Voice::member);
  return voice == incident.voices.end() ? "" : voice->text;
}

TEST(Incidents, OfASilentLeader) {
  const auto incident = only(silent_leader());
  EXPECT_EQ(incident.old_leader, a);
  EXPECT_EQ(incident.new_leader, b);
  EXPECT_EQ(incident.cause, Cause::silence);
  EXPECT_EQ(incident.reign, Revision(60));
  EXPECT_TRUE(incident.writable);
  EXPECT_EQ(incident.timeline, Timeline(2));
}

TEST(Incidents, PhasesAddUp) {
  const auto phases = only(silent_leader()).phases;
  EXPECT_EQ(phases.detection, std::nullopt);
  EXPECT_EQ(phases.lease, 5000);
  EXPECT_FALSE(phases.lease_is_estimated);
  EXPECT_EQ(phases.race, 25);
  EXPECT_EQ(phases.promote, 175);
  EXPECT_EQ(phases.routing, 300);
  EXPECT_EQ(total_ms(phases), 5500);
}

TEST(Incidents, WithoutASignTheLeaseIsEstimated) {
  auto stories = silent_leader();
  stories[b].erase(stories[b].begin() + 1);
  const auto phases = only(stories).phases;
  EXPECT_EQ(phases.lease, 5000);
  EXPECT_TRUE(phases.lease_is_estimated);
}

TEST(Incidents, TheLosersReasonIsTold) {
  EXPECT_EQ(voice_in(only(silent_leader()), c),
            "race_not_healthiest (Wal position of b is ahead of my wal position)");
}

// b was so quick that c had not even looked at its server.
TEST(Incidents, OneThatWasStillLookingSaysSo) {
  auto stories = silent_leader();
  stories[c] = {decision(c, -60'000, Reason::following_leader), vacant(c, 5110, Reason::observing)};
  EXPECT_EQ(voice_in(only(stories), c),
            "was still looking at its own server when the lock was taken");
}

TEST(Incidents, OneThatWasStillAskingSaysSo) {
  auto stories = silent_leader();
  stories[c] = {decision(c, -60'000, Reason::following_leader), vacant(c, 5110, Reason::observing),
                vacant(c, 5120, Reason::race_asking_peers)};
  EXPECT_EQ(voice_in(only(stories), c),
            "was still asking the other members when the lock was taken");
}

TEST(Incidents, LookingAgainDoesNotHideAVerdict) {
  auto stories = silent_leader();
  stories[c].push_back(vacant(c, 5120, Reason::observing));
  EXPECT_EQ(voice_in(only(stories), c),
            "race_not_healthiest (Wal position of b is ahead of my wal position)");
}

TEST(Incidents, TheOldLeaderTellsTheCauseWhenItCan) {
  auto stopping = leading(4000, Reason::shutting_down);
  stopping.shutting_down = true;
  auto request = leading(4000, Reason::switchover_demoting);
  request.request = FailoverView{.leader = a, .member = b};
  auto crashed = leading(4000, Reason::starting_primary_after_failure);
  crashed.alive = false;
  auto cut_off = leading(4000, Reason::leader_deadline_near);
  auto robbed = leading(4000, Reason::leader_lost_lock);
  for (const auto& [line, cause] :
       {std::pair(stopping, Cause::agent_stopped), std::pair(request, Cause::switchover),
        std::pair(crashed, Cause::server_crashed), std::pair(cut_off, Cause::store_lost),
        std::pair(robbed, Cause::lock_lost)}) {
    auto stories = silent_leader();
    stories[a].push_back(line);
    EXPECT_EQ(only(stories).cause, cause);
  }
}

TEST(Incidents, DetectionIsFromTheFirstSignToTheFirstAct) {
  auto stories = silent_leader();
  auto doubtful = leading(1000, Reason::leader_steady);
  doubtful.store_is_current = false;
  stories[a].push_back(doubtful);
  stories[a].push_back(leading(3500, Reason::leader_deadline_near));
  const auto phases = only(stories).phases;
  EXPECT_EQ(phases.detection, 2500);
  EXPECT_EQ(phases.lease, 1600);
}

TEST(Incidents, TroubleThatPassedIsNoCause) {
  auto stories = silent_leader();
  auto doubtful = leading(-40'000, Reason::leader_steady);
  doubtful.store_is_current = false;
  stories[a].push_back(doubtful);
  stories[a].push_back(leading(-30'000, Reason::leader_steady));
  EXPECT_EQ(only(stories).cause, Cause::silence);
}

TEST(Incidents, AWinnerAloneKnowsWhetherTheLockWasReleased) {
  auto stories = silent_leader();
  stories.erase(a);
  EXPECT_EQ(only(stories).cause, Cause::silence);
  stories[b][2] = vacant(b, 5100, Reason::race_asking_peers, true);
  EXPECT_EQ(only(stories).cause, Cause::released);
  stories[b][2].request = FailoverView{.leader = a};
  EXPECT_EQ(only(stories).cause, Cause::switchover);
}

TEST(Incidents, LossIsKnownWhenTheOldLeaderIsBack) {
  auto stories = silent_leader();
  EXPECT_EQ(only(stories).lost_bytes, std::nullopt);
  auto back = decision(a, 20'000, Reason::examining_divergence);
  DivergenceFacts facts;
  facts.local_known = facts.leader_known = true;
  facts.local_timeline = Timeline(1);
  facts.local_lsn = Lsn(1300);
  facts.leader_timeline = Timeline(2);
  facts.leader_history = {{Timeline(1), Lsn(1100), "", "", ""}};
  back.divergence = facts;
  stories[a].push_back(back);
  EXPECT_EQ(only(stories).lost_bytes, 200U);
}

TEST(Incidents, TheFirstLeaderIsABootstrap) {
  Stories stories;
  auto making = vacant(b, 0, Reason::bootstrap_in_progress);
  making.lost.reset();
  making.bootstrapping = true;
  stories[b] = {making, winning(9000, 9000, true)};
  const auto incident = only(stories);
  EXPECT_EQ(incident.cause, Cause::bootstrap);
  EXPECT_EQ(incident.phases.race, std::nullopt);
  EXPECT_EQ(incident.lost_bytes, 0U);
}

TEST(Incidents, TheOwnLockMayBeSeenBeforeItsAnswerComes) {
  auto stories = silent_leader();
  auto seen = winning(5126, 5125, false);
  seen.reign.reset();
  stories[b].insert(stories[b].begin() + 3, seen);
  const auto incident = only(stories);
  EXPECT_EQ(incident.old_leader, a);
  EXPECT_EQ(incident.phases.race, 25);
}

TEST(Incidents, ARestartedAgentIsNone) {
  Stories stories;
  auto unproven = leading(0, Reason::starting_up);
  unproven.reign.reset();
  stories[a] = {unproven, leading(100, Reason::leader_steady)};
  EXPECT_TRUE(incidents_in(stories).empty());
}

TEST(Incidents, AJournalThatBeginsInAReignTellsNothingOfItsBeginning) {
  Stories stories;
  stories[a] = {leading(0, Reason::leader_steady), leading(100, Reason::leader_steady)};
  EXPECT_TRUE(incidents_in(stories).empty());
}

TEST(Clocks, AreSetByTheRevisionsThatTwoSaw) {
  Stories stories;
  for (int i = 0; i < 9; ++i) {
    auto mine = decision(a, i * 1000, Reason::following_leader);
    auto theirs = decision(b, i * 1000 + 1500 + i % 3, Reason::following_leader);
    mine.view_revision = theirs.view_revision = Revision(100 + i);
    stories[a].push_back(mine);
    if (i > 0) stories[b].push_back(theirs);
  }
  const auto offsets = align_clocks(stories);
  ASSERT_EQ(offsets.size(), 2U);
  EXPECT_EQ(offsets[0].ahead.count(), 0);
  EXPECT_EQ(offsets[1].ahead, std::chrono::microseconds(1'501'000));
  // The first view of an agent may be old and does not count.
  EXPECT_EQ(offsets[1].samples, 7U);
  EXPECT_LE(std::chrono::abs(stories[b][0].at - stories[a][1].at), milliseconds(2));
}

TEST(Clocks, WithoutACommonRevisionStayAsTheyAre) {
  Stories stories;
  stories[a] = {decision(a, 0, Reason::following_leader)};
  stories[b] = {decision(b, 777, Reason::following_leader)};
  const auto offsets = align_clocks(stories);
  EXPECT_EQ(offsets[1].samples, 0U);
  EXPECT_EQ(stories[b][0].at, ms(777));
}

}  // namespace
}  // namespace tanist::journal

// SPDX-License-Identifier: Apache-2.0
// The race, check by check in the contract's order. Pure; any thread.
#include "core/leader_race.h"

#include "core/candidates.h"
#include "core/divergence.h"
#include "core/failover_request.h"
#include "core/failsafe.h"
#include "core/identity.h"
#include "core/local_server.h"
#include "core/peer_round.h"
#include "core/published_values.h"
#include "core/replica.h"
#include "core/synchronous_view.h"
#include "core/wal_standing.h"
#include "core/watchdog.h"

namespace tanist {

std::map<MemberName, MemberView> known_members(const Observation& obs) {
  std::map<MemberName, MemberView> members;
  if (obs.memory->locked_view) members = obs.memory->locked_view->members;
  if (obs.cluster->failsafe_mode && obs.view().failsafe) {
    for (const auto& [name, url] : obs.view().failsafe->members) {
      auto& member = members[name];
      member.name = name;
      member.api_url = url;
    }
  }
  for (const auto& [name, member] : obs.view().members) members.insert_or_assign(name, member);
  return members;
}

namespace {

// Of the own history file.
constexpr Duration history_limit = seconds(2);
constexpr Duration history_again = seconds(10);
// Of voters that have not looked at their log since nobody leads.
constexpr Duration late_votes_max = seconds(2);
constexpr Duration late_votes_again = milliseconds(50);

MemberName former_leader(const Observation& obs) {
  if (synchronous_active(obs)) return obs.view().sync->leader;
  const auto& locked = obs.memory->locked_view;
  return locked && locked->leader ? locked->leader->name : MemberName();
}

// Own fitness by position and timeline (contract ha 7.4 rows 1-3).
bool position_suffices(Draft& draft, bool lag_limit) {
  const auto& obs = draft.obs;
  const auto optime = published_position(obs).value();
  const auto mine = own_common_position(obs).value();
  const auto limit =
      static_cast<std::uint64_t>(std::max<std::int64_t>(obs.cluster->lag_bytes_max_on_failover, 0));
  // In a standby cluster the remote server has what is missing. What `/status` says may be of a
  // time when the cluster wrote for itself, and then nobody will ever reach it.
  const bool bound = lag_limit && !in_standby_cluster(obs);
  if (bound && optime > mine && optime - mine > limit) {
    draft.log(LineLevel::info, "My wal position exceeds maximum replication lag");
    return false;
  }
  if (in_standby_cluster(obs) || !obs.cluster->check_timeline) return true;
  const auto timeline = local_timeline(obs);
  if (timeline == Timeline()) {
    draft.log(LineLevel::info, "Can not figure out my timeline");
    return false;
  }
  if (timeline < obs.view().timeline()) {
    draft.log(LineLevel::info, "My timeline {} is behind last known cluster timeline {}",
              timeline.value(), obs.view().timeline().value());
    return false;
  }
  return true;
}

// The answers of one round, weighed one after the other (contract ha 7.4 rows 5-9).
class Weighing {
 public:
  Weighing(Draft& draft, const Comparison& comparison)
      : draft_(draft), obs_(draft.obs), comparison_(comparison) {
    const bool voter = quorum_active(obs_) && in_sync(*obs_.view().sync, obs_.node->name);
    votes_ = voter ? 0 : -1;
  }

  // False when this answer forbids us the lock.
  bool take(const PeerReport& report) {
    if (report.is_primary && report.answered) {
      draft_.log(LineLevel::warning, "Primary ({}) is still alive", report.name.value());
      return false;
    }
    if (!limitation(report).empty() || is_no_rival(report)) return true;
    const auto standing = standing_of(obs_, report);
    if (standing == Standing::ahead) return take_ahead(report);
    if (standing == Standing::level && !yields(report)) return false;
    if (report.wal_position == Lsn() || !votes_for_us(report)) return true;
    if (report.position_is_old) {
      late_vote_ = true;
    } else {
      draft_.log(LineLevel::info, "Got quorum vote from {}", report.name.value());
      ++votes_;
    }
    return true;
  }

  // A voter had not looked at its log since it saw that nobody leads, or has not seen that yet.
  bool awaits_vote() const { return late_vote_; }

  bool wins() const {
    if (!quorum_active(obs_)) return true;
    const auto& sync = *obs_.view().sync;
    return votes_ >= sync.quorum || (ahead_ == 0 && same_name(sync.leader, obs_.node->name));
  }

 private:
  // Who may not lead, because an isolated leader does not ask it, keeps nobody else from it: how
  // far we may be behind is limited by what was published. Where `/sync` binds, its log counts.
  bool is_no_rival(const PeerReport& report) const {
    return !synchronous_active(obs_) && !in_failsafe_map(obs_, report.name);
  }

  bool votes_for_us(const PeerReport& report) const {
    return quorum_active(obs_) && in_sync(*obs_.view().sync, report.name);
  }

  bool take_ahead(const PeerReport& report) {
    draft_.log(LineLevel::info, "Wal position of {} is ahead of my wal position",
               report.name.value());
    if (!synchronous_active(obs_) || !same_name(obs_.view().sync->leader, report.name)) {
      return false;
    }
    draft_.log(LineLevel::info, "Ignoring the former leader being ahead of us");
    ++ahead_;
    return true;
  }

  // Equal positions: the higher priority goes first, but not the former leader's.
  bool yields(const PeerReport& report) {
    if (!in_failsafe_map(obs_, report.name)) return true;  // it may not lead (seed 10303854)
    const auto theirs = report.tags.failover_priority;
    const auto mine = obs_.node->tags.failover_priority;
    if (theirs <= mine) return true;
    if (same_name(report.name, comparison_.former_leader)) {
      draft_.log(LineLevel::info, "Ignoring former leader {} having priority {}",
                 report.name.value(), theirs);
      return true;
    }
    if (quorum_active(obs_) && !in_sync(*obs_.view().sync, report.name)) return true;
    draft_.log(LineLevel::info,
               "{} has equally tolerable WAL position and priority {}, while this node has "
               "priority {}",
               report.name.value(), theirs, mine);
    return false;
  }

  Draft& draft_;
  const Observation& obs_;
  const Comparison& comparison_;
  std::int64_t votes_ = -1;
  bool late_vote_ = false;
  std::int64_t ahead_ = 0;
};

// Read beside the round of questions. A file that cannot be read says nothing.
bool own_history_is_read(Draft& draft) {
  if (!own_history_is_wanted(draft.obs)) return true;
  const auto end = draft.obs.ends.find(Task::read_history);
  const bool failed = end != draft.obs.ends.end() && !end->second.ok &&
                      draft.obs.now < end->second.at + history_again;
  if (failed) return true;
  draft.start(Task::read_history, ReadHistory{local_timeline(draft.obs)}, history_limit);
  return false;
}

// While a voter may soon be ready; later the next regular cycle asks.
bool asks_again(Draft& draft, std::vector<PeerAddress> peers) {
  const auto& obs = draft.obs;
  const auto& since = draft.next.unlocked_since;
  if (!since || obs.now >= *since + late_votes_max) return false;
  const auto again = obs.peers.asked_at + late_votes_again;
  if (obs.now < again) {
    draft.wake(again);
  } else {
    std::uint64_t another = 0;
    answers(draft, another, std::move(peers));
  }
  return true;
}

}  // namespace

Verdict compare_with_peers(Draft& draft, const Comparison& comparison) {
  const bool read = own_history_is_read(draft);
  if (!position_suffices(draft, comparison.lag_limit)) return Verdict::no;
  auto round = draft.next.last_round;
  const auto peers = addresses_of(draft.obs, comparison.members);
  const auto* answered = answers(draft, round, peers);
  if (answered == nullptr || !read) return Verdict::asking;
  Weighing weighing(draft, comparison);
  for (const auto& report : answered->reports) {
    if (!weighing.take(report)) return Verdict::no;
  }
  if (weighing.wins()) return Verdict::yes;
  return weighing.awaits_vote() && asks_again(draft, peers) ? Verdict::asking : Verdict::no;
}

namespace {

bool backs_off_after_pre_promote(Draft& draft) {
  const auto& failed_at = draft.next.pre_promote_failed_at;
  if (!failed_at || draft.obs.now >= *failed_at + draft.obs.timing.ttl) return false;
  draft.log(LineLevel::info,
            "backoff: skip leader race after pre_promote script failure and releasing the lock "
            "voluntarily");
  draft.wake(*failed_at + Duration(draft.obs.timing.ttl));
  return true;
}

// Without the guard that the operator requires no new reign begins.
bool lacks_required_guard(Draft& draft) {
  const auto& obs = draft.obs;
  const bool lacks =
      obs.node->guard == GuardMode::required && obs.local.guard == GuardState::absent;
  if (lacks) draft.log(LineLevel::warning, "The guard is required and does not run");
  return lacks;
}

bool lacks_required_watchdog(Draft& draft) {
  if (!watchdog_failed(draft.obs) || in_standby_cluster(draft.obs)) return false;
  draft.log(LineLevel::warning, "Watchdog device is not usable");
  return true;
}

bool lacks_storage(Draft& draft) {
  const auto& storage = draft.obs.local.storage;
  if (storage.good_enough()) return false;
  draft.log(LineLevel::warning, "My storage is {} ({}): no candidate", name_of(storage.state),
            storage.detail);
  return true;
}

// Only the last leader and members listed in /sync may race; with quorum others by votes.
bool allowed_by_sync(const Observation& obs) {
  if (!synchronous_active(obs) || quorum_active(obs)) return true;
  return in_sync(*obs.view().sync, obs.node->name);
}

// A switchover stays within `/sync`, in quorum mode too (contract ha 7.3 row 8).
bool listed_in_sync(const Observation& obs) {
  return !synchronous_active(obs) || in_sync(*obs.view().sync, obs.node->name);
}

Comparison automatic_comparison(const Observation& obs) {
  Comparison comparison{
      .lag_limit = true, .members = known_members(obs), .former_leader = former_leader(obs)};
  if (synchronous_active(obs)) {
    std::erase_if(comparison.members,
                  [&](const auto& entry) { return !in_sync(*obs.view().sync, entry.first); });
  }
  return comparison;
}

// A running primary in an unlocked cluster: only in pause, or when it was never ours to stop
// (an unmanaged server that is being taken over; the fence rule has let it live).
Verdict primary_verdict(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& initialize = obs.view().initialize;
  if (paused(obs)) {
    const bool ours = !initialize || initialize->system_id.value().empty() ||
                      initialize->system_id == local_system_id(obs);
    return ours ? Verdict::yes : Verdict::no;
  }
  if (local_timeline(obs) >= obs.view().timeline()) return Verdict::yes;
  draft.log(LineLevel::warning, "My timeline {} is behind last known cluster timeline {}",
            local_timeline(obs).value(), obs.view().timeline().value());
  return Verdict::no;
}

// A lock that was freed for a switchover is not reserved for ever: who was meant may never be able
// to take it, and the old leader never come back (safety 7, liveness). Then it is a failover.
bool reservation_is_over(Draft& draft) {
  const auto& obs = draft.obs;
  if (!obs.view().failover->is_switchover() || paused(obs)) return false;
  const auto end = draft.next.unlocked_since.value_or(obs.now) + Duration(obs.timing.ttl);
  if (obs.now < end) draft.wake(end);
  return obs.now >= end;
}

}  // namespace

Verdict may_take_lock(Draft& draft) {
  const auto& obs = draft.obs;
  const auto& failover = obs.view().failover;
  const bool requested = failover && failover->present();
  if (backs_off_after_pre_promote(draft)) return Verdict::no;
  if (paused(obs) && !obs.node->tags.nofailover() && requested && !failover->scheduled_at) {
    const auto verdict = judge_request(draft);
    if (verdict != Verdict::undecided) return verdict;
  }
  if (draft.next.state == ServerState::starting || lacks_required_guard(draft)) return Verdict::no;
  if (is_primary(obs)) return primary_verdict(draft);
  if (paused(obs) || obs.node->tags.nofailover()) return Verdict::no;
  if (lacks_required_watchdog(draft) || lacks_storage(draft)) return Verdict::no;
  // Not for an operator either (safety 3.4). Who led last knows that no isolated leader is left: an
  // old map may lack it, and nobody else have what it acknowledged (seed 9900567).
  if (!in_failsafe_map(obs, obs.node->name) && !led_last_by_sync(obs)) {
    if (requested) {
      draft.log(LineLevel::warning,
                "I am not in /failsafe, so an isolated leader may still write: no candidate. "
                "Remedy: failsafe_mode: false, when it is sure that it has ended");
    }
    return Verdict::no;
  }
  if (requested && !reservation_is_over(draft)) {
    if (failover->is_switchover() && !listed_in_sync(obs)) return Verdict::no;
    const auto verdict = judge_request(draft);
    return verdict == Verdict::undecided ? Verdict::no : verdict;
  }
  if (!allowed_by_sync(obs)) return Verdict::no;
  return compare_with_peers(draft, automatic_comparison(obs));
}

namespace {

template <class T>
KeyCompare unchanged(StoreKey key, const std::optional<T>& seen) {
  return {key, seen ? seen->revision : Revision(0)};
}

}  // namespace

TakeLock attempt_on_lock(const Observation& obs, const Memory& memory) {
  const auto& view = obs.view();
  TakeLock take{
      .ttl = obs.timing.ttl,
      .expect = {unchanged(StoreKey::status, view.status), unchanged(StoreKey::sync, view.sync),
                 unchanged(StoreKey::failover, view.failover),
                 unchanged(StoreKey::config, view.config)},
      .identity = {},
      .member = text_form(member_value(obs, memory))};
  make_identity_last(obs, take);
  return take;
}

namespace {

// Seconds until the race may begin, by primary_race_backoff (contract ha 7.1).
std::optional<Duration> backoff_left(const Observation& obs) {
  const Duration backoff = obs.cluster->primary_race_backoff;
  const auto& failover = obs.view().failover;
  const bool named = failover && !failover->member.value().empty();
  if (paused(obs) || in_standby_cluster(obs) || named || backoff <= Duration(0)) return {};
  if (!obs.memory->unlocked_since || obs.memory->last_wal_position == Lsn()) return {};
  const Duration left = *obs.memory->unlocked_since + backoff - obs.now;
  const bool streaming =
      obs.local.server.query && obs.local.server.query->receiver_status == "streaming";
  const bool moved = wal_position(obs) > obs.memory->last_wal_position;
  if ((left > Duration(0) && streaming && moved) || left > backoff - obs.timing.loop_wait) {
    return left;
  }
  return {};
}

// A running primary that may not take the lock (contract ha 7.2): nobody may write here.
Why lose_as_primary(Draft& draft, bool nofailover) {
  if (paused(draft.obs)) return because(Reason::primary_without_lock_in_pause);
  draft.next.demoting = true;
  draft.next.role = Role::demoted;
  draft.log(LineLevel::info, "Demoting self (immediate-nolock)");
  draft.start(Task::fence, ServerAction(FenceServer{milliseconds(500)}), Instant::max());
  return because(nofailover ? Reason::demoting_not_allowed : Reason::demoting_not_healthiest);
}

Why lose(Draft& draft) {
  const auto& obs = draft.obs;
  const bool nofailover = obs.node->tags.nofailover();
  if (is_primary(obs)) return lose_as_primary(draft, nofailover);
  const auto& failover = obs.view().failover;
  const bool named = failover && !failover->member.value().empty();
  if (named || (nofailover && !paused(obs))) need_divergence_check(draft);
  // In pause standbys do not race at all: only what follow() does is worth a line.
  auto why = follow(draft);
  if (why && why->reason == Reason::following_nobody) return *why;
  return because(nofailover ? Reason::race_not_allowed : Reason::race_not_healthiest);
}

// The store refused our attempt: somebody was faster, or a key that it was decided on changed.
bool was_refused(const Observation& obs) {
  const auto end = obs.ends.find(Task::take_lock);
  return end != obs.ends.end() && end->second.verdict == StoreVerdict::refused &&
         end->second.at >= obs.cycle_began;
}

Why lose_to_another(Draft& draft) {
  draft.log(LineLevel::info, "Could not take out TTL lock");
  draft.wake(milliseconds(20));
  follow(draft);
  return because(Reason::race_lost);
}

// Before a voter's position counts for others. Its own attempt need not wait for that: what it
// still confirms, it has.
std::optional<Why> leave_former_leader(Draft& draft) {
  const auto& obs = draft.obs;
  const bool votes = quorum_active(obs) && in_sync(*obs.view().sync, obs.node->name);
  if (!votes || paused(obs) || is_primary(obs) || has_left_former_leader(obs)) return {};
  return follow(draft);
}

}  // namespace

Why race(Draft& draft) {
  const auto& obs = draft.obs;
  // One attempt at a time: an earlier one that reads back what became of it takes a later one's
  // lock, on the same lease, for its own, and gives it back.
  if (draft.busy(Task::take_lock) || draft.busy(Task::retake_lock)) {
    return because(Reason::race_taking_lock);
  }
  // What the lock would be compared with is changing under our own hands.
  if (draft.busy(Task::write_initialize)) return because(Reason::observing);
  if (auto why = keeps_out_of_races(draft)) return *why;
  if (was_refused(obs) && !is_primary(obs)) return lose_to_another(draft);
  if (const auto left = backoff_left(obs)) {
    draft.wake(*left);
    follow(draft);
    return because(Reason::race_backoff, obs.node->name.value(),
                   format_text("{}", std::chrono::ceil<seconds>(*left).count()));
  }
  if (!is_primary(obs)) own_history_is_read(draft);  // others are told of it, too
  if (auto why = leave_former_leader(draft)) return *why;
  switch (may_take_lock(draft)) {
    case Verdict::asking: return because(Reason::race_asking_peers);
    case Verdict::yes:
      draft.next.took_after = obs.view().lost_leader;
      draft.next.won_over = obs.view().failover && obs.view().failover->present()
                                ? obs.view().failover->revision
                                : Revision(0);
      draft.start(Task::take_lock, attempt_on_lock(obs, draft.next),
                  Duration(obs.timing.retry_timeout));
      return because(Reason::race_taking_lock);
    default: return lose(draft);
  }
}

}  // namespace tanist

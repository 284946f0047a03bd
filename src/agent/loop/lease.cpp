// SPDX-License-Identifier: Apache-2.0
// Tending of the lease and the lock (safety 1): first thing of every step. Pure; one thread.
#include <algorithm>

#include "agent/loop/loop.h"
#include "base/format.h"
#include "core/leader_race.h"
#include "core/local_server.h"
#include "core/published_values.h"
#include "core/storage.h"

namespace tanist::agent {

namespace {

// A key that vanished under our living lease may be taken again within this time (safety 1.4).
constexpr Duration retake_limit = milliseconds(300);
// Less than the pause after a renewal that failed.
constexpr Duration keep_early_max = milliseconds(50);

bool is_lock_task(Task task) {
  return task == Task::keep_lock || task == Task::take_lock || task == Task::retake_lock ||
         task == Task::reattach_lock || task == Task::release_lock;
}

}  // namespace

// A leader renews every min(loop_wait, ttl/6) (safety 1.5); so does a bootstrapper, whose claim
// lives by its lease.
Duration Loop::keep_interval() const {
  const Duration loop_wait = obs_.timing.loop_wait;
  const Duration ttl = obs_.timing.ttl;
  const bool short_one = obs_.holds_lock() || obs_.lock.adopting || memory_.bootstrapping;
  return std::min(loop_wait, short_one ? ttl / 6 : ttl / 3);
}

bool Loop::wants_other_lease() const {
  return obs_.lock.reign && lease_ttl_ != obs_.timing.ttl && lease_ttl_ != seconds(0);
}

// What tend_lease() starts next is waiting for the end of this.
bool Loop::is_keeping() const {
  // A renewal of the reign that vanished would find the new one, and call both lost.
  if (obs_.running(Task::retake_lock)) return true;
  if (!obs_.lock.reign && !obs_.lock.adopting) return obs_.running(Task::keep_lease);
  if (obs_.running(Task::keep_lock)) return true;
  return obs_.running(wants_other_lease() ? Task::reattach_lock : Task::release_lock);
}

void Loop::tend_lease() {
  auto& lock = obs_.lock;
  const bool had_lease_end = lock.reign || lock.adopting;
  if (had_lease_end && obs_.now >= lock.until) lose_lock();
  // What is due in a moment is done with the cycle, instead of waking up once more for it.
  const auto moment = std::min<Duration>(keep_interval() / 20, keep_early_max);
  if (obs_.now + moment < next_keep_ || is_keeping()) return;
  if (wants_other_lease()) {
    start(Task::reattach_lock,
          StoreAction(ReattachLock{.reign = *lock.reign,
                                   .ttl = obs_.timing.ttl,
                                   .member = text_form(member_value(obs_, memory_))}),
          lock.until);
    next_keep_ = obs_.now + keep_interval();
    return;
  }
  if (leaves_lease_to_end()) {
    next_keep_ = obs_.now + keep_interval();
    return;
  }
  if (lock.reign || lock.adopting) {
    KeepLock keep{.reign = lock.reign ? *lock.reign : *lock.adopting, .status = std::nullopt};
    const bool tells = is_primary(obs_) || leads_standby_cluster(obs_);
    const auto status = lock.reign && tells ? status_value(obs_) : Tree();
    status_sent_ = status.is_null() ? std::string() : text_form(status);
    if (!status_sent_.empty() && status_sent_ != status_written_) keep.status = status_sent_;
    start(Task::keep_lock, StoreAction(std::move(keep)), lock.until);
  } else {
    start(Task::keep_lease, StoreAction(KeepLease{obs_.timing.ttl}),
          obs_.now + Duration(obs_.timing.retry_timeout));
  }
  next_keep_ = obs_.now + keep_interval();
}

// Safety 5.3: guard and fence do the rest. A renewal of the member's own lease would keep the lock
// too, which hangs on the same one; it waits until the view no longer has that lock.
bool Loop::leaves_lease_to_end() {
  auto& lock = obs_.lock;
  if (!lock.reign) return leaves_lock_to_end(obs_);
  if (!gives_up_for_storage(obs_)) {
    // A server that is fenced by now has no sessions that wait: no reason to renew.
    const bool fenced = obs_.running(Task::fence) || !is_primary(obs_);
    if (fenced && lock.given_up == lock.reign->create_revision) return true;
    lock.given_up = Revision(0);
    return false;
  }
  if (lock.given_up == lock.reign->create_revision) return true;
  const bool silent = obs_.local.storage.state == StorageState::silent;
  out_.log.push_back(
      {LineLevel::critical,
       format_text("Giving up the leader lock because {}: it is no longer renewed",
                   silent ? "the storage hangs" : "PostgreSQL takes no new connections")});
  lock.given_up = lock.reign->create_revision;
  return true;
}

void Loop::fold_store_result(Task task, const StoreResult& result) {
  obs_.ends[task] = {.ok = result.verdict == StoreVerdict::done,
                     .verdict = result.verdict,
                     .error = result.detail,
                     .at = obs_.now,
                     .revision = result.revision};
  if (is_lock_task(task)) return fold_lock_result(task, result);
  switch (task) {
    case Task::keep_lease:
      if (result.verdict != StoreVerdict::done) {
        next_keep_ = std::min(next_keep_, obs_.now + milliseconds(500));
        return;
      }
      is_news_ = result.lease != obs_.store.lease;
      if (is_news_) member_written_.reset();
      obs_.store.lease = result.lease;
      obs_.store.lease_until = result.lease_until.value_or(obs_.now);
      lease_ttl_ = obs_.timing.ttl;
      if (memory_.bootstrapping) arm_guard();
      return;
    case Task::put_member:
      member_refused_ = result.verdict != StoreVerdict::done;
      is_news_ = member_refused_;
      if (member_refused_) member_written_.reset();
      if (result.lease_gone) next_keep_ = obs_.now;
      return;
    case Task::ask_lease:
      if (result.verdict == StoreVerdict::done && memory_.took_after) {
        memory_.gone_lease = memory_.took_after->leader.lease;
      }
      return;
    case Task::read_cluster:
      if (result.view) fold(ViewArrived{result.view});
      is_news_ = true;
      return;
    case Task::claim_initialize: cycle_wanted_ = true; return;
    default: return;
  }
}

void Loop::fold_lock_result(Task task, const StoreResult& result) {
  const bool done = result.verdict == StoreVerdict::done;
  cycle_wanted_ = cycle_wanted_ || task != Task::keep_lock;
  switch (task) {
    case Task::keep_lock:
      if (done) return fold_renewal(result);
      if (result.verdict == StoreVerdict::refused) return fold_refused_renewal(result);
      return;  // unknown: the lease's end decides
    case Task::take_lock:
      if (done) {
        retaken_ = false;
        take_reign(result);
      }
      return;
    case Task::retake_lock:
      if (done) return take_reign(result);
      if (obs_.lock.by_failsafe && result.verdict == StoreVerdict::unknown) return;
      return lose_lock();
    case Task::reattach_lock:
      if (done) {
        lease_ttl_ = obs_.timing.ttl;
        return fold_renewal(result);
      }
      if (result.verdict == StoreVerdict::refused) fold_refused_renewal(result);
      return;
    case Task::release_lock:
      // Without an answer too: it may have happened, or may happen yet, and whoever has the lock
      // then has our word. What is left of it in our name is released as a stray one.
      obs_.lock.reign.reset();
      obs_.lock.until = obs_.now;
      member_written_.reset();
      return;
    default: return;
  }
}

void Loop::fold_renewal(const StoreResult& result) {
  auto& lock = obs_.lock;
  if (!lock.reign && !lock.adopting) return;
  // A keepalive sent after the previous end extends nothing (safety 1.1).
  if (!result.lease_until || result.sent_at.value_or(obs_.now) >= lock.until) return lose_lock();
  if (!lock.reign) {
    lock.taken_at = obs_.now;
    cycle_wanted_ = true;
    out_.log.push_back({LineLevel::info, "the recorded lock is still ours; going on as leader"});
  }
  const auto before = lock.reign;
  is_news_ = lock.adopting || lock.unanswered || lock.by_failsafe || result.reign != before;
  lock.adopting.reset();
  lock.reign = result.reign ? result.reign : before;
  lock.until = *result.lease_until;
  lock.unanswered = false;
  lock.by_failsafe = false;
  obs_.store.lease = lock.reign->lease;
  obs_.store.lease_until = lock.until;
  if (lease_ttl_ == seconds(0)) lease_ttl_ = obs_.timing.ttl;
  if (!status_sent_.empty()) status_written_ = status_sent_;
  arm_guard();
}

// All members consented while the store was silent: the lock lasts a ttl from when they were asked.
// Consent that came too late, or beside an answered renewal, moves nothing (safety 3.4).
void Loop::fold_consent(bool all) {
  auto& lock = obs_.lock;
  cycle_wanted_ = true;
  if (!all || !lock.reign || !lock.unanswered || obs_.now >= lock.until) return;
  const auto until = lock.failsafe_asked_at + Duration(failsafe_ttl_);
  if (until <= lock.until) return;
  lock.until = until;
  lock.by_failsafe = true;
  arm_guard();
}

// Consent lasts a ttl by the clocks of those who gave it. A machine that was suspended with its
// clock believes in it for longer: another member may have led meanwhile, and have left (seed
// 4002505). Then the last lock that was lost is not ours, or `/sync`, which a leader writes before
// it is promoted, names another, or the cluster's timeline is a later one.
bool Loop::others_led_since() const {
  const auto& view = obs_.view();
  const auto& lost = view.lost_leader;
  if (lost && lost->leader.create_revision != obs_.lock.reign->create_revision) return true;
  if (view.sync && !view.sync->leader.value().empty() && view.sync->leader != obs_.node->name) {
    return true;
  }
  const auto own = local_timeline(obs_);
  const auto newest = std::max(view.timeline(), view.status ? view.status->timeline : Timeline());
  return own != Timeline() && own < newest;
}

// The store is back, and our lease ended while all members kept out of races: the key is taken
// again by the transaction of rule 2. Until the view is current there is nothing to compare with.
bool Loop::retakes_after_failsafe(const StoreResult& result) {
  if (!obs_.lock.by_failsafe || result.holder || !obs_.store.view) return false;
  if (obs_.store.current && !obs_.view().locked() && others_led_since()) return false;
  next_keep_ = obs_.now + milliseconds(500);
  if (obs_.store.current && !obs_.view().locked()) retake_lock();
  return true;
}

// Another holder, or a lease that is gone: lost. A key that vanished under our living lease may be
// taken again once.
void Loop::fold_refused_renewal(const StoreResult& result) {
  if (retakes_after_failsafe(result)) return;
  const bool vanished = !result.holder && !result.lease_gone;
  if (!vanished || retaken_ || !obs_.lock.reign || !obs_.store.view) return lose_lock();
  retaken_ = true;
  retake_lock();
}

void Loop::retake_lock() {
  // With the consent of all, the end of that is what counts.
  const auto limit = obs_.lock.by_failsafe
                         ? std::min(obs_.now + Duration(obs_.timing.retry_timeout), obs_.lock.until)
                         : obs_.now + retake_limit;
  start(Task::retake_lock, StoreAction(attempt_on_lock(obs_, memory_)), limit);
}

void Loop::take_reign(const StoreResult& result) {
  if (!result.reign || !result.lease_until) return lose_lock();
  auto& lock = obs_.lock;
  lock.reign = result.reign;
  lock.given_up = Revision(0);
  lock.until = *result.lease_until;
  lock.taken_at = obs_.now;
  lock.lost = false;
  lock.unanswered = false;
  lock.by_failsafe = false;
  if (obs_.store.lease != result.reign->lease) member_written_.reset();  // it went with the old one
  obs_.store.lease = result.reign->lease;
  obs_.store.lease_until = lock.until;
  lease_ttl_ = obs_.timing.ttl;
  status_written_.clear();
  next_keep_ = obs_.now + keep_interval();
  arm_guard();
}

void Loop::lose_lock() {
  auto& lock = obs_.lock;
  const bool held = lock.reign || lock.adopting;
  lock.reign.reset();
  lock.adopting.reset();
  lock.unanswered = false;
  lock.by_failsafe = false;
  lock.lost = held && !paused(obs_) && may_be_writable(obs_);
  member_written_.reset();
  next_keep_ = obs_.now;
  cycle_wanted_ = true;
}

// The watch may tell of a lost lock before the next renewal does (trap 152).
void Loop::heed_view_of_lock(const ClusterView& view) {
  auto& given_up = obs_.lock.given_up;
  if (given_up != Revision(0) && (!view.leader || view.leader->create_revision != given_up)) {
    given_up = Revision(0);
    next_keep_ = obs_.now;
  }
  const auto& reign = obs_.lock.reign;
  if (!reign || view.revision < reign->create_revision) return;
  if (view.leader && view.leader->create_revision == reign->create_revision) return;
  if (view.locked() && view.leader->name != obs_.node->name) return lose_lock();
  next_keep_ = obs_.now;  // let a renewal tell what happened to the key
}

void Loop::arm_guard() {
  const auto& progress = obs_.local.stop_progress;
  const bool past_safe_point = progress && progress->safe_point;
  if (past_safe_point || paused(obs_)) return;
  // A standby leader has nothing to fence; a primary that is to become one stays fenced.
  if (leads_standby_cluster(obs_) && !may_be_writable(obs_)) return;
  if (obs_.lock.reign) {
    out_.guard.push_back({GuardOrder::What::arm, *obs_.lock.reign, server_until(obs_)});
  } else if (memory_.bootstrapping) {
    const Reign claim{obs_.store.lease, Revision(0)};
    out_.guard.push_back({GuardOrder::What::arm, claim, obs_.store.lease_until});
  }
}

}  // namespace tanist::agent

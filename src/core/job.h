// SPDX-License-Identifier: Apache-2.0
// The long action: what it is, which steps it has, and how far it got. One at a time per node
// (contract ha invariant 31). A long action is a row of steps, one effect each, and decide() is
// asked before every step: a crash or a lost lock between two steps is an ordinary case.
// Values only; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/server_actions.h"
#include "core/types.h"

namespace tanist {

enum class JobKind {
  bootstrap,            // a new cluster, from initdb to the lock
  bootstrap_standby,    // a new standby cluster, from the copy of the remote to the lock
  clone,                // an empty node becomes a replica
  start_standby,        // a stopped server starts as a standby
  start_primary,        // a crashed primary starts in place, its lock held
  promote,              // the lock is held: standby to primary
  restart,              // an operator's request
  change_upstream,      // a standby restarts to follow somebody else
  demote_handing_over,  // switchover: stop, hand the lock to a candidate, start as a standby
  demote_offline,       // the store is unreachable: stop, start as a standby without upstream
  demote_cluster,       // the cluster becomes a standby cluster; the lock is kept
  recover,              // single-user crash recovery
  rewind,
  reinitialize,
  stop_for_good,      // the agent's own end: stop, hand over if possible
  stop_empty,         // a server without its data directory
  abandon_bootstrap,  // a failed bootstrap: stop, set the data aside
  copy_slots,         // a standby restarts with logical slots of the leader
};

constexpr auto names_of(JobKind) {
  using K = JobKind;
  using N = EnumName<K>;
  return std::array{N{K::bootstrap, "bootstrap"},
                    N{K::bootstrap_standby, "bootstrap_standby"},
                    N{K::clone, "clone"},
                    N{K::start_standby, "start_standby"},
                    N{K::start_primary, "start_primary"},
                    N{K::promote, "promote"},
                    N{K::restart, "restart"},
                    N{K::change_upstream, "change_upstream"},
                    N{K::demote_handing_over, "demote_handing_over"},
                    N{K::demote_offline, "demote_offline"},
                    N{K::demote_cluster, "demote_cluster"},
                    N{K::recover, "recover"},
                    N{K::rewind, "rewind"},
                    N{K::reinitialize, "reinitialize"},
                    N{K::stop_for_good, "stop_for_good"},
                    N{K::stop_empty, "stop_empty"},
                    N{K::abandon_bootstrap, "abandon_bootstrap"},
                    N{K::copy_slots, "copy_slots"}};
}

enum class Step {
  leave_sync_duty,
  initialize_data,
  start_server,
  await_primary,
  finish_bootstrap,
  write_initialize,
  write_config,
  take_first_lock,
  clone_data,
  pre_promote,
  promote,
  checkpoint,
  choose_candidate,
  pause_poolers,
  stop_server,
  stop_immediately,
  hand_over,
  archive_end,
  await_new_leader,
  recover_data,
  rewind_data,
  release_initialize,
  set_data_aside,
  fetch_slots,
  install_slots,
};

constexpr auto names_of(Step) {
  using S = Step;
  using N = EnumName<S>;
  return std::array{N{S::leave_sync_duty, "leave_sync_duty"},
                    N{S::initialize_data, "initialize_data"},
                    N{S::start_server, "start_server"},
                    N{S::await_primary, "await_primary"},
                    N{S::finish_bootstrap, "finish_bootstrap"},
                    N{S::write_initialize, "write_initialize"},
                    N{S::write_config, "write_config"},
                    N{S::take_first_lock, "take_first_lock"},
                    N{S::clone_data, "clone_data"},
                    N{S::pre_promote, "pre_promote"},
                    N{S::promote, "promote"},
                    N{S::checkpoint, "checkpoint"},
                    N{S::choose_candidate, "choose_candidate"},
                    N{S::pause_poolers, "pause_poolers"},
                    N{S::stop_server, "stop_server"},
                    N{S::stop_immediately, "stop_immediately"},
                    N{S::hand_over, "hand_over"},
                    N{S::archive_end, "archive_end"},
                    N{S::await_new_leader, "await_new_leader"},
                    N{S::recover_data, "recover_data"},
                    N{S::rewind_data, "rewind_data"},
                    N{S::release_initialize, "release_initialize"},
                    N{S::set_data_aside, "set_data_aside"},
                    N{S::fetch_slots, "fetch_slots"},
                    N{S::install_slots, "install_slots"}};
}

// The row of steps of a kind, in order.
std::span<const Step> steps_of(JobKind kind);

struct Job {
  JobKind kind = JobKind::start_standby;
  std::string label;  // the action's name in status lines (contract ha 4.1)
  std::uint32_t step = 0;
  bool step_started = false;  // the step's effect was ordered in an earlier decision
  Instant began;
  Instant step_began;
  ServerGoal goal;                 // of start_server and promote
  std::optional<Upstream> source;  // of clone_data and rewind_data
  bool only_basebackup = false;
  seconds start_timeout{60};
  std::optional<RequestId> request;  // whoever waits for the end
  // Handing over.
  MemberName candidate;              // empty = any eligible one
  std::vector<MemberName> eligible;  // followed our timeline before the stop
  std::optional<Lsn> shutdown_lsn;   // the shutdown checkpoint
  Lsn shutdown_previous;             // what /status.optime tells (contract ha 12, step 3)
  Timeline shutdown_timeline;        // on which it lies
  Lsn shutdown_end;                  // a candidate must have received this much
  bool released = false;             // the lock was given away
  std::uint64_t round = 0;           // of peers, the last one asked for this job
  Reign reign;                       // the lock when the job began
  std::vector<SlotChange> slots;     // of fetch_slots

  static constexpr auto fields() {
    using J = Job;
    return std::tuple{field("kind", &J::kind),
                      field("label", &J::label),
                      field("step", &J::step),
                      field("step_started", &J::step_started),
                      field("began", &J::began),
                      field("step_began", &J::step_began),
                      field("goal", &J::goal),
                      field("source", &J::source),
                      field("only_basebackup", &J::only_basebackup),
                      field("start_timeout", &J::start_timeout),
                      field("request", &J::request),
                      field("candidate", &J::candidate),
                      field("eligible", &J::eligible),
                      field("shutdown_lsn", &J::shutdown_lsn),
                      field("shutdown_previous", &J::shutdown_previous),
                      field("shutdown_timeline", &J::shutdown_timeline),
                      field("shutdown_end", &J::shutdown_end),
                      field("released", &J::released),
                      field("round", &J::round),
                      field("reign", &J::reign),
                      field("slots", &J::slots)};
  }
  friend bool operator==(const Job&, const Job&) = default;
};
static_assert(lists_all_fields<Job>);

// The step under way. Requires: the job is not at its end.
Step current_step(const Job& job);
bool at_end(const Job& job);

}  // namespace tanist

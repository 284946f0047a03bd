// SPDX-License-Identifier: Apache-2.0
// Keeps the local copy of the cluster current: a linearizable read, then a watch from the next
// revision on, and both anew whenever there is any doubt (contract dcs 7; traps 153-155, 157,
// 162). Pure; owned by one machine.
#pragma once

#include <optional>
#include <string>

#include "store/cluster_cache.h"
#include "store/etcd3_calls.h"

namespace tanist::store {

class ViewKeeper {
 public:
  struct Surroundings {
    Step& step;
    Calls& calls;
    ClusterCache& cache;
  };

  void start(Surroundings at);
  // All keys and the watch anew.
  void rebuild(Surroundings at);
  // As rebuild(), and nothing that was known counts: this is another etcd cluster.
  void start_over(Surroundings at);

  void done(Surroundings at, Outcome outcome);
  void said(Surroundings at, const WatchSaid& input);
  void ended(Surroundings at, const WatchEnded& input);
  void tick(Surroundings at);
  // At the end of each step: has the watch fallen behind, or does its endpoint count as failed?
  void compare_with_answers(Surroundings at);
  Instant wake_at() const;

  // A read has succeeded since the start: the cache may be shown.
  bool has_view() const { return has_view_; }
  bool is_current() const { return state_ == State::watching; }

 private:
  enum class State { idle, reading, opening, watching };

  void read(Surroundings at);
  void try_again(Surroundings at, Duration pause);
  void open_watch(Surroundings at, std::string endpoint);
  void close_watch(Surroundings at);
  void move_watch(Surroundings at);
  void apply(Surroundings at, const wire::WatchMessage& message);
  void read_done(Surroundings at, const Outcome& outcome);
  void check_done(Surroundings at, const Outcome& outcome);
  void check(Surroundings at);

  State state_ = State::idle;
  bool has_view_ = false;
  Instant retry_at_ = Instant::max();
  CallId read_call_;
  RpcId stream_;
  std::string endpoint_;
  Instant opened_at_;
  Revision position_;  // every event up to here has been applied
  // What answers have shown and the watch has not (trap 155).
  Revision behind_;
  Instant behind_since_ = Instant::max();
  Instant progress_asked_at_ = Instant::max();
  // The full read at intervals (trap 162).
  Instant check_at_ = Instant::max();
  std::optional<CallId> check_call_;
  std::optional<ClusterCache::Keys> check_keys_;
  Revision check_revision_;
};

}  // namespace tanist::store

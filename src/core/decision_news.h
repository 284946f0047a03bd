// SPDX-License-Identifier: Apache-2.0
// Which decisions are news: those that say, order or stand for something else than the ones before.
// An idle node looks at its server in every cycle and decides the same each time; that is none. The
// loop owns one and hands what is news to the journal. Pure; one thread.
#pragma once

#include <vector>

#include "core/observation.h"

namespace tanist {

// What was known and what was decided: enough to decide again (journal/replay).
struct DecisionRecord {
  Observation observation;
  Decision decision;
};

class DecisionNews {
 public:
  // True when this decision has to be told. What means the same (a race that is lost in every
  // cycle) is told a few times in ten minutes only.
  bool take(const Observation& obs, const Decision& decision);

 private:
  // A decision without its numbers.
  struct Mark {
    Reason reason = Reason::starting_up;
    std::string subject;
    ServerState state = ServerState::unknown;
    Instant state_since;
    Role role = Role::uninitialized;
    std::optional<JobKind> job;
    std::uint32_t step = 0;
    bool has_server = false;
    bool holds_lock = false;
    bool in_recovery = true;
    bool is_streaming = false;  // its WAL receiver works
    bool store_is_current = false;
    bool shutdown_requested = false;
    bool paused = false;
    GuardState guard = GuardState::absent;
    Revision leader;  // create revision
    Revision failover;
    Revision deleted_at;      // of the last lock that was seen to go
    std::size_t members = 0;  // hash of their names
    std::uint64_t tasks = 0;  // bits of those ordered, without the routine
    std::size_t orders = 0;   // to guard and agent

    friend bool operator==(const Mark&, const Mark&) = default;
  };
  struct Told {
    Mark mark;
    Instant since;
    int times = 0;
  };

  static Mark mark_of(const Observation& obs, const Decision& decision);

  Mark last_;
  std::vector<Told> told_;
};

// Tasks that an idle node orders again and again.
bool is_routine(Task task);

}  // namespace tanist

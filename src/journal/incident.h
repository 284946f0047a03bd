// SPDX-License-Identifier: Apache-2.0
// Changes of leadership, put together from the stories of the nodes: what caused them, how long
// each phase took, what was lost, what every node decided and why. The same rules serve one node
// that tells its own (the digest in the store) and `tanistctl explain`, which has them all. Pure;
// any thread.
#pragma once

#include <string>
#include <vector>

#include "journal/story.h"

namespace tanist::journal {

// Do not rename: digests in stores carry these names.
enum class Cause {
  bootstrap,         // the cluster's first leader
  switchover,        // an operator asked for it
  failover_request,  // an operator asked for it, leader or no leader
  agent_stopped,     // the old leader's agent was told to end
  server_crashed,    // the old leader's PostgreSQL ended by itself
  store_lost,        // the old leader could not renew its lock
  lock_lost,         // the store said that the lock was no longer the old leader's
  released,          // given away, and nobody tells why
  silence,           // the lock ran out: agent, machine or network of the old leader were gone
  lock_vanished,     // no old leader is known
};

constexpr auto names_of(Cause) {
  using C = Cause;
  return std::array{EnumName<C>{C::bootstrap, "bootstrap"},
                    EnumName<C>{C::switchover, "switchover"},
                    EnumName<C>{C::failover_request, "failover_request"},
                    EnumName<C>{C::agent_stopped, "agent_stopped"},
                    EnumName<C>{C::server_crashed, "server_crashed"},
                    EnumName<C>{C::store_lost, "store_lost"},
                    EnumName<C>{C::lock_lost, "lock_lost"},
                    EnumName<C>{C::released, "released"},
                    EnumName<C>{C::silence, "silence"},
                    EnumName<C>{C::lock_vanished, "lock_vanished"}};
}

// The cause as a sentence about the old leader.
std::string sentence_of(Cause cause, const MemberName& old_leader);

// Milliseconds; absent = not known.
struct Phases {
  std::optional<std::int64_t> detection;  // first sign of trouble to the decision to give up
  std::optional<std::int64_t> lease;      // from there to the end of the old lock
  bool lease_is_estimated = false;        // the whole ttl, for want of a sign
  std::optional<std::int64_t> race;       // the end of the old lock to the new one
  std::optional<std::int64_t> promote;    // the new lock to a writable server
  std::optional<std::int64_t> routing;    // writable to the first check that was told so

  static constexpr auto fields() {
    using P = Phases;
    return std::tuple{field("detection_ms", &P::detection),
                      field("lease_ms", &P::lease),
                      field("lease_is_estimated", &P::lease_is_estimated),
                      field("race_ms", &P::race),
                      field("promote_ms", &P::promote),
                      field("routing_ms", &P::routing)};
  }
  friend bool operator==(const Phases&, const Phases&) = default;
};
static_assert(lists_all_fields<Phases>);

// The sum of what is known.
std::int64_t total_ms(const Phases& phases);

// One node in the change: what it saw, decided, and why.
struct Voice {
  MemberName member;
  std::string text;

  static constexpr auto fields() {
    return std::tuple{field("member", &Voice::member), field("text", &Voice::text)};
  }
  friend bool operator==(const Voice&, const Voice&) = default;
};
static_assert(lists_all_fields<Voice>);

struct Incident {
  std::string at;  // when the new leader took the lock; ISO 8601, UTC
  Revision reign;  // create revision of its lock: the incident's identity
  MemberName old_leader;
  MemberName new_leader;
  Cause cause = Cause::lock_vanished;
  Phases phases;
  bool writable = false;                    // the new leader has been promoted
  Timeline timeline;                        // of the new leader, once it is writable
  Lsn taken_over_at;                        // its position when it took the lock
  Lsn published;                            // the last position that the old leader published
  std::optional<std::uint64_t> lost_bytes;  // of WAL; absent = the old leader has not told yet
  std::vector<std::string> evidence;        // what showed that the old leader was gone
  std::vector<Voice> voices;

  static constexpr auto fields() {
    using I = Incident;
    return std::tuple{field("at", &I::at),
                      field("reign", &I::reign),
                      field("old_leader", &I::old_leader),
                      field("new_leader", &I::new_leader),
                      field("cause", &I::cause),
                      field("phases", &I::phases),
                      field("writable", &I::writable),
                      field("timeline", &I::timeline),
                      field("taken_over_at", &I::taken_over_at),
                      field("published", &I::published),
                      field("lost_bytes", &I::lost_bytes),
                      field("evidence", &I::evidence),
                      field("voices", &I::voices)};
  }
  friend bool operator==(const Incident&, const Incident&) = default;
};
static_assert(lists_all_fields<Incident>);

// In the order of their times. Requires: clocks are aligned, each story is in order.
std::vector<Incident> incidents_in(const Stories& stories);

}  // namespace tanist::journal

// SPDX-License-Identifier: Apache-2.0
// Which connections are open, until when each may do nothing, and which one has to go when there
// are too many. Bookkeeping only, no sockets. Pure; one thread.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.h"

namespace tanist::rest {

using ConnectionId = std::uint64_t;

class Connections {
 public:
  explicit Connections(std::size_t limit) : limit_(limit) {}

  std::size_t size() const { return by_id_.size(); }

  bool is_full() const { return by_id_.size() >= limit_; }

  // The connection to close when room is needed: the longest idle one, but none that waits for the
  // loop. Nothing when all wait (their number is bounded elsewhere).
  std::optional<ConnectionId> longest_idle() const;

  void open(ConnectionId id, Instant deadline);
  // The connection did something: it is the least idle now, and has until `deadline`. Here and in
  // the next two, an id that is no longer open changes nothing.
  void touch(ConnectionId id, Instant deadline);
  // As touch(); while it waits for the loop, it is never the one to close.
  void wait_for_loop(ConnectionId id, Instant deadline);
  void close(ConnectionId id);

  // Waiting for the loop at present.
  std::size_t waiting() const { return waiting_; }

  // The earliest deadline of all.
  std::optional<Instant> next_deadline() const;
  std::vector<ConnectionId> expired(Instant now) const;
  std::vector<ConnectionId> all() const;

 private:
  struct Entry {
    ConnectionId id = 0;
    Instant deadline;
    bool waits = false;
  };

  void update(ConnectionId id, Instant deadline, bool waits);

  std::size_t limit_;
  std::size_t waiting_ = 0;
  std::list<Entry> by_idleness_;  // the longest idle first
  std::unordered_map<ConnectionId, std::list<Entry>::iterator> by_id_;
};

}  // namespace tanist::rest

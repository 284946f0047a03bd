// SPDX-License-Identifier: Apache-2.0
// Does WAL arrive at this replica? A health check of a replica needs positive evidence (contract
// rest 5 takes the role for it), so that one that silently stopped replicating gets no more
// readers. Pure; any thread.
#pragma once

#include "core/observation.h"

namespace tanist {

class Receiving {
 public:
  // Takes a new observation into account. Evidence is: the receiver streams; a position moved; all
  // that the leader has published was replayed. Where no leader is known nobody can be received
  // from, and silence proves nothing.
  void look(const Observation& obs);

  // The last evidence counts until then: for `ttl`, so that a change of leader costs no reader; for
  // five minutes where WAL comes from an archive, which gets a segment now and then.
  Instant until() const { return until_; }

 private:
  Lsn position_;
  Instant until_;
};

}  // namespace tanist

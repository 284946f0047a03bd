// SPDX-License-Identifier: Apache-2.0
// What would happen if a node failed now: for each other node the observation is made up that it
// would have once the lock is gone, and decide() is asked. Nothing is touched. Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ctl/reading.h"
#include "journal/incident.h"

namespace tanist::ctl {

// What is known of a cluster at one moment.
struct LiveCluster {
  Reading reading;
  std::map<MemberName, Tree> status;         // GET /patroni of who answered
  std::vector<journal::Incident> incidents;  // earlier ones, for their times
};

// One of the other nodes.
struct Prospect {
  MemberName member;
  bool takes_over = false;
  std::string why;                            // in the words that its log would have
  Lsn position;                               // of its WAL; 0 = unknown
  std::optional<std::uint64_t> behind_bytes;  // the failing leader

  static constexpr auto fields() {
    using P = Prospect;
    return std::tuple{field("member", &P::member), field("takes_over", &P::takes_over),
                      field("why", &P::why), field("position", &P::position),
                      field("behind_bytes", &P::behind_bytes)};
  }
};
static_assert(lists_all_fields<Prospect>);

struct WhatIf {
  MemberName failing;
  bool is_leader = false;
  MemberName leader;                // as it is now; empty = none
  std::vector<Prospect> prospects;  // who takes over first, then by name; empty for a replica
  std::int64_t outage_ms_min = 0;   // from the failure to a writable server
  std::int64_t outage_ms_max = 0;
  bool is_measured = false;                     // race and promotion are those of earlier changes
  std::optional<std::uint64_t> lost_bytes_now;  // by the positions of this moment; the worst case
  bool keeps_acknowledged = false;              // by synchronous replication
  std::vector<std::string> remarks;

  static constexpr auto fields() {
    using W = WhatIf;
    return std::tuple{field("failing", &W::failing),
                      field("is_leader", &W::is_leader),
                      field("leader", &W::leader),
                      field("prospects", &W::prospects),
                      field("outage_ms_min", &W::outage_ms_min),
                      field("outage_ms_max", &W::outage_ms_max),
                      field("is_measured", &W::is_measured),
                      field("lost_bytes_now", &W::lost_bytes_now),
                      field("keeps_acknowledged", &W::keeps_acknowledged),
                      field("remarks", &W::remarks)};
  }
};
static_assert(lists_all_fields<WhatIf>);

// Requires: `failing` is a member.
WhatIf what_if(const LiveCluster& cluster, const MemberName& failing);

std::string to_text(const WhatIf& answer);

}  // namespace tanist::ctl

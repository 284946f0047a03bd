// SPDX-License-Identifier: Apache-2.0
// A member's tags: typed as decisions need them, and whole as they are published.
// Values only; any thread.
#pragma once

#include <string>
#include <vector>

#include "core/types.h"

namespace tanist {

// Source: contract config 4.10 and dcs 4.3.1. Read with tags_from().
struct Tags {
  // Effective failover priority: 0 = may not become leader; default 1.
  std::int64_t failover_priority = 1;
  // Effective synchronous priority: 0 = never a synchronous standby; default 1.
  std::int64_t sync_priority = 1;
  bool clonefrom = false;
  bool noloadbalance = false;
  bool nostream = false;
  MemberName replicatefrom;  // empty = the leader
  Tree published;            // the map as in the member key

  bool nofailover() const { return failover_priority <= 0; }
  bool nosync() const { return sync_priority <= 0; }

  static constexpr auto fields() {
    return std::tuple{field("failover_priority", &Tags::failover_priority),
                      field("sync_priority", &Tags::sync_priority),
                      field("clonefrom", &Tags::clonefrom),
                      field("noloadbalance", &Tags::noloadbalance),
                      field("nostream", &Tags::nostream),
                      field("replicatefrom", &Tags::replicatefrom),
                      field("published", &Tags::published)};
  }
  friend bool operator==(const Tags&, const Tags&) = default;
};
static_assert(lists_all_fields<Tags>);

// From any `tags` mapping (configuration, member key, REST answer). What is no map counts as empty.
// `nofailover: "false"` (a string) means true, as operators know it.
Tags tags_from(const Tree& tags);

// The tags to publish for a configured `tags` mapping: built-in booleans only when truthy, except
// nofailover beside failover_priority and nosync beside sync_priority; the rest as it is.
Tree published_tags(const Tree& configured);

// One sentence for each contradiction, to be logged as a warning.
std::vector<std::string> tag_conflicts(const Tree& configured);

}  // namespace tanist

// SPDX-License-Identifier: Apache-2.0
// Whom a standby streams from, and whom an empty node copies (contract ha 5.2 and 19).
// Pure; any thread.
#pragma once

#include <optional>

#include "core/observation.h"

namespace tanist {

// Host, port and database of a member's conn_url (postgres://host:port/database); nothing when it
// is unusable.
std::optional<Upstream> upstream_of(const MemberView& member);

// The upstream of this node as a standby: itself, nobody or nothing known is "none".
std::optional<Upstream> choose_upstream(const Observation& obs);

// The leader as the source of a rewind or of a divergence check; none when it is this node, has no
// member key or no usable URL.
std::optional<Upstream> leader_source(const Observation& obs);

// The member to copy a data directory from: a running one tagged clonefrom, else the leader. Which
// of several: by `chance` (any number).
std::optional<Upstream> clone_source(const Observation& obs, std::uint64_t chance);

}  // namespace tanist
